"""Filters for windows, ranges and places to resume at, as the server's query documents."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.sources.contract import ReadRequest
from b2b_recs.engine.sources.drivers import load_driver
from b2b_recs.engine.sources.field_kinds import kinds_in
from b2b_recs.engine.sources.mongodb.kinds import NUMBERS, comparable

_TIMES = (WarehouseType.TIMESTAMP, WarehouseType.DATETIME, WarehouseType.DATE)
_LONG = 2**63
# In milliseconds since 1970.
_YEAR_10000 = 253_402_300_800_000


def filter_of(request: ReadRequest, kinds: dict[str, str]) -> dict[str, Any]:
    """The filter of a request; ``kinds`` are the source types of the collection's fields by name."""
    conditions = [*_window(request, kinds), *_after(request, kinds)]
    if not conditions:
        return {}
    return conditions[0] if len(conditions) == 1 else {"$and": conditions}


def checked_field(name: str) -> str:
    """A field's name as a query may name it. Raises BadInput for one that would mean a path or an operator."""
    if not name or name.startswith("$") or "." in name or "\x00" in name:
        raise BadInput(
            f"The field {name[:40]!r} cannot be named in a query.",
            advice="Choose another column as cursor or key.",
            field="columns",
        )
    return name


def value_of(text: str, family: list[str], name: str) -> Any:
    """The stored value a cursor text stands for, by the kinds its field is compared as. Raises BadInput."""
    try:
        if family == ["date"]:
            moment = datetime.fromisoformat(text)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        if "int" in family:
            return _number(text)
        if family == ["objectId"]:
            return load_driver("bson.objectid", extra="mongodb", name="MongoDB").ObjectId(text)
    except Exception:
        raise BadInput(
            f"{text[:60]!r} is no value of the field {name}.", advice="Load into a new warehouse table.", field=name
        ) from None
    return text


def text_of(value: Any, kind: str) -> str:
    """A stored value as the text ``value_of`` reads back."""
    if kind == "date":
        return str(value.as_datetime().astimezone(UTC).isoformat(sep=" "))
    if kind == "decimal":
        return format(value.to_decimal(), "f")
    return repr(value) if kind == "double" else str(value)


def _number(text: str) -> Any:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(text) from error
    if number == number.to_integral_value() and -_LONG <= number < _LONG:
        return int(number)
    return load_driver("bson.decimal128", extra="mongodb", name="MongoDB").Decimal128(number)


def family_of(name: str, kinds: dict[str, str], columns: tuple[ColumnMapping, ...] = ()) -> list[str]:
    """The kinds by which a field is compared: by its mapping where that says time, else by what was seen in it."""
    mapping = next((column for column in columns if column.name == name), None)
    if mapping is not None and mapping.warehouse_type in _TIMES and "date" in kinds_in(kinds.get(name, "date")):
        return ["date"]
    return comparable(kinds_in(kinds.get(name, ""))) or ["string"]


def least_beyond(family: list[str]) -> Any:
    """The least value above all that a window can end with: infinity, the year 10000; None where there is none."""
    if family == ["date"]:
        return load_driver("bson.datetime_ms", extra="mongodb", name="MongoDB").DatetimeMS(_YEAR_10000)
    return math.inf if "int" in family else None


def _typed(family: list[str]) -> dict[str, Any]:
    return {"$type": sorted(NUMBERS) if "int" in family else family}


def _window(request: ReadRequest, kinds: dict[str, str]) -> list[dict[str, Any]]:
    window = request.window
    if window is None:
        return []
    name = checked_field(window.cursor)
    family = family_of(name, kinds, request.columns)
    bounds: dict[str, Any] = dict(_typed(family))
    if window.lower is not None:
        bounds["$gte" if window.lower_inclusive else "$gt"] = value_of(window.lower, family, name)
    if window.upper is not None:
        bounds["$lte"] = value_of(window.upper, family, name)
    others: list[dict[str, Any]] = []
    limit = least_beyond(family)
    if window.beyond and limit is not None:
        others.append({name: {**_typed(family), "$gte": limit}})
        if limit == math.inf:
            # NaN is neither above nor below a bound, and what comes below all others lies before every later window.
            others.append({name: {"$in": [math.nan, -math.inf]}})
    if window.include_null:
        # Whatever is not of the cursor's kind has no place in its order: missing, empty, and values of other types.
        others.append({name: {"$not": _typed(family)}})
    if len(bounds) == 1:
        return [] if window.include_null else [{name: bounds}]
    return [{"$or": [{name: bounds}, *others]}] if others else [{name: bounds}]


def _after(request: ReadRequest, kinds: dict[str, str]) -> list[dict[str, Any]]:
    if not request.key_after:
        return []
    if len(request.key_after) != len(request.order_by):
        raise BadInput("The place to resume at does not match the order of the read.", field="key_after")
    names = [checked_field(name) for name in request.order_by]
    values = [
        value_of(text, family_of(name, kinds, request.columns), name)
        for name, text in zip(names, request.key_after, strict=True)
    ]
    beyond = []
    for at, name in enumerate(names):
        same = dict(zip(names[:at], values[:at], strict=True))
        beyond.append({**same, name: {"$gt": values[at]}})
    return [{"$or": beyond}]
