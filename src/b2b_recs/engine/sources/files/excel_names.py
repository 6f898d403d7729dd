"""Which row of a worksheet holds the names of the columns, where nobody has said it."""

from __future__ import annotations

from collections.abc import Sequence

from b2b_recs.engine.sources.files.dialects import is_value

# Rows from the top that are looked at.
LOOKED_AT = 100


def row_of_names(rows: Sequence[Sequence[str | None]]) -> int:
    """The place of the row of names among the first rows of a sheet: the first that is filled, or one below titles.

    A title fills at most half of the columns. Below one, the names are in the first row that fills all of them with
    different texts; where there is none, the title is taken for the names, so that nothing is left out unseen.
    """
    filled = [[cell for cell in row if cell is not None and cell.strip()] for row in rows]
    most = max(map(len, filled), default=0)
    first = next((at for at, cells in enumerate(filled) if cells), 0)
    if not rows or not _is_title(rows[first], len(filled[first]), most):
        return first
    return next((at for at, cells in enumerate(filled) if len(cells) == most and _are_names(cells)), first)


def _is_title(row: Sequence[str | None], filled: int, most: int) -> bool:
    # With half of the columns filled and nothing in the corner it is names over a column of numbers without one.
    return 2 * filled < most or (2 * filled == most and bool(row[0]))


def _are_names(cells: Sequence[str]) -> bool:
    return len(set(cells)) == len(cells) and not any(is_value(cell) for cell in cells)
