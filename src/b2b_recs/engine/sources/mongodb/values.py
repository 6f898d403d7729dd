"""Decoded values as Arrow columns: exactly, and each refused value with its reason."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.sources.casting import cast_batch
from b2b_recs.engine.sources.contract import Batch, RejectedRow
from b2b_recs.engine.sources.mongodb.kinds import NULLS, TEXTS, WHOLE, kind_of, kinds_in

_W = WarehouseType
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEARS = (-62_135_596_800_000, 253_402_300_799_999)  # milliseconds of the years 1 to 9999
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
_SHOWN = 60


class _Refused(Exception):
    """Why one value cannot be held; its text is the reason."""


def to_batch(documents: Sequence[dict[str, Any]], columns: Sequence[ColumnMapping], time_zone: str) -> Batch:
    """Documents as rows of the warehouse; a field a document does not have is NULL."""
    arrays, refused = [], dict[int, tuple[str, str]]()
    for column in columns:
        values = [document.get(column.name) for document in documents]
        array, reasons = _column(values, column)
        arrays.append(array)
        for row, reason in reasons.items():
            refused.setdefault(row, (column.name, reason))
    raw = pa.RecordBatch.from_arrays(arrays, names=[column.name for column in columns])
    if refused:
        raw = raw.filter(pa.array([row not in refused for row in range(len(documents))]))
    batch = cast_batch(raw, columns, time_zone)
    batch.rejected.extend(_rejected(documents[row], columns, *why) for row, why in refused.items())
    return batch


def printed(value: Any) -> str | None:
    """A value as text; None for a missing or empty one."""
    kind = kind_of(value)
    if kind in NULLS:
        return None
    if kind in ("string", "objectId", "uuid", "decimal"):
        return str(value.as_uuid()) if kind == "uuid" else str(value)
    if kind in WHOLE:
        return str(int(value))
    text = json_text(value)
    return json.loads(text) if text.startswith('"') else text


def json_text(value: Any) -> str:
    """A value as JSON with every digit of its numbers; what JSON has not becomes text."""
    kind = kind_of(value)
    write = _JSON.get(kind)
    if write is not None:
        return write(value)
    if kind == "object" and isinstance(value, dict):
        return (
            "{"
            + ", ".join(f"{json.dumps(key, ensure_ascii=False)}: {json_text(item)}" for key, item in value.items())
            + "}"
        )
    if kind == "array":
        return "[" + ", ".join(json_text(item) for item in value) + "]"
    return json.dumps(str(value), ensure_ascii=False)


def _decimal_json(value: Any) -> str:
    number = value.to_decimal()
    return format(number, "f") if number.is_finite() else f'"{number}"'


def _double_json(value: float) -> str:
    return repr(value) if math.isfinite(value) else f'"{value}"'


def _date_json(value: Any) -> str:
    milliseconds = int(value)
    if not _YEARS[0] <= milliseconds <= _YEARS[1]:
        return json.dumps(f"{milliseconds} ms after 1970")
    return json.dumps(_moment(milliseconds).isoformat(timespec="milliseconds").replace("+00:00", "Z"))


def _stamp_json(value: Any) -> str:
    return json.dumps(f"{value.as_datetime().isoformat()} #{value.inc}")


def _regex_json(value: Any) -> str:
    flags = "".join(letter for letter, bit in (("i", 2), ("m", 8), ("s", 16), ("x", 64)) if value.flags & bit)
    return json.dumps(f"/{value.pattern}/{flags}", ensure_ascii=False)


_JSON: dict[str, Callable[[Any], str]] = {
    "null": lambda value: "null",
    "bool": lambda value: "true" if value else "false",
    "int": lambda value: str(int(value)),
    "long": lambda value: str(int(value)),
    "double": _double_json,
    "decimal": _decimal_json,
    "string": lambda value: json.dumps(value, ensure_ascii=False),
    "objectId": lambda value: json.dumps(str(value)),
    "uuid": lambda value: json.dumps(str(value.as_uuid())),
    "date": _date_json,
    "timestamp": _stamp_json,
    "regex": _regex_json,
    "binData": lambda value: json.dumps(base64.b64encode(value).decode()),
    "minKey": lambda value: '"MinKey"',
    "maxKey": lambda value: '"MaxKey"',
}


def _moment(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)


def _column(values: list[Any], column: ColumnMapping) -> tuple[pa.Array, dict[int, str]]:
    """The values as an Arrow array for the caster, and the rows it cannot have."""
    kinds = {kind_of(value) for value in values} - NULLS
    quick = _quick(values, kinds, column.warehouse_type)
    if quick is not None:
        return quick, {}
    convert: Callable[[Any, bool], Any] = _CONVERT.get(column.warehouse_type, _as_text)
    texts_allowed = bool(kinds_in(column.source_type) & TEXTS)
    found: list[Any] = []
    reasons: dict[int, str] = {}
    for row, value in enumerate(values):
        try:
            found.append(None if kind_of(value) in NULLS else convert(value, texts_allowed))
        except _Refused as refused:
            found.append(None)
            shown = printed(value) or ""
            shown = shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…"
            reasons[row] = f"{column.name}: {shown} {refused}"
    return pa.array(found, _CARRIED.get(column.warehouse_type, pa.string())), reasons


def _quick(values: list[Any], kinds: set[str], wanted: WarehouseType) -> pa.Array | None:
    """Values that are all of one kind, without looking at each; None when they are not or need more care."""
    if wanted in (_W.INT64, _W.NUMERIC, _W.BIGNUMERIC) and kinds <= WHOLE:
        return pa.array(values, pa.int64())
    if wanted is _W.FLOAT64 and kinds <= {"double"}:
        return pa.array(values, pa.float64())
    if wanted is _W.BOOL and kinds <= {"bool"}:
        return pa.array(values, pa.bool_())
    if wanted is _W.STRING and kinds <= {"string"}:
        return pa.array(values, pa.string())
    if wanted in (_W.TIMESTAMP, _W.DATETIME, _W.DATE) and kinds <= {"date"}:
        milliseconds = [None if value is None else int(value) for value in values]
        return pa.array(milliseconds, pa.int64()).cast(pa.timestamp("ms", "UTC"))
    return None


def _as_text(value: Any, texts_allowed: bool) -> str | None:
    return printed(value)


def _as_json(value: Any, texts_allowed: bool) -> str:
    return json_text(value)


def _as_number(value: Any, texts_allowed: bool) -> str:
    kind = kind_of(value)
    if kind in WHOLE:
        return str(int(value))
    if kind == "double":
        if not math.isfinite(value):
            raise _Refused("is not a number")
        return format(Decimal(repr(value)), "f")
    if kind == "decimal":
        number = value.to_decimal()
        if not number.is_finite():
            raise _Refused("is not a number")
        return format(number, "f")
    return _text(value, kind, texts_allowed, "a number")


def _as_fraction(value: Any, texts_allowed: bool) -> float:
    kind = kind_of(value)
    if kind == "double":
        return float(value)
    if kind in WHOLE:
        number = Decimal(int(value))
    elif kind == "decimal":
        number = value.to_decimal()
        if not number.is_finite():
            return float(number)
    else:
        text = _text(value, kind, texts_allowed, "a number")
        if not _NUMBER.fullmatch(text):
            raise _Refused("is not a number")
        return float(text)
    found = float(number)
    if not math.isfinite(found) or Decimal(repr(found)) != number:
        raise _Refused("has more digits than FLOAT64 keeps")
    return found


def _as_bool(value: Any, texts_allowed: bool) -> str:
    kind = kind_of(value)
    if kind == "bool":
        return "true" if value else "false"
    if kind in WHOLE and int(value) in (0, 1):
        return "true" if value else "false"
    return _text(value, kind, texts_allowed, "true or false")


def _as_time(value: Any, texts_allowed: bool) -> str:
    kind = kind_of(value)
    if kind == "date":
        milliseconds = int(value)
        if not _YEARS[0] <= milliseconds <= _YEARS[1]:
            raise _Refused("lies outside the years 1 to 9999")
        return _moment(milliseconds).isoformat(sep=" ")
    if kind == "timestamp":
        return str(value.as_datetime().astimezone(UTC).isoformat(sep=" "))
    return _text(value, kind, texts_allowed, "a date")


def _as_clock(value: Any, texts_allowed: bool) -> str:
    return _text(value, kind_of(value), texts_allowed, "a time of day")


def _as_bytes(value: Any, texts_allowed: bool) -> bytes:
    kind = kind_of(value)
    if kind in ("binData", "uuid"):
        return bytes(value)
    return _text(value, kind, texts_allowed, "bytes").encode()


def _text(value: Any, kind: str, allowed: bool, wanted: str) -> str:
    """A text for the caster to read, only in a field that is known to hold text."""
    if kind in TEXTS and allowed:
        return str(value)
    raise _Refused(f"is of type {kind}, not {wanted}")


_CONVERT: dict[WarehouseType, Callable[[Any, bool], Any]] = {
    _W.JSON: _as_json,
    _W.INT64: _as_number,
    _W.NUMERIC: _as_number,
    _W.BIGNUMERIC: _as_number,
    _W.FLOAT64: _as_fraction,
    _W.BOOL: _as_bool,
    _W.DATE: _as_time,
    _W.DATETIME: _as_time,
    _W.TIMESTAMP: _as_time,
    _W.TIME: _as_clock,
    _W.BYTES: _as_bytes,
}
_CARRIED: dict[WarehouseType, pa.DataType] = {_W.FLOAT64: pa.float64(), _W.BYTES: pa.binary()}


def _rejected(document: dict[str, Any], columns: Sequence[ColumnMapping], name: str, reason: str) -> RejectedRow:
    return RejectedRow({column.name: printed(document.get(column.name)) for column in columns}, name, reason)
