"""PostgreSQL's types and the warehouse type proposed for each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from b2b_recs.engine.schema.types import Confidence, WarehouseType
from b2b_recs.engine.sources.contract import ColumnInfo


class Kind(StrEnum):
    """Families of types that are read and converted in the same way."""

    INTEGER = "integer"
    UNSIGNED = "unsigned"
    WIDE_UNSIGNED = "wide unsigned"
    NUMERIC = "numeric"
    MONEY = "money"
    FLOAT = "float"
    BOOL = "bool"
    TEXT = "text"
    PADDED = "padded"
    BYTES = "bytes"
    DATE = "date"
    TIMESTAMP = "timestamp"
    TIMESTAMPTZ = "timestamptz"
    TIME = "time"
    JSON = "json"
    STRUCTURE = "structure"
    GEOGRAPHY = "geography"
    PRINTED = "printed"
    SHOWN = "shown"


@dataclass(frozen=True, slots=True)
class Rule:
    """How one type is read: its family, the proposed warehouse type, the reason, and what to be warned of."""

    kind: Kind
    warehouse: WarehouseType
    reason: str
    refused: str = ""
    confidence: Confidence = Confidence.HIGH
    warning: str = ""


# The first release that tells text that is JSON from other text.
TELLS_JSON = 160000
_YEARS = "infinity, and dates outside the years 1 to 9999"
_W = WarehouseType
_MEDIUM, _LOW = Confidence.MEDIUM, Confidence.LOW


def _whole(reason: str) -> Rule:
    return Rule(Kind.INTEGER, _W.INT64, reason)


def _printed(reason: str, confidence: Confidence = Confidence.HIGH) -> Rule:
    return Rule(Kind.PRINTED, _W.STRING, reason, confidence=confidence)


_TEXT = Rule(Kind.TEXT, _W.STRING, "Text stays text.")
_SHAPE = "A shape on a plane, kept as the server prints it."
_SEARCH = "A search type, kept as the server prints it."
_SYSTEM = "A system type, kept as the server prints it."

RULES: dict[str, Rule] = {
    "int2": _whole("Whole numbers of 16 bits."),
    "int4": _whole("Whole numbers of 32 bits."),
    "int8": _whole("Whole numbers of 64 bits."),
    "oid": Rule(Kind.UNSIGNED, _W.INT64, "Whole numbers of 32 bits without a sign."),
    "xid": Rule(Kind.UNSIGNED, _W.INT64, "Whole numbers of 32 bits without a sign."),
    "cid": Rule(Kind.UNSIGNED, _W.INT64, "Whole numbers of 32 bits without a sign."),
    "xid8": Rule(Kind.WIDE_UNSIGNED, _W.NUMERIC, "Whole numbers of 64 bits without a sign need 20 digits."),
    "numeric": Rule(
        Kind.NUMERIC, _W.NUMERIC, "Exact decimals.", "NaN, infinity, and values with more digits than the column holds"
    ),
    "money": Rule(
        Kind.MONEY,
        _W.NUMERIC,
        "An amount without its currency sign.",
        confidence=_MEDIUM,
        warning="The currency is a setting of the server and is not stored with the value.",
    ),
    "float4": Rule(Kind.FLOAT, _W.FLOAT64, "Binary fractions of 32 bits fit into 64 bits exactly."),
    "float8": Rule(Kind.FLOAT, _W.FLOAT64, "Binary fractions of 64 bits."),
    "bool": Rule(Kind.BOOL, _W.BOOL, "True or false."),
    "text": _TEXT,
    "varchar": _TEXT,
    "name": _TEXT,
    "citext": Rule(
        Kind.TEXT,
        _W.STRING,
        "Text that ignores case.",
        confidence=_MEDIUM,
        warning="The warehouse tells capitals apart; the source does not.",
    ),
    "char": Rule(Kind.TEXT, _W.STRING, "One byte of text."),
    "bpchar": Rule(
        Kind.PADDED,
        _W.STRING,
        "Text of fixed length, with the blanks the source pads it with.",
        warning="Values keep their trailing blanks.",
    ),
    "bytea": Rule(Kind.BYTES, _W.BYTES, "Bytes."),
    "date": Rule(Kind.DATE, _W.DATE, "Calendar dates.", _YEARS),
    "timestamp": Rule(Kind.TIMESTAMP, _W.DATETIME, "Date and time without a zone stay without one.", _YEARS),
    "timestamptz": Rule(Kind.TIMESTAMPTZ, _W.TIMESTAMP, "Moments in time, to the microsecond.", _YEARS),
    "time": Rule(Kind.TIME, _W.TIME, "Time of day, to the microsecond.", "24:00:00"),
    "timetz": _printed("The warehouse has no time of day with a zone; kept as text.", _MEDIUM),
    "interval": _printed("The warehouse has no interval; kept as text.", _MEDIUM),
    "uuid": _printed("Kept as its text."),
    "json": Rule(Kind.JSON, _W.JSON, "JSON, character by character."),
    "jsonb": Rule(Kind.JSON, _W.JSON, "JSON with every digit of its numbers."),
    "jsonpath": _printed("A path expression, kept as text."),
    "xml": _printed("XML kept as text."),
    "hstore": Rule(Kind.STRUCTURE, _W.JSON, "Pairs of key and value become a JSON object."),
    "inet": Rule(Kind.SHOWN, _W.STRING, "A network address, kept as the server prints it."),
    "cidr": Rule(Kind.SHOWN, _W.STRING, "A network, kept as the server prints it."),
    "macaddr": _printed("A hardware address, kept as the server prints it."),
    "macaddr8": _printed("A hardware address, kept as the server prints it."),
    "bit": _printed("A string of bits, kept as zeros and ones."),
    "varbit": _printed("A string of bits, kept as zeros and ones."),
    **{name: _printed(_SHAPE) for name in ("point", "line", "lseg", "box", "path", "polygon", "circle")},
    **{name: _printed(_SEARCH) for name in ("tsvector", "tsquery")},
    **{
        name: _printed(_SYSTEM)
        for name in (
            "pg_lsn",
            "tid",
            "txid_snapshot",
            "pg_snapshot",
            "aclitem",
            "refcursor",
            "int2vector",
            "oidvector",
            "regproc",
            "regprocedure",
            "regoper",
            "regoperator",
            "regclass",
            "regtype",
            "regrole",
            "regnamespace",
            "regconfig",
            "regdictionary",
            "regcollation",
        )
    },
    "geography": Rule(
        Kind.GEOGRAPHY, _W.GEOGRAPHY, "Shapes on the globe as well-known text.", "shapes that are not in WGS 84"
    ),
    "geometry": Rule(
        Kind.GEOGRAPHY,
        _W.GEOGRAPHY,
        "Shapes as well-known text.",
        "shapes in another system than WGS 84",
        confidence=_LOW,
        warning="Shapes without a reference system are taken as longitude and latitude.",
    ),
}

ENUM = _printed("One of a fixed list of words.")
ARRAY = Rule(
    Kind.STRUCTURE,
    _W.JSON,
    "A list becomes a JSON array.",
    confidence=_MEDIUM,
    warning="Custom lower bounds of lists are not kept.",
)
COMPOSITE = Rule(Kind.STRUCTURE, _W.JSON, "A record becomes a JSON object.", confidence=_MEDIUM)
RANGE = _printed("A range, kept as the server prints it.", _MEDIUM)
UNKNOWN = Rule(
    Kind.PRINTED,
    _W.STRING,
    "A type this mapping does not know, kept as the server prints it.",
    confidence=_LOW,
    warning="Check that text is what is wanted.",
)

_BY_KIND = {"enum": ENUM, "array": ARRAY, "composite": COMPOSITE, "range": RANGE}

# The names SQL shows for types, for columns described by hand.
_ALIASES = {
    "smallint": "int2", "integer": "int4", "int": "int4", "bigint": "int8", "decimal": "numeric",
    "real": "float4", "double precision": "float8", "boolean": "bool", "character varying": "varchar",
    "character": "bpchar", '"char"': "char", "bit varying": "varbit",
    "timestamp without time zone": "timestamp", "timestamp with time zone": "timestamptz",
    "time without time zone": "time", "time with time zone": "timetz",
}  # fmt: skip


def rule_for(column: ColumnInfo) -> Rule:
    """The rule of a column's type; a type nobody knows is read as text."""
    if column.type_kind in _BY_KIND and column.base_type not in ("int2vector", "oidvector"):
        return _BY_KIND[column.type_kind]
    return RULES.get(base_name(column), ARRAY if column.source_type.endswith("[]") else UNKNOWN)


def base_name(column: ColumnInfo) -> str:
    """The short name of a column's type, from its shown name when the catalogue's is not known."""
    if column.base_type:
        return column.base_type
    shown = re.sub(r"\([^)]*\)", "", column.source_type).strip().lower()
    shown = re.sub(r"\s+", " ", shown)
    return _ALIASES.get(shown, shown)
