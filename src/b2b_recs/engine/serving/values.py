"""What a body holds at a place, in words short enough for a refusal."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from b2b_recs.engine.quoted import quoted

LONGEST_TEXT = 60
_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def value_at(raw: bytes, place: str) -> str:
    """What stands at a place such as ``exclude[3]``, in the body where none is named; empty when nobody can tell."""
    if "[...]" in place:  # in an object whose keys are anybody's
        return ""
    try:
        found = msgspec.json.decode(raw)
        for number, name in _STEP.findall(place):
            found = found[int(number)] if number else found[name]
    except (msgspec.DecodeError, RecursionError, LookupError, TypeError):
        return ""
    return _words(found)


def _words(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return quoted(value) if 0 < len(value) <= LONGEST_TEXT else f"text of {len(value):,} characters"
    if isinstance(value, list):
        return f"a list of {len(value):,}"
    if isinstance(value, dict):
        return f"an object of {len(value):,}"
    number = str(value)
    return f"the number {number}" if len(number) <= LONGEST_TEXT else f"a number of {len(number):,} digits"
