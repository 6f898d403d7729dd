"""The types of SQL Server: how each is sent and the warehouse type proposed for it."""

from __future__ import annotations

from enum import StrEnum

from b2b_recs.engine.schema.types import Confidence, WarehouseType
from b2b_recs.engine.sources.contract import ColumnInfo
from b2b_recs.engine.sources.rules import TypeRule


class Kind(StrEnum):
    """Families of types that are sent and compared in the same way."""

    INTEGER = "integer"
    BIT = "bit"
    DECIMAL = "decimal"
    MONEY = "money"
    FLOAT = "float"
    REAL = "real"
    DATE = "date"
    DATETIME = "datetime"
    TICKS = "ticks"
    OFFSET = "offset"
    TIME = "time"
    TEXT = "text"
    LONG_TEXT = "long text"
    BYTES = "bytes"
    LONG_BYTES = "long bytes"
    ROWVERSION = "rowversion"
    UNIQUE = "uniqueidentifier"
    VARIANT = "variant"
    METHOD_TEXT = "text by method"
    SHAPE = "shape"
    OTHER = "other"


_W = WarehouseType
_MEDIUM, _LOW = Confidence.MEDIUM, Confidence.LOW
OTHER_TYPE = "any other type"

_FINE = "values finer than a microsecond"
_TEXT = TypeRule(_W.STRING, "Text stays text.", family="text")
_CLOCK = TypeRule(_W.DATETIME, "Date and time without a zone stay without one.")
_BYTES = TypeRule(_W.BYTES, "Bytes.")
_ROWVERSION = TypeRule(_W.BYTES, "A number the server raises with every change, as its eight bytes.")
_SHAPE = TypeRule(
    _W.GEOGRAPHY, "A shape, written as WKT.", _MEDIUM, rejected="shapes of a reference system other than WGS 84"
)

_TYPES: dict[str, tuple[Kind, TypeRule]] = {
    "tinyint": (Kind.INTEGER, TypeRule(_W.INT64, "Whole numbers of 8 bits without a sign.")),
    "smallint": (Kind.INTEGER, TypeRule(_W.INT64, "Whole numbers of 16 bits.")),
    "int": (Kind.INTEGER, TypeRule(_W.INT64, "Whole numbers of 32 bits.")),
    "bigint": (Kind.INTEGER, TypeRule(_W.INT64, "Whole numbers of 64 bits.")),
    "bit": (Kind.BIT, TypeRule(_W.BOOL, "True or false.")),
    "decimal": (Kind.DECIMAL, TypeRule(_W.NUMERIC, "Exact decimals.", family="decimal")),
    "numeric": (Kind.DECIMAL, TypeRule(_W.NUMERIC, "Exact decimals.", family="decimal")),
    "money": (Kind.MONEY, TypeRule(_W.NUMERIC, "An amount, without its currency.", _MEDIUM, digits=(19, 4))),
    "smallmoney": (Kind.MONEY, TypeRule(_W.NUMERIC, "An amount, without its currency.", _MEDIUM, digits=(10, 4))),
    "real": (Kind.REAL, TypeRule(_W.FLOAT64, "Binary fractions of 32 bits fit into 64 bits exactly.")),
    "float": (Kind.FLOAT, TypeRule(_W.FLOAT64, "Binary fractions of 64 bits.")),
    "date": (Kind.DATE, TypeRule(_W.DATE, "Calendar dates.")),
    "datetime": (Kind.TICKS, _CLOCK),
    "smalldatetime": (Kind.DATETIME, _CLOCK),
    "datetime2": (
        Kind.DATETIME, TypeRule(_W.DATETIME, "Date and time without a zone stay without one.", rejected=_FINE)
    ),
    "datetimeoffset": (
        Kind.OFFSET,
        TypeRule(
            _W.TIMESTAMP, "Moments in time, to the microsecond.",
            warning="The offset each value was written with is not kept.", rejected=_FINE,
        ),
    ),
    "time": (Kind.TIME, TypeRule(_W.TIME, "Time of day, to the microsecond.", rejected=_FINE)),
    "char": (Kind.TEXT, TypeRule(_W.STRING, "Text of fixed length, with the blanks the source pads it with.",
                                 warning="Values keep their trailing blanks.", family="text")),
    "nchar": (Kind.TEXT, TypeRule(_W.STRING, "Text of fixed length, with the blanks the source pads it with.",
                                  warning="Values keep their trailing blanks.", family="text")),
    "varchar": (Kind.TEXT, _TEXT),
    "nvarchar": (Kind.TEXT, _TEXT),
    "text": (Kind.LONG_TEXT, _TEXT),
    "ntext": (Kind.LONG_TEXT, _TEXT),
    "sysname": (Kind.TEXT, _TEXT),
    "xml": (Kind.LONG_TEXT, TypeRule(_W.STRING, "XML kept as text, as the server prints it.")),
    "json": (Kind.LONG_TEXT, TypeRule(_W.JSON, "JSON, as the server prints it.")),
    "binary": (Kind.BYTES, _BYTES),
    "varbinary": (Kind.BYTES, _BYTES),
    "image": (Kind.LONG_BYTES, _BYTES),
    "timestamp": (Kind.ROWVERSION, _ROWVERSION),
    "rowversion": (Kind.ROWVERSION, _ROWVERSION),
    "uniqueidentifier": (Kind.UNIQUE, TypeRule(_W.STRING, "Kept as its text.")),
    "sql_variant": (
        Kind.VARIANT,
        TypeRule(_W.STRING, "Values of several types, each as its text.", _LOW, "The type of each value is lost."),
    ),
    "hierarchyid": (Kind.METHOD_TEXT, TypeRule(_W.STRING, "A place in a tree, written /1/2/.")),
    "geography": (Kind.SHAPE, _SHAPE),
    "geometry": (
        Kind.SHAPE,
        TypeRule(
            _W.GEOGRAPHY, "A shape, written as WKT.", _LOW,
            "Shapes on a plane (SRID 0) are taken as longitude and latitude; choose STRING where they are not.",
            rejected="shapes of a reference system other than WGS 84",
        ),
    ),
    "vector": (Kind.LONG_TEXT, TypeRule(_W.STRING, "A vector of numbers, as the server prints it.", _MEDIUM)),
    OTHER_TYPE: (
        Kind.OTHER,
        TypeRule(_W.STRING, "A type this mapping does not know, kept as the server prints it.", _LOW,
                 "Check that text is what is wanted."),
    ),
}  # fmt: skip

RULES: dict[str, TypeRule] = {name: rule for name, (_, rule) in _TYPES.items()}


def kind_of(column: ColumnInfo) -> Kind:
    """How values of the column are sent; ``base_type`` is a name of ``RULES`` or an unknown type."""
    return _TYPES.get(column.base_type, _TYPES[OTHER_TYPE])[0]


def rule_of(column: ColumnInfo) -> TypeRule:
    """What the column becomes."""
    return _TYPES.get(column.base_type, _TYPES[OTHER_TYPE])[1]
