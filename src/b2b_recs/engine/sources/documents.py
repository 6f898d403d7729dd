"""Documents as rows: values of any kind, one by one, as Arrow columns; exact, or refused with the reason.

A source turns what its driver decoded into plain values first: None, bool, int, float, Decimal, str, bytes, list, dict,
``Moment`` and ``Word``. What a field may hold is known only document by document: nothing here goes by the first value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from b2b_recs.engine.schema.number_formats import LEADING_ZERO, LOSES_ZEROS
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.sources.casting import cast_batch
from b2b_recs.engine.sources.contract import Batch, RejectedRow
from b2b_recs.engine.sources.document_values import EPOCH, YEARS, Moment, Word, json_text, printed

_W = WarehouseType
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
_SHOWN = 60
_NAMES = {
    bool: "true or false", int: "a whole number", float: "a fraction", Decimal: "a decimal", str: "text",
    bytes: "bytes", list: "a list", dict: "a document", Moment: "a moment",
}  # fmt: skip


class _Refused(Exception):
    """Why one value cannot be held; its text is the reason."""


def to_batch(
    documents: Sequence[dict[str, Any]], columns: Sequence[ColumnMapping], texts: Sequence[bool], time_zone: str
) -> Batch:
    """Documents of plain values as rows of the warehouse; a field a document does not have is NULL.

    ``texts`` says of each column whether text was seen in it: only then may a text be read as a number or a date.
    Elsewhere it is refused, since it might be a code whose zeros a number would lose.
    """
    arrays: list[pa.Array] = []
    refused: dict[int, tuple[str, str]] = {}
    for column, text_seen in zip(columns, texts, strict=True):
        values = [document.get(column.name) for document in documents]
        array, reasons = _column(values, column, text_seen)
        arrays.append(array)
        for row, reason in reasons.items():
            refused.setdefault(row, (column.name, reason))
    raw = pa.RecordBatch.from_arrays(arrays, names=[column.name for column in columns])
    if refused:
        raw = raw.filter(pa.array([row not in refused for row in range(len(documents))]))
    batch = cast_batch(raw, columns, time_zone)
    batch.rejected.extend(_rejected(documents[row], columns, *why) for row, why in refused.items())
    return batch


def _column(values: list[Any], column: ColumnMapping, text_seen: bool) -> tuple[pa.Array, dict[int, str]]:
    """The values as an Arrow array for the caster, and the rows it cannot have."""
    quick = _quick(values, {type(value) for value in values} - {type(None)}, column.warehouse_type)
    if quick is not None:
        return quick, {}
    convert: Callable[[Any, bool], Any] = _CONVERT.get(column.warehouse_type, _as_text)
    found: list[Any] = []
    reasons: dict[int, str] = {}
    for row, value in enumerate(values):
        try:
            found.append(None if value is None else convert(value, text_seen))
        except _Refused as refused:
            found.append(None)
            shown = printed(value) or ""
            shown = shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…"
            reasons[row] = f"{column.name}: {shown} {refused}"
    return pa.array(found, _CARRIED.get(column.warehouse_type, pa.string())), reasons


def _quick(values: list[Any], kinds: set[type], wanted: WarehouseType) -> pa.Array | None:
    """Values that are all of one kind, without looking at each; None when they are not or need more care."""
    if wanted in (_W.INT64, _W.NUMERIC, _W.BIGNUMERIC) and kinds <= {int}:
        return _whole(values)
    if wanted is _W.FLOAT64 and kinds <= {float}:
        return pa.array(values, pa.float64())
    if wanted is _W.BOOL and kinds <= {bool}:
        return pa.array(values, pa.bool_())
    if wanted is _W.STRING and kinds <= {str}:
        return pa.array(values, pa.string())
    return None


def _whole(values: list[Any]) -> pa.Array | None:
    try:
        return pa.array(values, pa.int64())
    except (OverflowError, pa.ArrowException):
        return None


def _as_text(value: Any, text_seen: bool) -> str | None:
    return printed(value)


def _as_json(value: Any, text_seen: bool) -> str:
    return json_text(value)


def _as_number(value: Any, text_seen: bool) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _Refused("is not a number")
        return format(Decimal(repr(value)), "f")
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise _Refused("is not a number")
        return format(value, "f")
    return _text(value, text_seen, "a number")


def _as_fraction(value: Any, text_seen: bool) -> float:
    if isinstance(value, float):
        return value
    if isinstance(value, Decimal) and not value.is_finite():
        return float(value)
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        number = Decimal(value)
        found = float(number)
        if not math.isfinite(found) or Decimal(repr(found)) != number:
            raise _Refused("has more digits than FLOAT64 keeps")
        return found
    text = _text(value, text_seen, "a number")
    if not _NUMBER.fullmatch(text):
        raise _Refused("is not a number")
    if LEADING_ZERO.match(text):
        raise _Refused(LOSES_ZEROS)
    return float(text)


def _as_bool(value: Any, text_seen: bool) -> str:
    if isinstance(value, bool) or (isinstance(value, int) and value in (0, 1)):
        return "true" if value else "false"
    return _text(value, text_seen, "true or false")


def _as_time(value: Any, text_seen: bool) -> str:
    if isinstance(value, Moment):
        if not YEARS[0] <= value.microseconds <= YEARS[1]:
            raise _Refused("lies outside the years 1 to 9999")
        return (EPOCH + timedelta(microseconds=value.microseconds)).isoformat(sep=" ")
    return _text(value, text_seen, "a date")


def _as_clock(value: Any, text_seen: bool) -> str:
    return _text(value, text_seen, "a time of day")


def _as_bytes(value: Any, text_seen: bool) -> bytes:
    return value if isinstance(value, bytes) else _text(value, text_seen, "bytes").encode()


def _text(value: Any, text_seen: bool, wanted: str) -> str:
    """A text for the caster to read, only in a field that is known to hold text."""
    if isinstance(value, str) and text_seen:
        return value
    name = f"a {value.kind}" if isinstance(value, Word) else _NAMES.get(type(value), "something else")
    raise _Refused(f"is {name}, not {wanted}")


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
