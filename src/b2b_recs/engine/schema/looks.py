"""What one text value looks like: a date, a moment, a number, yes or no, JSON."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from enum import StrEnum

from b2b_recs.engine.schema.formats import formats_of
from b2b_recs.engine.schema.json_check import is_json
from b2b_recs.engine.schema.number_formats import is_number_otherwise

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATETIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?")
_MOMENT = re.compile(rf"{_DATETIME.pattern}(Z|[+-][0-9]{{2}}(:?[0-9]{{2}})?)")
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,75}")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,37})(\.[0-9]{1,38}([eE][+-]?[0-9]{1,2})?|[eE][+-][0-9]{1,2})")
BOOL_PAIRS = (
    frozenset({"true", "false"}),
    frozenset({"yes", "no"}),
    frozenset({"t", "f"}),
    frozenset({"y", "n"}),
)
_BOOLS = frozenset().union(*BOOL_PAIRS)


class Look(StrEnum):
    """What values can look like, in the words shown."""

    DATE = "dates written YYYY-MM-DD"
    WALL = "dates with a time and no zone"
    MOMENT = "dates with a time and a zone"
    FORMATTED = "dates"
    WHOLE = "whole numbers"
    DECIMAL = "decimals"
    OTHERWISE = "numbers in another format"
    BOOL = "yes or no words"
    JSON = "JSON objects or lists"
    TEXT = "text"


DATES = frozenset({Look.DATE, Look.WALL, Look.MOMENT, Look.FORMATTED})
NUMBERS = frozenset({Look.WHOLE, Look.DECIMAL})


def look(value: str) -> Look:
    """What the value looks like; whole numbers are never taken for dates here."""
    if value[:1] in ("{", "["):
        return Look.JSON if is_json(value) else Look.TEXT
    if len(value) > 100:
        return Look.TEXT
    for kind, fits in _TESTS:
        if fits(value):
            return kind
    return Look.TEXT


def _is_date(value: str) -> bool:
    return _DATE.fullmatch(value) is not None and _parses(date.fromisoformat, value)


def _is_datetime(value: str) -> bool:
    return _DATETIME.fullmatch(value) is not None and _parses(datetime.fromisoformat, value[:19])


def _is_moment(value: str) -> bool:
    return _MOMENT.fullmatch(value) is not None and _parses(datetime.fromisoformat, value[:19])


def _parses(parse: Callable[[str], object], value: str) -> bool:
    try:
        parse(value)
    except ValueError:
        return False
    return True


def _matches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda value: pattern.fullmatch(value) is not None


_TESTS: tuple[tuple[Look, Callable[[str], bool]], ...] = (
    (Look.WHOLE, _matches(_WHOLE)),
    (Look.DECIMAL, _matches(_DECIMAL)),
    (Look.DATE, _is_date),
    (Look.WALL, _is_datetime),
    (Look.MOMENT, _is_moment),
    (Look.BOOL, lambda value: value.lower() in _BOOLS),
    (Look.FORMATTED, lambda value: bool(formats_of(value))),
    (Look.OTHERWISE, is_number_otherwise),
)
