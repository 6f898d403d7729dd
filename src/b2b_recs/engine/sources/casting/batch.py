"""A batch of any Arrow types as a batch of the warehouse's, and the rows that could not be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.schema.arrow import arrow_schema, arrow_type
from b2b_recs.engine.schema.types import ColumnMapping, Mode
from b2b_recs.engine.sources.casting.choices import way
from b2b_recs.engine.sources.casting.families import Family, unpacked
from b2b_recs.engine.sources.casting.printing import printed
from b2b_recs.engine.sources.casting.readable import readable
from b2b_recs.engine.sources.casting.ways import follow
from b2b_recs.engine.sources.contract import Batch, RejectedRow

_EMPTY = "is empty, and the column is required"
_LONGEST_SHOWN = 60


def cast_batch(
    raw: pa.RecordBatch, columns: Sequence[ColumnMapping], time_zone: str, *, guessed: bool = False
) -> Batch:
    """The batch in the warehouse's types, and its rejected rows with every column as text.

    ``raw`` has one column for each of ``columns``, in their order. ``time_zone`` is used only where a wall-clock time
    becomes a moment or the other way round. Raises BadInput when a column's type cannot become the wanted one; where
    types were only ``guessed`` from values, these are read as their text then, and rejected one by one.
    """
    given = [unpacked(raw.column(at)) for at in range(len(columns))]
    arrays: list[pa.Array] = []
    faults: dict[int, tuple[int, str]] = {}
    for at, (column, (family, plain)) in enumerate(zip(columns, given, strict=True)):
        values, reasons = (_cast_guessed if guessed else _cast)(family, plain, column, time_zone)
        arrays.append(values)
        for row, reason in reasons.items():
            faults.setdefault(row, (at, reason))
    if not faults:
        return Batch(pa.RecordBatch.from_arrays(arrays, schema=arrow_schema(columns)))
    rows = sorted(faults)
    kept = np.ones(raw.num_rows, dtype=bool)
    kept[rows] = False
    mask = pa.array(kept)
    good = pa.RecordBatch.from_arrays([values.filter(mask) for values in arrays], schema=arrow_schema(columns))
    texts = [readable(family, plain, rows) for family, plain in given]
    return Batch(good, [_rejected(columns, texts, at, *faults[row]) for at, row in enumerate(rows)])


def cast_columns(schema: pa.Schema, columns: Sequence[ColumnMapping]) -> None:
    """Returns when every column of ``schema`` can become its mapping's type. Raises BadInput naming one that cannot."""
    for field, column in zip(schema, columns, strict=True):
        _cast(*unpacked(pa.nulls(0, field.type)), column, "UTC")


def _cast(family: Family, plain: pa.Array, column: ColumnMapping, zone: str) -> tuple[pa.Array, dict[int, str]]:
    """The values as the column's type, NULL where refused, and the reason of each row that is."""
    target = arrow_type(column)
    missing = _missing(plain) if column.mode is Mode.REQUIRED else {}
    if family is Family.NULL:
        return pa.nulls(len(plain), target), missing
    spoiled: dict[int, str] = {}
    if family in (Family.TEXT, Family.JSON):
        plain, spoiled = follow(printed(family, plain.type), plain, pa.string())
    taken, reasons = follow(way(family, plain.type, column, zone), plain, target)
    return taken, missing | reasons | spoiled


def _cast_guessed(family: Family, plain: pa.Array, column: ColumnMapping, zone: str) -> tuple[pa.Array, dict[int, str]]:
    """The same for values whose type was guessed: a format concerns text, and what cannot become the type is text."""
    if family is Family.TEXT:
        return _cast(family, plain, column, zone)
    try:
        return _cast(family, plain, replace(column, format=""), zone)
    except BadInput:
        text, spoiled = follow(printed(family, plain.type), plain, pa.string())
        taken, reasons = _cast(Family.TEXT, text, column, zone)
        return taken, reasons | spoiled


def _missing(values: pa.Array) -> dict[int, str]:
    """The reason of every row without a value."""
    return dict.fromkeys(pc.indices_nonzero(values.is_null()).to_pylist(), _EMPTY)


def _rejected(
    columns: Sequence[ColumnMapping], texts: Sequence[Sequence[str | None]], row: int, at: int, reason: str
) -> RejectedRow:
    values = {column.name: text[row] for column, text in zip(columns, texts, strict=True)}
    name = columns[at].name
    value = texts[at][row]
    shown = "NULL" if value is None else value if len(value) <= _LONGEST_SHOWN else value[:_LONGEST_SHOWN] + "…"
    return RejectedRow(values, name, f"{name}: {shown} {reason}")
