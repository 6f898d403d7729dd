"""The warehouse type proposed for every column of a table of files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from b2b_recs.engine.schema.types import ColumnMapping, Confidence, WarehouseType
from b2b_recs.engine.sources.arrow_types import arrow_rule
from b2b_recs.engine.sources.casting.families import family_of
from b2b_recs.engine.sources.casting.natures import refuse_by_family
from b2b_recs.engine.sources.contract import FILE_COLUMN, ColumnInfo
from b2b_recs.engine.sources.files.columns import UNTYPED
from b2b_recs.engine.sources.proposing import TypeRule, propose_columns

_PATH = TypeRule(WarehouseType.STRING, "The path of the file a row came from.")
_DECIMAL = re.compile(r"decimal(32|64|128|256)\((\d+), (-?\d+)\)")
_TIMESTAMP = re.compile(r"timestamp\[(s|ms|us|ns)(?:, tz=(.+))?\]")
_DICTIONARY = re.compile(r"dictionary<values=(.+), indices=\w+, ordered=\d>")
_FIXED = re.compile(r"fixed_size_binary\[(\d+)\]")
_DECIMALS = {"32": pa.decimal32, "64": pa.decimal64, "128": pa.decimal128, "256": pa.decimal256}
_NAMED = {
    "bool": pa.bool_(), "null": pa.null(), "float": pa.float32(), "double": pa.float64(), "halffloat": pa.float16(),
    "time32[s]": pa.time32("s"), "time32[ms]": pa.time32("ms"), "time64[us]": pa.time64("us"),
    "time64[ns]": pa.time64("ns"), "date32[day]": pa.date32(), "date64[ms]": pa.date64(),
    "month_day_nano_interval": pa.month_day_nano_interval(),
    **{f"extension<{found.extension_name}>": found for found in (pa.uuid(), pa.json_(), pa.bool8())},
    **{f"duration[{unit}]": pa.duration(unit) for unit in ("s", "ms", "us", "ns")},
    **{f"{sign}int{bits}": getattr(pa, f"{sign}int{bits}")() for sign in ("", "u") for bits in (8, 16, 32, 64)},
    **{name: getattr(pa, name)() for name in (
        "string", "large_string", "string_view", "binary", "large_binary", "binary_view")},
}  # fmt: skip


def propose_files(columns: Sequence[ColumnInfo], samples: Mapping[str, Sequence[str | None]]) -> list[ColumnMapping]:
    """One mapping per column of a table of files, of whatever format, in the same order."""
    untyped = any(column.type_kind == UNTYPED for column in columns)
    proposed = propose_columns(columns, samples, _rule, text_only=untyped)
    return _doubted(proposed, columns, samples)


def _doubted(
    mappings: Sequence[ColumnMapping], columns: Sequence[ColumnInfo], samples: Mapping[str, Sequence[str | None]]
) -> list[ColumnMapping]:
    """The mappings, those in doubt whose texts, or whose names, may have been read in another encoding than they have.

    What is to be told is told once, of the first column in which letters are seen that may be wrong.
    """
    at_stake = [
        column
        for mapping, column in zip(mappings, columns, strict=True)
        if column.doubt and (mapping.warehouse_type is WarehouseType.STRING or not column.name.isascii())
    ]
    shown = [one for one in at_stake if _has_letters_beyond([one.name, *samples.get(one.name, ())])]
    first: dict[str, str] = {}
    for column in (*shown, *at_stake):
        first.setdefault(column.doubt, column.name)
    low = {column.name for column in shown} | set(first.values())
    words = {name: f"{doubt} " for doubt, name in first.items()}
    return [
        replace(one, confidence=Confidence.LOW, warning=f"{words.get(one.name, '')}{one.warning}".rstrip())
        if one.name in low
        else one
        for one in mappings
    ]


def _has_letters_beyond(texts: Iterable[str | None]) -> bool:
    """Whether there is a letter that encodings store in different ways."""
    return any(text is not None and not text.isascii() for text in texts)


def refuse_declared(column: ColumnInfo, wanted: ColumnMapping) -> None:
    """Return when a column of files may become the type; nothing is refused where types are guessed from values.

    Raises BadInput when the type that the files declare cannot.
    """
    if not column.guessed and column.base_type:
        refuse_by_family(family_of(data_type(column.base_type)), wanted, column.source_type)


def data_type(text: str) -> pa.DataType:
    """The Arrow type that prints as ``text``; an empty struct for lists, structs, maps and what else is nested."""
    if text in _NAMED:
        return _NAMED[text]
    if found := _DECIMAL.fullmatch(text):
        return _DECIMALS[found[1]](int(found[2]), int(found[3]))
    if found := _TIMESTAMP.fullmatch(text):
        return pa.timestamp(found[1], found[2])
    if found := _DICTIONARY.fullmatch(text):
        return data_type(found[1])
    if found := _FIXED.fullmatch(text):
        return pa.binary(int(found[1]))
    return pa.struct([])


def _rule(column: ColumnInfo) -> TypeRule:
    if column.name == FILE_COLUMN:
        return _PATH
    return arrow_rule(data_type(column.base_type))
