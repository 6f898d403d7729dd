"""Which rejected rows a table keeps already: those are neither counted nor kept again when they are read again."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import TYPE_CHECKING

from b2b_recs.engine.etl.cursor import parse
from b2b_recs.engine.schema.types import ColumnMapping
from b2b_recs.engine.sources.contract import RejectedRow
from b2b_recs.engine.warehouse.local import LocalTable

if TYPE_CHECKING:
    from b2b_recs.engine.etl.bounds import Bounds


def fingerprint(row: RejectedRow) -> str:
    """What tells a rejected row, with its column and reason, from others."""
    told = (json.dumps(row.row, ensure_ascii=False), row.column, row.reason)
    return hashlib.sha256("\0".join(told).encode("utf-8", "surrogatepass")).hexdigest()


class KnownRejects:
    """The rejected rows beside a table, each to be taken once: of equal rows as many are known as are kept."""

    def __init__(self, table: LocalTable) -> None:
        self._kept = table.rejected
        self._left: Counter[str] | None = None

    def take(self, mark: str) -> bool:
        """Whether a row with this fingerprint is kept already."""
        if self._left is None:
            # Read only now: most runs reject nothing.
            self._left = Counter()
            if self._kept.exists():
                self._left.update(self._kept.read(columns=["fingerprint"])["fingerprint"].to_pylist())
        if self._left[mark] <= 0:
            return False
        self._left[mark] -= 1
        return True


def rejects_inside(table: LocalTable, cursor: ColumnMapping, bounds: Bounds) -> int:
    """How many of the rejected rows beside a table have a cursor inside the window.

    One whose cursor cannot be compared counts as inside: a limit of rows is then wide enough to read beyond it.
    """
    kept = table.rejected
    if not kept.exists():
        return 0
    inside = 0
    for batch in kept.arrow_dataset(None).to_batches(columns=["row"]):
        inside += sum(_inside(json.loads(text), cursor, bounds) for text in batch.column("row").to_pylist())
    return inside


def _inside(row: dict[str, str | None], cursor: ColumnMapping, bounds: Bounds) -> bool:
    text = row.get(cursor.name, "")
    if text is None:
        # Such rows are no part of a read with a limit.
        return False
    value = parse(text, cursor)
    try:
        if bounds.lower is not None and value < parse(bounds.lower, cursor):
            return False
        return bounds.upper is None or bool(value <= parse(bounds.upper, cursor))
    except TypeError:
        return True
