"""Whether text is JSON."""

from __future__ import annotations

import json
from typing import Any

import msgspec


def is_json(text: str) -> bool:
    """Whether the text is JSON as RFC 8259 has it, half surrogates written as escapes included."""
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except RecursionError:
        return False
    except msgspec.DecodeError:
        return _has_half_surrogates(text)
    return True


def _has_half_surrogates(text: str) -> bool:
    """Whether the text is JSON that only the standard library takes."""

    def refuse(word: str) -> Any:
        raise ValueError(word)

    try:
        json.loads(text, parse_constant=refuse, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return False
    return True
