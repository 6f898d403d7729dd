"""Structured queries for windows, orders and places to resume at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.sources.contract import ReadRequest, Window
from b2b_recs.engine.sources.document_values import Moment, Word, printed
from b2b_recs.engine.sources.drivers import load_driver
from b2b_recs.engine.sources.field_kinds import ID, kinds_in
from b2b_recs.engine.sources.firestore.kinds import family

_LONG = 2**63
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# What every value of a family is at or above.
_SMALLEST = {"timestamp": "0001-01-01T00:00:00+00:00", "number": "-Infinity", "string": ""}


class Queries:
    """Queries about one collection; ``kinds`` are its fields' source types by name, ``root`` is where documents are."""

    def __init__(self, table: str, kinds: dict[str, str], root: str) -> None:
        self._types = load_driver("google.cloud.firestore_v1.types", extra="firestore", name="Firestore")
        self._query = self._types.StructuredQuery
        self._table, self._kinds, self._root = table, kinds, root

    def all(self) -> Any:
        """Every document of the collection."""
        return self._query(from_=[self._query.CollectionSelector(collection_id=self._table)])

    def of(self, request: ReadRequest) -> Any:
        """The documents of a request in its order, ended by the documents' ids; without its row limit.

        A window that includes documents without the cursor's field asks for all: they can be asked for in no other way.
        """
        query = self.all()
        if request.window is not None and not request.window.include_null:
            query.where = self._window(request.window)
        names = list(request.order_by)
        if request.window is not None and not request.window.include_null and not names:
            names = [request.window.cursor]
        query.order_by = [self._order(name) for name in dict.fromkeys([*names, ID])]
        if request.key_after:
            query.start_at = self._after(request, names)
        return query

    def largest(self, name: str) -> Any:
        """The document with the largest value of the field."""
        query = self.all()
        if name != ID:
            query.where = self._condition(name, "GREATER_THAN_OR_EQUAL", _SMALLEST[self.family(name)])
        query.order_by = [self._order(name, "DESCENDING")]
        query.limit = 1
        return query

    def family(self, name: str) -> str:
        """By what the field is compared."""
        return family(kinds_in("id" if name == ID else self._kinds.get(name, "")))

    def inside(self, window: Window, value: Any) -> bool:
        """Whether a plain value lies in the window, for documents that were not filtered by the service."""
        kind = self.family(window.cursor)
        mine = _comparable(value, kind)
        if mine is None:
            return window.include_null
        lower, upper = (
            None if text is None else _comparable(parse(text, kind, window.cursor), kind)
            for text in (window.lower, window.upper)
        )
        above = lower is None or mine > lower or (window.lower_inclusive and mine == lower)
        return above and (upper is None or mine <= upper)

    def continued(self, query: Any, document: Any) -> Any:
        """The same query after a document it has given already."""
        values = [
            self._types.Value(reference_value=document.name)
            if order.field.field_path == "__name__"
            else self._types.Value(document.fields[_unquoted(order.field.field_path)])
            for order in query.order_by
        ]
        query.start_at = self._types.Cursor(values=values, before=False)
        return query

    def _window(self, window: Window) -> Any:
        name = window.cursor
        sign = "GREATER_THAN_OR_EQUAL" if window.lower_inclusive or window.lower is None else "GREATER_THAN"
        lower = window.lower if window.lower is not None else _SMALLEST.get(self.family(name))
        conditions = [] if lower is None else [self._condition(name, sign, lower)]
        if window.upper is not None:
            conditions.append(self._condition(name, "LESS_THAN_OR_EQUAL", window.upper))
        if not conditions:
            return None
        if len(conditions) == 1:
            return conditions[0]
        both = self._query.CompositeFilter(op=self._query.CompositeFilter.Operator.AND, filters=conditions)
        return self._query.Filter(composite_filter=both)

    def _condition(self, name: str, operator: str, text: str) -> Any:
        condition = self._query.FieldFilter(
            field=self._field(name),
            op=self._query.FieldFilter.Operator[operator],
            value=self._value(name, text),
        )
        return self._query.Filter(field_filter=condition)

    def _order(self, name: str, direction: str = "ASCENDING") -> Any:
        return self._query.Order(field=self._field(name), direction=self._query.Direction[direction])

    def _after(self, request: ReadRequest, names: list[str]) -> Any:
        if len(request.key_after) != len(request.order_by):
            raise BadInput("The place to resume at does not match the order of the read.", field="key_after")
        values = [self._value(name, text) for name, text in zip(names, request.key_after, strict=True)]
        return self._types.Cursor(values=values, before=False)

    def _field(self, name: str) -> Any:
        path = "__name__" if name == ID else quoted(name)
        return self._query.FieldReference(field_path=path)

    def _value(self, name: str, text: str) -> Any:
        kind = self.family(name)
        found = parse(text, kind, name)
        if kind == "id":
            return self._types.Value(reference_value=f"{self._root}/{self._table}/{text}")
        if isinstance(found, Moment):
            seconds, rest = divmod(found.microseconds, 1_000_000)
            return self._types.Value(timestamp_value={"seconds": seconds, "nanos": rest * 1000})
        if isinstance(found, int):
            return self._types.Value(integer_value=found)
        return (
            self._types.Value(double_value=found) if isinstance(found, float) else self._types.Value(string_value=text)
        )


def parse(text: str, kind: str, name: str) -> Any:
    """The plain value a cursor text stands for. Raises BadInput."""
    try:
        if kind == "timestamp":
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            rest = moment.astimezone(UTC) - _EPOCH
            return Moment((rest.days * 86_400 + rest.seconds) * 1_000_000 + rest.microseconds)
        if kind == "number":
            number = Decimal(text)
            if number.is_finite() and number == number.to_integral_value() and -_LONG <= number < _LONG:
                return int(number)
            return float(number)
    except (ValueError, InvalidOperation):
        raise BadInput(
            f"{text[:60]!r} is no value of the field {name}.", advice="Load into a new warehouse table.", field=name
        ) from None
    return text


def text_of(value: Any) -> str:
    """A plain value as the text ``parse`` reads back."""
    if isinstance(value, Moment):
        return (_EPOCH + timedelta(microseconds=value.microseconds)).isoformat(sep=" ")
    return str(printed(value))


def quoted(name: str) -> str:
    """A field's name as a path of one step. Raises BadInput for a name no field can have."""
    if not name or "\x00" in name:
        raise BadInput(f"{name[:40]!r} cannot name a field.", advice="Choose from the list.", field="columns")
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _unquoted(path: str) -> str:
    return path[1:-1].replace("\\`", "`").replace("\\\\", "\\")


def _comparable(value: Any, kind: str) -> Any:
    """A plain value among those of its family, None for one of another."""
    if kind == "timestamp":
        return value.microseconds if isinstance(value, Moment) else None
    if kind == "number":
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if kind == "id":
        return value.text if isinstance(value, Word) else value
    return value.encode() if isinstance(value, str) else None
