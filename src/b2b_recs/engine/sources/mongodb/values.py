"""Decoded BSON values as plain ones, which all document sources share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import Any

from b2b_recs.engine.sources.document_values import Moment, Word
from b2b_recs.engine.sources.mongodb.kinds import kind_of

_FLAGS = (("i", 2), ("m", 8), ("s", 16), ("x", 64))


def plain(value: Any) -> Any:
    """A decoded value as a plain one."""
    make = _PLAIN.get(kind_of(value))
    return value if make is None else make(value)


def plain_document(document: dict[str, Any]) -> dict[str, Any]:
    """A decoded document with plain values."""
    return {name: plain(value) for name, value in document.items()}


def _object(value: Any) -> Any:
    return plain_document(value) if isinstance(value, dict) else Word(str(value), "reference")


def _stamp(value: Any) -> Word:
    return Word(f"{value.as_datetime().astimezone(UTC).isoformat()} #{value.inc}", "time stamp")


def _regex(value: Any) -> Word:
    return Word(f"/{value.pattern}/{''.join(letter for letter, bit in _FLAGS if value.flags & bit)}", "pattern")


_PLAIN: dict[str, Callable[[Any], Any]] = {
    "long": int,
    "decimal": lambda value: value.to_decimal(),
    "binData": bytes,
    "uuid": lambda value: Word(str(value.as_uuid()), "UUID"),
    "objectId": lambda value: Word(str(value), "object id"),
    "date": lambda value: Moment(int(value) * 1000),
    "object": _object,
    "array": lambda value: [plain(item) for item in value],
    "timestamp": _stamp,
    "regex": _regex,
    "javascript": lambda value: Word(str(value), "script"),
    "minKey": lambda value: Word("MinKey", "smallest key"),
    "maxKey": lambda value: Word("MaxKey", "largest key"),
}
