"""Dates, times, true and false, shapes and JSON that are written in text."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from b2b_recs.engine.sources.casting.clock import DAY, SECOND, in_years, one_in_years
from b2b_recs.engine.sources.casting.json_text import is_json
from b2b_recs.engine.sources.casting.numbers import BLANKS
from b2b_recs.engine.sources.casting.ways import Refused, Unsure, Way, match, sure

_DAY = r"([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])(?:\.([0-9]{1,6}))?"
_ZONE = r"(?:Z|([+-])(0[0-9]|1[0-4])(?::?([0-5][0-9]))?)"
_DATETIME = rf"{_DAY}(?:[ T]{_CLOCK})?"
_TIMESTAMP = rf"{_DAY}[ T]{_CLOCK}{_ZONE}"
_TRUE = ("true", "t", "yes", "y", "on", "1")
_FALSE = ("false", "f", "no", "n", "off", "0")
_SHAPE = (
    r"(?i)\s*(?:SRID=4326;\s*)?(?:(?:MULTI)?(?:POINT|LINESTRING|POLYGON)|GEOMETRYCOLLECTION|CIRCULARSTRING|COMPOUNDCURVE"
    r"|CURVEPOLYGON|FULLGLOBE|(?:MULTI)?(?:CURVE|SURFACE)|POLYHEDRALSURFACE|TIN|TRIANGLE)\s*(?:ZM|Z|M)?\s*"
    r"(?:EMPTY|\([0-9A-Z+\-., \n\r\t()]*\))?\s*"
)


def text_to_date() -> Way:
    """Dates written YYYY-MM-DD."""
    return Way(
        lambda values: pc.cast(_written(values, _DAY), pa.date32()),
        lambda text: _day(_parts(text, _DAY, "is not a date written YYYY-MM-DD")),
    )


def text_to_wall() -> Way:
    """Dates with or without a time, and without a zone."""
    return Way(
        lambda values: pc.cast(_written(values, _DATETIME), pa.timestamp("us")),
        lambda text: _wall(_parts(text, _DATETIME, "is not a date with a time and no zone")),
    )


def text_to_moment() -> Way:
    """Dates with a time and a zone."""

    def whole(values: pa.Array) -> pa.Array:
        moments = pc.cast(_written(values, _TIMESTAMP), pa.timestamp("us", "UTC"))
        in_years(moments.view(pa.int64()))
        return moments

    def one(text: str) -> int:
        parts = _parts(text, _TIMESTAMP, "is not a date with a time and a zone")
        sign, hours, minutes = parts[7:10]
        offset = (int(hours or 0) * 3_600 + int(minutes or 0) * 60) * SECOND
        return one_in_years(_wall(parts) - (-offset if sign == "-" else offset))

    return Way(whole, one)


def text_to_time() -> Way:
    """Times of day as ``HH:MM:SS.ffffff``."""

    def whole(values: pa.Array) -> pa.Array:
        text = pc.utf8_trim(values, BLANKS)
        match(text, _CLOCK)
        return pc.cast(pc.cast(text, pa.time64("us")), pa.string())

    def one(text: str) -> str:
        parts = _parts(text, _CLOCK, "is not a time written HH:MM:SS")
        return f"{parts[0]}:{parts[1]}:{parts[2]}.{parts[3] or '':0<6}"

    return Way(whole, one)


def text_to_bool() -> Way:
    """Words for true and false."""

    def whole(values: pa.Array) -> pa.Array:
        text = pc.utf8_lower(pc.utf8_trim(values, BLANKS))
        true = pc.is_in(text, pa.array(_TRUE))
        sure(pc.all(pc.or_(true, pc.is_in(text, pa.array([*_FALSE, None], pa.string())))))
        return pc.if_else(values.is_valid(), true, None)

    def one(text: str) -> bool:
        word = text.strip(BLANKS).lower()
        if word not in (*_TRUE, *_FALSE):
            raise Refused("is neither true nor false")
        return word in _TRUE

    return Way(whole, one)


def text_to_bytes() -> Way:
    """The bytes of text in UTF-8."""
    return Way(lambda values: pc.cast(values, pa.binary()), str.encode)


def text_to_json() -> Way:
    """JSON, character by character."""

    def one(text: str) -> str:
        if not is_json(text):
            raise Refused("is not JSON")
        return text

    return Way(_all(is_json), one)


def text_to_shape() -> Way:
    """Shapes as well-known text, character by character."""
    shape = re.compile(_SHAPE)

    def is_shape(text: str) -> bool:
        return shape.fullmatch(text) is not None and text.count("(") == text.count(")")

    def one(text: str) -> str:
        if not is_shape(text):
            raise Refused("is not a shape in well-known text")
        return text

    return Way(_all(is_shape), one)


def _all(test: Callable[[str], bool]) -> Callable[[pa.Array], pa.Array]:
    def whole(values: pa.Array) -> pa.Array:
        if not all(value is None or test(value) for value in values.to_pylist()):
            raise Unsure
        return values

    return whole


def _written(values: pa.Array, pattern: str) -> pa.Array:
    """The trimmed text, when every value has the pattern and a year that exists; else raises Unsure."""
    text = pc.utf8_trim(values, BLANKS)
    match(text, pattern)
    sure(pc.invert(pc.any(pc.starts_with(text, "0000"))))
    return text


def _parts(text: str, pattern: str, reason: str) -> tuple[Any, ...]:
    found = re.fullmatch(pattern, text.strip(BLANKS))
    if found is None or found[1] == "0000":
        raise Refused(reason)
    return found.groups()


def _day(parts: tuple[Any, ...]) -> int:
    try:
        return (date(int(parts[0]), int(parts[1]), int(parts[2])) - date(1970, 1, 1)).days
    except ValueError:
        raise Refused("names a day its month does not have") from None


def _wall(parts: tuple[Any, ...]) -> int:
    hours, minutes, seconds, fraction = parts[3:7]
    clock = int(hours or 0) * 3_600 + int(minutes or 0) * 60 + int(seconds or 0)
    return _day(parts) * DAY + clock * SECOND + int(f"{fraction or '':0<6}")
