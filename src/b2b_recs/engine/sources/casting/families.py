"""Families of Arrow types that are cast in the same way, and the plain array behind every packing."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt


class Family(StrEnum):
    """Families of values, named as refusals name them."""

    INTEGER = "whole number"
    DECIMAL = "decimal"
    FLOAT = "binary fraction"
    BOOL = "true or false"
    TEXT = "text"
    BYTES = "bytes"
    DATE = "date"
    WALL = "date and time"
    MOMENT = "moment"
    TIME = "time of day"
    SPAN = "span of time"
    INTERVAL = "interval"
    STRUCTURE = "list or record"
    JSON = "JSON"
    UUID = "identifier"
    NULL = "nothing"


def unpacked(values: pa.Array) -> tuple[Family, pa.Array]:
    """The family of the values, and the values without dictionaries, views, runs and extension types."""
    kind = values.type
    if pt.is_dictionary(kind):
        return unpacked(values.dictionary_decode())
    if pt.is_run_end_encoded(kind):
        return unpacked(pc.run_end_decode(values))
    if isinstance(kind, pa.BaseExtensionType):
        return _extended(str(kind.extension_name), values.storage)
    if pt.is_date64(kind):
        return _days(values)
    family = family_of(kind)
    plain = _PLAIN.get(family)
    return family, plain(values) if plain else values


def family_of(kind: pa.DataType) -> Family:
    """The family of a type."""
    if pt.is_dictionary(kind) or pt.is_run_end_encoded(kind):
        return family_of(kind.value_type)
    if isinstance(kind, pa.BaseExtensionType):
        return _EXTENSIONS.get(str(kind.extension_name), family_of(kind.storage_type))
    if pt.is_timestamp(kind):
        return Family.WALL if kind.tz is None else Family.MOMENT
    return next((family for is_one, family in _FAMILIES if is_one(kind)), Family.STRUCTURE)


# Bits of the smallest decimals that every kernel knows.
_WIDE_ENOUGH = 128

_EXTENSIONS = {"arrow.uuid": Family.UUID, "arrow.json": Family.JSON, "arrow.bool8": Family.BOOL}


def _extended(name: str, storage: pa.Array) -> tuple[Family, pa.Array]:
    if name == "arrow.uuid":
        return Family.UUID, _text(pa.array([_uuid(value) for value in storage.to_pylist()], pa.string()))
    if name == "arrow.bool8":
        return Family.BOOL, pc.cast(storage, pa.bool_())
    family, values = unpacked(storage)
    return (Family.JSON if name == "arrow.json" else family), values


def _uuid(value: bytes | None) -> str | None:
    if value is None:
        return None
    digits = value.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _days(values: pa.Array) -> tuple[Family, pa.Array]:
    """Dates counted in milliseconds; with a time of day, which the format forbids, they are dates with a time."""
    try:
        return Family.DATE, pc.cast(values, pa.date32())
    except pa.ArrowInvalid:
        return Family.WALL, values.view(pa.int64()).view(pa.timestamp("ms"))


def _integers(values: pa.Array) -> pa.Array:
    return values if values.type == pa.uint64() else pc.cast(values, pa.int64())


def _decimals(values: pa.Array) -> pa.Array:
    if values.type.bit_width >= _WIDE_ENOUGH:
        return values
    return pc.cast(values, pa.decimal128(values.type.precision, values.type.scale))


def _floats(values: pa.Array) -> pa.Array:
    return pc.cast(values, pa.float64()) if pt.is_float16(values.type) else values


def _text(values: pa.Array) -> pa.Array:
    return values if values.type == pa.string() else pc.cast(values, pa.string())


def _bytes(values: pa.Array) -> pa.Array:
    return values if values.type == pa.binary() else pc.cast(values, pa.binary())


_PLAIN: dict[Family, Callable[[pa.Array], pa.Array]] = {
    Family.INTEGER: _integers,
    Family.DECIMAL: _decimals,
    Family.FLOAT: _floats,
    Family.TEXT: _text,
    Family.BYTES: _bytes,
}
_FAMILIES: tuple[tuple[Callable[[pa.DataType], bool], Family], ...] = (
    (pt.is_boolean, Family.BOOL),
    (pt.is_integer, Family.INTEGER),
    (pt.is_decimal, Family.DECIMAL),
    (pt.is_floating, Family.FLOAT),
    (pt.is_string, Family.TEXT),
    (pt.is_large_string, Family.TEXT),
    (pt.is_string_view, Family.TEXT),
    (pt.is_binary, Family.BYTES),
    (pt.is_large_binary, Family.BYTES),
    (pt.is_binary_view, Family.BYTES),
    (pt.is_fixed_size_binary, Family.BYTES),
    (pt.is_date, Family.DATE),
    (pt.is_time, Family.TIME),
    (pt.is_duration, Family.SPAN),
    (pt.is_interval, Family.INTERVAL),
    (pt.is_null, Family.NULL),
)
