"""How the values of one column are taken over: all at once where nothing is at fault, else row by row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

BLANKS = " \t\r\n"
# Rows that are looked at one by one when any of them may be at fault.
_BLOCK = 1024


class Refused(Exception):
    """A value that cannot become the wanted type, with the reason in words."""


class Unsure(Exception):
    """Some value of the array has to be looked at by itself."""


def _as_python(values: pa.Array) -> list[Any]:
    return values.to_pylist()  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Way:
    """Two ways to the same result.

    ``whole`` casts an array, or raises Unsure or ArrowInvalid when any value may be at fault. ``one`` casts one value,
    as ``values`` lists them, or raises Refused. NULL never reaches ``one``.
    """

    whole: Callable[[pa.Array], pa.Array]
    one: Callable[[Any], Any]
    values: Callable[[pa.Array], list[Any]] = _as_python


def follow(way: Way, values: pa.Array, target: pa.DataType) -> tuple[pa.Array, dict[int, str]]:
    """The values in the target type, NULL where refused, and the reason of each row that is."""
    parts: list[pa.Array] = []
    reasons: dict[int, str] = {}
    _follow(way, values, target, 0, parts, reasons)
    return (parts[0] if len(parts) == 1 else pa.concat_arrays(parts)), reasons


def _follow(
    way: Way, values: pa.Array, target: pa.DataType, start: int, parts: list[pa.Array], reasons: dict[int, str]
) -> None:
    try:
        parts.append(way.whole(values))
    except (Unsure, pa.ArrowInvalid):
        if len(values) > _BLOCK:
            middle = len(values) // 2
            _follow(way, values.slice(0, middle), target, start, parts, reasons)
            _follow(way, values.slice(middle), target, start + middle, parts, reasons)
            return
        parts.append(pa.array(_one_by_one(way, values, start, reasons), target))


def _one_by_one(way: Way, values: pa.Array, start: int, reasons: dict[int, str]) -> list[Any]:
    taken: list[Any] = []
    for at, value in enumerate(way.values(values), start):
        try:
            taken.append(None if value is None else way.one(value))
        except Refused as refusal:
            reasons[at] = str(refusal)
            taken.append(None)
    return taken


def slowly(values: pa.Array) -> pa.Array:
    """For values that are always looked at one by one."""
    raise Unsure


def same(values: pa.Array) -> pa.Array:
    """The values as they are."""
    return values


def sure(test: pa.Scalar) -> None:
    """Raises Unsure unless the test is true, or no value was tested."""
    if test.as_py() is False:
        raise Unsure


def match(text: pa.Array, pattern: str) -> None:
    """Raises Unsure unless every text matches the pattern as a whole."""
    sure(pc.all(pc.match_substring_regex(text, f"^(?:{pattern})$")))


def trimmed(values: pa.Array, pattern: str) -> pa.Array:
    """The texts without blanks around them, when every one matches the pattern as a whole; else raises Unsure."""
    try:
        match(values, pattern)
    except Unsure:
        # Few texts have blanks around them, and to look for them costs as much as the match.
        values = pc.utf8_trim(values, BLANKS)
        match(values, pattern)
    return values


def between(values: pa.Array, low: int | float, high: int | float) -> None:
    """Raises Unsure unless every value lies between the two, both included."""
    found = pc.min_max(values).as_py()
    if found["min"] is not None and not (low <= found["min"] and found["max"] <= high):
        raise Unsure
