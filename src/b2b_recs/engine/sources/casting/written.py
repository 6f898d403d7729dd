"""Dates, times, true and false, shapes and JSON that are written in text."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from b2b_recs.engine.schema.formats import TextFormat
from b2b_recs.engine.schema.json_check import is_json
from b2b_recs.engine.sources.casting.clock import DAY, FINER, SECOND, in_years, one_in_years
from b2b_recs.engine.sources.casting.ways import BLANKS, Refused, Unsure, Way, sure, trimmed

_DAY = r"([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])(?:\.([0-9]{1,6}))?"
_ZONE = r"(?:Z|([+-])(0[0-9]|1[0-4])(?::?([0-5][0-9]))?)"
_DATETIME = rf"{_DAY}(?:[ T]{_CLOCK})?"
_TIMESTAMP = rf"{_DAY}[ T]{_CLOCK}{_ZONE}"
# The digits of a second down to the microsecond, and further ones that say something.
_FINER = re.compile(r"(\.[0-9]{6})[0-9]*[1-9][0-9]*")
_TRUE = ("true", "t", "yes", "y", "on", "1")
_FALSE = ("false", "f", "no", "n", "off", "0")
_SHAPE = (
    r"(?i)\s*(?:SRID=4326;\s*)?(?:(?:MULTI)?(?:POINT|LINESTRING|POLYGON)|GEOMETRYCOLLECTION|CIRCULARSTRING|COMPOUNDCURVE"
    r"|CURVEPOLYGON|FULLGLOBE|(?:MULTI)?(?:CURVE|SURFACE)|POLYHEDRALSURFACE|TIN|TRIANGLE)\s*(?:ZM|Z|M)?\s*"
    r"(?:EMPTY|\([0-9A-Z+\-., \n\r\t()]*\))?\s*"
)


def text_to_date(form: TextFormat | None) -> Way:
    """Dates written YYYY-MM-DD, or in the format."""
    if form is not None:
        return _formatted(form, pa.date32())
    return Way(
        lambda values: pc.cast(_written(values, _DAY), pa.date32()),
        lambda text: _day(_parts(text, _DAY, "is not a date written YYYY-MM-DD")),
    )


def text_to_wall(form: TextFormat | None) -> Way:
    """Dates with or without a time, and without a zone; or in the format."""
    if form is not None:
        return _formatted(form, pa.timestamp("us"))
    return Way(
        lambda values: pc.cast(_written(values, _DATETIME), pa.timestamp("us")),
        lambda text: _wall(_timed(text, _DATETIME, "is not a date with a time and no zone")),
    )


def text_to_moment() -> Way:
    """Dates with a time and a zone."""

    def whole(values: pa.Array) -> pa.Array:
        moments = pc.cast(_written(values, _TIMESTAMP), pa.timestamp("us", "UTC"))
        in_years(moments.view(pa.int64()))
        return moments

    def one(text: str) -> int:
        parts = _timed(text, _TIMESTAMP, "is not a date with a time and a zone")
        sign, hours, minutes = parts[7:10]
        offset = (int(hours or 0) * 3_600 + int(minutes or 0) * 60) * SECOND
        return one_in_years(_wall(parts) - (-offset if sign == "-" else offset))

    return Way(whole, one)


def text_to_time() -> Way:
    """Times of day as ``HH:MM:SS.ffffff``."""

    def whole(values: pa.Array) -> pa.Array:
        text = trimmed(values, _CLOCK)
        # Arrow reads a time of day only beside a date.
        moment = pc.cast(pc.binary_join_element_wise("1970-01-01", text, " "), pa.timestamp("us"))
        return pc.cast(pc.cast(moment, pa.time64("us")), pa.string())

    def one(text: str) -> str:
        parts = _timed(text, _CLOCK, "is not a time written HH:MM:SS")
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


def _timed(text: str, pattern: str, why: str) -> tuple[str | None, ...]:
    """The parts of a text with a time of day. Raises Refused, with a reason of its own for one that is too fine."""
    shorter = _FINER.sub(r"\1", text, count=1)
    if shorter != text and re.fullmatch(pattern, shorter.strip(BLANKS)):
        raise Refused(FINER)
    return _parts(text, pattern, why)


def _formatted(form: TextFormat, target: pa.DataType) -> Way:
    """Dates in a format: its parts put together as ISO 8601."""

    def whole(values: pa.Array) -> pa.Array:
        text = pc.utf8_trim(values, BLANKS)
        parts = pc.extract_regex(text, f"^(?:{form.pattern})$")
        sure(pc.equal(parts.null_count, text.null_count))
        named = dict(zip([field.name for field in parts.type], parts.flatten(), strict=True))
        iso = _together(named)
        sure(pc.invert(pc.any(pc.starts_with(iso, "0000"))))
        return pc.cast(iso, target)

    def one(text: str) -> int:
        found = re.fullmatch(form.pattern, text.strip(BLANKS))
        if found is None or found["Y"] == "0000":
            raise Refused(f"is not a date written {form.shown}")
        named = found.groupdict()
        hours = named.get("H") or _hour(int(named.get("I") or 0), named.get("p"))
        day = (named["Y"], named["m"], named["d"])
        if pa.types.is_date(target):
            return _day(day)
        return _wall((*day, hours, named.get("M"), named.get("S"), named.get("f")))

    return Way(whole, one)


def _together(named: dict[str, pa.Array]) -> pa.Array:
    """Year, month, day and whatever there is of a time as ISO 8601."""

    def two(part: pa.Array) -> pa.Array:
        return pc.utf8_lpad(part, 2, "0")

    iso = pc.binary_join_element_wise(named["Y"], two(named["m"]), two(named["d"]), "-")
    if "M" not in named:
        return iso
    hours = named.get("H")
    if hours is None:
        past_noon = pc.equal(pc.utf8_lower(named["p"]), "pm")
        twelve = pc.equal(pc.cast(named["I"], pa.int64()), 12)
        hour = pc.if_else(twelve, 0, pc.cast(named["I"], pa.int64()))
        hours = pc.cast(pc.add(hour, pc.if_else(past_noon, 12, 0)), pa.string())
    seconds = named.get("S", "00")
    iso = pc.binary_join_element_wise(iso, two(hours), " ")
    iso = pc.binary_join_element_wise(iso, named["M"], seconds, ":")
    return pc.binary_join_element_wise(iso, named["f"], ".") if "f" in named else iso


def _hour(hour: int, half: str | None) -> int:
    """The hour of the day of one of the clock's twelve; 0 where the text has no time."""
    return hour % 12 + (12 if (half or "").lower() == "pm" else 0)


def _all(test: Callable[[str], bool]) -> Callable[[pa.Array], pa.Array]:
    def whole(values: pa.Array) -> pa.Array:
        if not all(value is None or test(value) for value in values.to_pylist()):
            raise Unsure
        return values

    return whole


def _written(values: pa.Array, pattern: str) -> pa.Array:
    """The trimmed text, when every value has the pattern and a year that exists; else raises Unsure."""
    text = trimmed(values, pattern)
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
