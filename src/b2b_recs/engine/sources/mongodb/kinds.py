"""What a stored value is, in the server's own words, and the warehouse type proposed for each kind."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from b2b_recs.engine.schema.types import Confidence, WarehouseType
from b2b_recs.engine.sources.drivers import load_driver
from b2b_recs.engine.sources.field_kinds import MIXED_NUMBERS, FieldKinds
from b2b_recs.engine.sources.proposing import TypeRule

_W = WarehouseType
_MEDIUM, _LOW = Confidence.MEDIUM, Confidence.LOW
NULLS = frozenset({"null", "undefined"})
WHOLE = frozenset({"int", "long"})
BINARY_NUMBERS = WHOLE | {"double"}
NUMBERS = BINARY_NUMBERS | {"decimal"}
TEXTS = frozenset({"string", "symbol"})

_YEARS = "dates outside the years 1 to 9999"
_UNHELD = "NaN, infinity, and values with more digits than the column holds"

RULES: dict[str, TypeRule] = {
    "double": TypeRule(_W.FLOAT64, "Binary fractions of 64 bits."),
    "string": TypeRule(_W.STRING, "Text stays text.", family="text"),
    "object": TypeRule(_W.JSON, "A document inside the document becomes JSON.", _MEDIUM),
    "array": TypeRule(_W.JSON, "A list becomes a JSON array.", _MEDIUM),
    "binData": TypeRule(_W.BYTES, "Bytes."),
    "uuid": TypeRule(_W.STRING, "Kept as its text."),
    "objectId": TypeRule(_W.STRING, "An object id, kept as its 24 hexadecimal digits."),
    "bool": TypeRule(_W.BOOL, "True or false."),
    "date": TypeRule(
        _W.TIMESTAMP, "Moments in time, to the millisecond.", rejected="dates outside the years 1 to 9999"
    ),
    "int": TypeRule(_W.INT64, "Whole numbers of 32 bits."),
    "long": TypeRule(_W.INT64, "Whole numbers of 64 bits."),
    "decimal": TypeRule(_W.NUMERIC, "Exact decimals.", family="decimal", rejected=_UNHELD),
    "regex": TypeRule(_W.STRING, "A pattern, kept as its text.", _MEDIUM),
    "javascript": TypeRule(_W.STRING, "A script, kept as its text.", _MEDIUM),
    "javascriptWithScope": TypeRule(_W.STRING, "A script with its scope, kept as JSON text.", _MEDIUM),
    "timestamp": TypeRule(_W.STRING, "The server's own time stamp: seconds and a counter, kept as text.", _MEDIUM),
    "symbol": TypeRule(_W.STRING, "Text stays text.", family="text"),
    "dbPointer": TypeRule(_W.STRING, "A reference, kept as JSON text.", _MEDIUM),
    "minKey": TypeRule(_W.STRING, "The smallest key, kept as a word.", _LOW),
    "maxKey": TypeRule(_W.STRING, "The largest key, kept as a word.", _LOW),
}
FIELDS = FieldKinds(
    RULES,
    mixtures=(
        (WHOLE, RULES["long"]),
        (BINARY_NUMBERS, MIXED_NUMBERS),
        (
            NUMBERS,
            TypeRule(_W.NUMERIC, "Numbers of several types, read as exact decimals.", _MEDIUM, family="decimal"),
        ),
        (TEXTS, RULES["string"]),
    ),
    moment="date",
    identity="objectId",
    nulls=NULLS,
)


def kind_of(value: Any) -> str:
    """The kind of a decoded value, named as the server's ``$type`` names it; binary of subtype 4 is ``uuid``."""
    found = _kinds().get(type(value))
    if found == "binData" and getattr(value, "subtype", 0) == 4:
        return "uuid"
    return found or "object"


def comparable(kinds: Iterable[str]) -> list[str]:
    """The kinds the server compares with one another that are most of ``kinds``: what a cursor goes by."""
    for family in (frozenset({"date"}), NUMBERS, TEXTS, frozenset({"objectId"})):
        found = [kind for kind in kinds if kind in family]
        if found:
            return sorted(NUMBERS) if family is NUMBERS else sorted(family)
    return []


_KINDS: dict[type, str] = {}


def _kinds() -> dict[type, str]:
    if not _KINDS:
        bson = {
            name: load_driver(f"bson.{name}", extra="mongodb", name="MongoDB")
            for name in (
                "binary", "code", "datetime_ms", "dbref", "decimal128", "int64", "max_key", "min_key", "objectid",
                "regex", "timestamp",
            )
        }  # fmt: skip
        _KINDS.update(
            {
                type(None): "null", str: "string", bytes: "binData", bool: "bool", int: "int", float: "double",
                dict: "object", list: "array", bson["int64"].Int64: "long", bson["objectid"].ObjectId: "objectId",
                bson["datetime_ms"].DatetimeMS: "date", bson["decimal128"].Decimal128: "decimal",
                bson["binary"].Binary: "binData", bson["regex"].Regex: "regex", bson["code"].Code: "javascript",
                bson["timestamp"].Timestamp: "timestamp", bson["min_key"].MinKey: "minKey",
                bson["max_key"].MaxKey: "maxKey", bson["dbref"].DBRef: "object",
            }
        )  # fmt: skip
    return _KINDS
