"""The values of rejected rows as text that can always be read."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from b2b_recs.engine.sources.casting.families import Family
from b2b_recs.engine.sources.casting.json_text import to_json
from b2b_recs.engine.sources.casting.printing import printed
from b2b_recs.engine.sources.casting.ways import follow

_SPELLED = (Family.TEXT, Family.JSON, Family.BYTES, Family.UUID)


def readable(family: Family, plain: pa.Array, rows: Sequence[int]) -> list[str | None]:
    """The text of these rows; bytes that are not UTF-8 as ``\\x`` and hexadecimal digits."""
    if family is Family.STRUCTURE:
        return [_structure(plain.slice(row, 1)) for row in rows]
    chosen = plain.take(pa.array(rows, pa.int64()))
    if family in _SPELLED:
        return [_spelled(value) for value in chosen.view(pa.binary()).to_pylist()]
    text, _ = follow(printed(family, chosen.type), chosen, pa.string())
    return text.to_pylist()  # type: ignore[no-any-return]


def _spelled(value: bytes | None) -> str | None:
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return f"\\x{value.hex()}"


def _structure(row: pa.Array) -> str | None:

    text, refused = follow(to_json(), row, pa.string())
    return _anyhow(row) if refused else text.to_pylist()[0]


def _anyhow(row: pa.Array) -> str:
    """A list or record with text that is not UTF-8, as Arrow shows it, with marks in place of such text."""
    return str(row.to_string(skip_new_lines=True))
