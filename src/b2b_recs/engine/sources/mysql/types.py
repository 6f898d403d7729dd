"""The types of MySQL and MariaDB: how each is sent and the warehouse type proposed for it."""

from __future__ import annotations

from enum import StrEnum

from b2b_recs.engine.schema.types import Confidence, WarehouseType
from b2b_recs.engine.sources.contract import ColumnInfo
from b2b_recs.engine.sources.rules import TypeRule


class Kind(StrEnum):
    """Families of types that are sent, compared and turned into Arrow in the same way."""

    INTEGER = "integer"
    WIDE_UNSIGNED = "wide unsigned"
    BITS = "bits"
    WIDE_BITS = "wide bits"
    DECIMAL = "decimal"
    FLOAT = "float"
    DOUBLE = "double"
    DATE = "date"
    DATETIME = "datetime"
    TIMESTAMP = "timestamp"
    TIME = "time"
    TEXT = "text"
    CHOICE = "choice"
    BYTES = "bytes"
    SHAPE = "shape"
    OTHER = "other"


_W = WarehouseType
_MEDIUM, _LOW = Confidence.MEDIUM, Confidence.LOW
OTHER_TYPE = "any other type"

_ZERO = "zero dates such as 0000-00-00 or 2024-00-00, and days no calendar has"
_TEXT = TypeRule(_W.STRING, "Text stays text.", family="text")
_BYTES = TypeRule(_W.BYTES, "Bytes.")
_CHOICE = TypeRule(_W.STRING, "One of the words the column allows.")
_WIDE = TypeRule(_W.NUMERIC, "Whole numbers of 64 bits without a sign need 20 digits.", digits=(20, 0))
_SHAPE = TypeRule(
    _W.GEOGRAPHY,
    "A shape, written as WKT.",
    _MEDIUM,
    "Coordinates without a reference system (SRID 0) are taken as longitude and latitude.",
    rejected="shapes of a reference system other than WGS 84 (SRID 4326)",
)


def _whole(bits: int, sign: str = "") -> TypeRule:
    return TypeRule(_W.INT64, f"Whole numbers of {bits} bits{sign}.")


_SIZES = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32}
_TEXTS = ("char", "varchar", "tinytext", "text", "mediumtext", "longtext")
_BINARIES = ("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob")
_SHAPES = (
    "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon",
    "geometrycollection", "geomcollection",
)  # fmt: skip

RULES: dict[str, TypeRule] = {
    "tinyint(1)": TypeRule(
        _W.BOOL, "True and false are kept as TINYINT(1).", _MEDIUM, rejected="numbers other than 0 and 1"
    ),
    **{name: _whole(bits) for name, bits in _SIZES.items()},
    **{f"{name} unsigned": _whole(bits, " without a sign") for name, bits in _SIZES.items()},
    "bigint": _whole(64),
    "bigint unsigned": _WIDE,
    "year": TypeRule(_W.INT64, "A year."),
    "bit(1)": TypeRule(_W.BOOL, "One bit: true or false."),
    "bit": TypeRule(_W.INT64, "Bits, as the number they make.", _MEDIUM),
    "bit(64)": TypeRule(_W.NUMERIC, "Bits, as the number they make, of 20 digits.", _MEDIUM, digits=(20, 0)),
    "decimal": TypeRule(_W.NUMERIC, "Exact decimals.", family="decimal"),
    "float": TypeRule(_W.FLOAT64, "Binary fractions of 32 bits fit into 64 bits exactly."),
    "double": TypeRule(_W.FLOAT64, "Binary fractions of 64 bits."),
    "date": TypeRule(_W.DATE, "Calendar dates.", rejected=_ZERO),
    "datetime": TypeRule(_W.DATETIME, "Date and time without a zone stay without one.", rejected=_ZERO),
    "timestamp": TypeRule(_W.TIMESTAMP, "Moments in time, to the microsecond.", rejected="0000-00-00 00:00:00"),
    "time": TypeRule(
        _W.TIME, "Time of day, to the microsecond.", rejected="times below zero and from 24 hours on"
    ),
    **dict.fromkeys(_TEXTS, _TEXT),
    "enum": _CHOICE,
    "set": TypeRule(_W.STRING, "The words of the set, with commas between them."),
    "json": TypeRule(_W.JSON, "JSON, as the server prints it."),
    **dict.fromkeys(_BINARIES, _BYTES),
    "vector": TypeRule(_W.BYTES, "A vector of numbers, as the server's bytes.", _MEDIUM),
    **dict.fromkeys(_SHAPES, _SHAPE),
    "uuid": TypeRule(_W.STRING, "Kept as its text."),
    "inet4": TypeRule(_W.STRING, "A network address, kept as its text."),
    "inet6": TypeRule(_W.STRING, "A network address, kept as its text."),
    "xmltype": TypeRule(_W.STRING, "XML kept as text."),
    OTHER_TYPE: TypeRule(
        _W.STRING, "A type this mapping does not know, kept as the server prints it.", _LOW,
        "Check that text is what is wanted.",
    ),
}  # fmt: skip

