"""Conditions on rows: checked against the column they ask for, as an expression, and in words."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Context, Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import ibis
import pyarrow as pa

from b2b_recs.engine.datasets.columns import as_text
from b2b_recs.engine.datasets.spec import Condition
from b2b_recs.engine.errors import BadInput

Column = Any  # an ibis column expression; the library carries no types

_COMPARISONS: dict[str, Callable[[Column, Any], Any]] = {
    "=": lambda column, value: column == value,
    "!=": lambda column, value: column != value,
    ">": lambda column, value: column > value,
    ">=": lambda column, value: column >= value,
    "<": lambda column, value: column < value,
    "<=": lambda column, value: column <= value,
}
# A whole number beyond 64 bits is compared as floating point, which no integer column can equal anyway.
_BIG, _BIGGEST = Decimal(2) ** 63, 308
_SHOWN = 200  # characters
_VERBS = {"starts": "starts with", "not starts": "does not start with", "not matches": "does not match"}


def in_words(condition: Condition) -> str:
    """The condition as a person would say it, for logs and counts."""
    value = condition.value
    if condition.op in ("known", "unknown"):
        return f"{condition.column} {condition.op}"
    verb = _VERBS.get(condition.op, condition.op)
    shown = ", ".join(str(each) for each in value) if isinstance(value, tuple) else str(value)
    if condition.op == "not matches" and (text := plain_text(shown)) is not None:
        verb, shown = "does not contain", text
    shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
    return f"{condition.column} {verb} {shown}"


def plain_text(pattern: str) -> str | None:
    """The text a pattern looks for when it is that text and nothing else, None for any other pattern."""
    text = re.sub(r"\\(.)", r"\1", pattern, flags=re.DOTALL)
    return text if text and re.escape(text) == pattern else None


def check_condition(kind: pa.DataType, condition: Condition, field: str, zone: ZoneInfo) -> None:
    """Refuse a condition that cannot be asked of a column of that kind. Raises BadInput with ``field``."""
    table = ibis.table(ibis.Schema.from_pyarrow(pa.schema([("column", kind)])), name="asked")
    test_of(table["column"], condition, field, zone)


def test_of(column: Column, condition: Condition, field: str, zone: ZoneInfo) -> Any:
    """The condition as a boolean expression; NULL where the column is unknown, which keeps no row.

    ``zone`` reads a time without a zone that is compared with a column that has one. Raises BadInput with ``field``.
    """
    value, op = condition.value, condition.op
    if column.type().is_floating():
        column = column.isnan().ifelse(None, column)  # engines disagree whether NaN is above every number
    if op in ("known", "unknown"):
        known = column.notnull() & (column != "") if column.type().is_string() else column.notnull()
        return known if op == "known" else ~known
    if op in ("in", "not in"):
        if not isinstance(value, tuple) or not value:
            raise _refused(condition, field, "a list of values")
        values = [_literal(column, condition, each, field, zone) for each in value]
        return column.isin(values) if op == "in" else column.notin(values)
    if op in ("starts", "not starts", "matches", "not matches"):
        return _text_test(as_text(column, condition.column, field), condition, field)
    if isinstance(value, tuple) or value is None:
        raise _refused(condition, field, "one value")
    return _COMPARISONS[op](column, _literal(column, condition, value, field, zone))


def _text_test(text: Column, condition: Condition, field: str) -> Any:
    value = condition.value
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)  # YAML reads an unquoted 85 as a number
    if not isinstance(value, str) or not value:
        raise _refused(condition, field, "a text")
    if condition.op in ("matches", "not matches"):
        try:
            # the very engine that will run it: look-around, for one, is Python's only
            with duckdb.connect(":memory:") as scratch:
                scratch.execute("SELECT regexp_matches('', ?)", [value])
        except duckdb.Error as error:
            reason = str(error).splitlines()[0].rpartition("Error: ")[2]
            raise _refused(condition, field, f"a pattern in RE2 syntax ({reason})") from None
        found = text.re_search(value)
        return found if condition.op == "matches" else ~found
    starts = text.startswith(value)
    return starts if condition.op == "starts" else ~starts


def _literal(column: Column, condition: Condition, value: str | int | float | bool, field: str, zone: ZoneInfo) -> Any:
    """``value`` as the column's own kind, so that nothing is compared as something it is not."""
    kind = column.type()
    if kind.is_boolean():
        known = {"true": True, "false": False}
        found = value if isinstance(value, bool) else known.get(str(value).lower())
        if found is not None:
            return found
    elif isinstance(value, bool):
        pass
    elif kind.is_string():
        return str(value)
    elif kind.is_numeric():
        number = _number(value, kind)
        if number is not None:
            return number
    elif kind.is_date() or kind.is_timestamp():
        moment = _moment(value)
        if moment is not None:
            try:
                return _time_literal(moment, kind, zone)
            except OverflowError:  # the other zone's clock would show a year that does not exist
                raise _refused(condition, field, "a time within the years 1 to 9999 in every zone") from None
    raise _refused(condition, field, f"a value that can be compared with the {_kind_in_words(kind)} {condition.column}")


def _number(value: object, kind: Any) -> Any:
    """The number as a literal of the column's kind where that is exact, else as float64; None when it is no number."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    if not number.is_finite() or number.adjusted() >= _BIGGEST:
        return None
    if kind.is_decimal() and _fits(number, kind):
        # literals go through text: engines would cut a decimal one, and read a floating one as a decimal
        return ibis.literal(f"{number:f}").cast(kind)
    if kind.is_integer() and abs(number) < _BIG and number == number.to_integral_value():
        return int(number)
    return ibis.literal(repr(float(number))).cast("float64")


def _fits(number: Decimal, kind: Any) -> bool:
    scale = kind.scale if kind.scale is not None else 9
    whole = (kind.precision if kind.precision is not None else 38) - scale
    _, digits, exponent = number.normalize(Context(prec=400)).as_tuple()
    return isinstance(exponent, int) and -exponent <= scale and len(digits) + exponent <= whole


def _time_literal(moment: datetime, kind: Any, zone: ZoneInfo) -> Any:
    if kind.is_timestamp() and kind.timezone is not None:
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
        return ibis.literal(f"{moment:%Y-%m-%d %H:%M:%S.%f}+00").cast(kind)
    # a column without a zone shows the wall clock of ``zone``
    moment = moment.astimezone(zone).replace(tzinfo=None) if moment.tzinfo else moment
    return ibis.literal(moment.date() if kind.is_date() and moment == _midnight(moment) else moment)


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _moment(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _kind_in_words(kind: Any) -> str:
    for name, said in (("boolean", "yes/no"), ("numeric", "number"), ("date", "date"), ("timestamp", "time")):
        if getattr(kind, f"is_{name}")():
            return f"{said} column"
    return f"{kind} column"


def _refused(condition: Condition, field: str, wanted: str) -> BadInput:
    given = "nothing" if condition.value is None else repr(condition.value)
    return BadInput(
        f"The condition “{condition.column} {condition.op}” cannot be tested with {given}.",
        field=f"{field}.value",
        advice=f"Give {wanted}.",
    )
