"""Plain values of documents, whatever database they come from, and how each is printed."""

from __future__ import annotations

import base64
import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Microseconds of the years 1 to 9999.
YEARS = (-62_135_596_800_000_000, 253_402_300_799_999_999)


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment as microseconds since 1970 in UTC; it may lie outside the years that a calendar here has."""

    microseconds: int


@dataclass(frozen=True, slots=True)
class Word:
    """A value kept as its text, such as an id; ``kind`` is what it is, for words like "is an object id"."""

    text: str
    kind: str


def printed(value: Any) -> str | None:
    """A plain value as text; None for None."""
    if value is None:
        return None
    if isinstance(value, str):
        return value
    text = json_text(value)
    return str(json.loads(text)) if text.startswith('"') else text


def json_text(value: Any) -> str:
    """A plain value as JSON with every digit of its numbers; what JSON has not becomes text."""
    if isinstance(value, dict):
        pairs = (f"{json.dumps(str(key), ensure_ascii=False)}: {json_text(item)}" for key, item in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(json_text(item) for item in value) + "]"
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else f'"{value}"'
    if isinstance(value, Decimal):
        return format(value, "f") if value.is_finite() else f'"{value}"'
    if isinstance(value, bytes):
        return json.dumps(base64.b64encode(value).decode())
    if isinstance(value, Moment):
        return json.dumps(_moment_text(value, "T").replace("+00:00", "Z"))
    if isinstance(value, Word):
        return json.dumps(value.text, ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False)


def _moment_text(value: Moment, between: str) -> str:
    if not YEARS[0] <= value.microseconds <= YEARS[1]:
        return f"{value.microseconds} microseconds after 1970"
    moment = EPOCH + timedelta(microseconds=value.microseconds)
    digits = "milliseconds" if value.microseconds % 1000 == 0 else "microseconds"
    return moment.isoformat(sep=between, timespec=digits)