# What a proposal becomes when sampled values are not what the type usually holds.
NUMBER_AFTER_ALL = TypeRule(_W.INT64, "TINYINT(1), and sampled values are numbers other than 0 and 1.", _MEDIUM)
SPAN_AFTER_ALL = TypeRule(
    _W.STRING, "TIME, and sampled values are spans of time below zero or of 24 hours and more; kept as text.", _MEDIUM
)

_KINDS: dict[str, Kind] = {
    "tinyint(1)": Kind.INTEGER,
    **{f"{name}{sign}": Kind.INTEGER for name in _SIZES for sign in ("", " unsigned")},
    "bigint": Kind.INTEGER,
    "bigint unsigned": Kind.WIDE_UNSIGNED,
    "year": Kind.INTEGER,
    "bit(1)": Kind.BITS,
    "bit": Kind.BITS,
    "bit(64)": Kind.WIDE_BITS,
    "decimal": Kind.DECIMAL,
    "float": Kind.FLOAT,
    "double": Kind.DOUBLE,
    "date": Kind.DATE,
    "datetime": Kind.DATETIME,
    "timestamp": Kind.TIMESTAMP,
    "time": Kind.TIME,
    **dict.fromkeys((*_TEXTS, "json", "uuid", "inet4", "inet6", "xmltype"), Kind.TEXT),
    "enum": Kind.CHOICE,
    "set": Kind.CHOICE,
    **dict.fromkeys((*_BINARIES, "vector"), Kind.BYTES),
    **dict.fromkeys(_SHAPES, Kind.SHAPE),
}


def kind_of(column: ColumnInfo) -> Kind:
    """How values of the column are sent; ``base_type`` is a name of ``RULES`` or an unknown type."""
    return _KINDS.get(column.base_type, Kind.OTHER)


def rule_of(column: ColumnInfo) -> TypeRule:
    """What the column becomes."""
    return RULES.get(column.base_type, RULES[OTHER_TYPE])


def rule_name(data_type: str, column_type: str, precision: int | None, is_json: bool) -> str:
    """The name in ``RULES`` for a type as the server's catalogue describes it.

    ``column_type`` is its whole declaration, ``precision`` its digits or bits, ``is_json`` whether a check of the
    table makes a text of MariaDB hold JSON.
    """
    name, declared = data_type.lower(), column_type.lower()
    unsigned = " unsigned" in declared or " zerofill" in declared
    if is_json:
        return "json"
    if name == "tinyint" and declared.startswith("tinyint(1)") and not unsigned:
        return "tinyint(1)"
    if name in (*_SIZES, "bigint"):
        return name + (" unsigned" if unsigned else "")
    if name == "bit":
        return {1: "bit(1)", 64: "bit(64)"}.get(precision or 1, "bit")
    return name
