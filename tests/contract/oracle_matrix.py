# ruff: noqa: E501 - a table of cases
# ruff: noqa: DTZ001 - times without a zone are what is tested
"""Oracle's types with ordinary and extreme values, as its double holds them, and what must be read.

The double prints times as DuckDB does, which writes years before the first otherwise than Oracle: none are among them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from contract.mysql_matrix import Refused
from doubles.oracle_sql import Declared

D = Decimal
JSON = '{"a":12345678901234567890.123}'
LONG = "x" * 100_000 + "🛒"
TEXTS = [("00123", "00123"), ("🛒 𝄞", "🛒 𝄞"), ("", None)]
MATRIX: list[tuple[str, Declared, str, list[tuple[Any, Any]]]] = [
    (
        "NUMBER(18)",
        Declared("NUMBER", "DECIMAL(18,0)", 18, 0),
        "INT64",
        [(10**18 - 1, 10**18 - 1), (1 - 10**18, 1 - 10**18), (0, 0), (-100, -100), (None, None)],
    ),
    ("NUMBER(19)", Declared("NUMBER", "DECIMAL(19,0)", 19, 0), "NUMERIC", [(D(10**19 - 1), D(10**19 - 1))]),
    (
        "NUMBER(12,2)",
        Declared("NUMBER", "DECIMAL(12,2)", 12, 2),
        "NUMERIC",
        [(D("9999999999.99"), D("9999999999.99")), (D("-0.01"), D("-0.01"))],
    ),
    (
        "NUMBER(38,9)",
        Declared("NUMBER", "DECIMAL(38,9)", 38, 9),
        "NUMERIC",
        [(D("9" * 29 + "." + "9" * 9), D("9" * 29 + "." + "9" * 9))],
    ),
    ("NUMBER(38)", Declared("NUMBER", "DECIMAL(38,0)", 38, 0), "BIGNUMERIC", [(D("9" * 38), D("9" * 38))]),
    (
        "NUMBER",
        Declared("NUMBER", "VARCHAR"),
        "NUMERIC",
        [("1.5", D("1.500000000")), ("9" * 29, D("9" * 29)), ("1" + "0" * 29, Refused("29 digits before")),
         (".0000000001", Refused("9 digits after"))],
    ),
    ("FLOAT", Declared("FLOAT", "VARCHAR", 126), "NUMERIC", [("-.25", D("-0.25"))]),
    (
        "BINARY_DOUBLE",
        Declared("BINARY_DOUBLE", "DOUBLE"),
        "FLOAT64",
        [(0.1, 0.1), (5e-324, 5e-324), (float("inf"), float("inf")), (float("-inf"), float("-inf")), (-1.5, -1.5), (float("nan"), float("nan"))],
    ),
    ("BINARY_FLOAT", Declared("BINARY_FLOAT", "FLOAT"), "FLOAT64", [(0.5, 0.5)]),
    ("VARCHAR2", Declared("VARCHAR2", "VARCHAR", length=4000), "STRING", TEXTS),
    ("NVARCHAR2", Declared("NVARCHAR2", "VARCHAR", length=4000), "STRING", [("ünï", "ünï")]),
    ("CHAR", Declared("CHAR", "VARCHAR", length=5), "STRING", [("ab   ", "ab   ")]),
    ("NCHAR", Declared("NCHAR", "VARCHAR", length=5), "STRING", [("ünï  ", "ünï  ")]),
    ("CLOB", Declared("CLOB", "VARCHAR"), "STRING", [(LONG, LONG), (None, None), ("y", "y")]),
    ("NCLOB", Declared("NCLOB", "VARCHAR"), "STRING", [(LONG, LONG), ("", None)]),
    ("LONG", Declared("LONG", "VARCHAR"), "STRING", [(LONG, LONG), ("y", "y"), (None, None)]),
    ("RAW", Declared("RAW", "BLOB", length=2000), "BYTES", [(b"\x00\xff", b"\x00\xff")]),
    ("BLOB", Declared("BLOB", "BLOB"), "BYTES", [(b"\x00\xff" * 50_000, b"\x00\xff" * 50_000), (None, None)]),
    ("LONG RAW", Declared("LONG RAW", "BLOB"), "BYTES", [(b"\x00\xff" * 50_000, b"\x00\xff" * 50_000), (None, None)]),
    (
        "DATE",
        Declared("DATE", "TIMESTAMP"),
        "DATETIME",
        [("0001-01-01 00:00:00", datetime(1, 1, 1)), ("9999-12-31 23:59:59", datetime(9999, 12, 31, 23, 59, 59))],
    ),
    (
        "TIMESTAMP(6)",
        Declared("TIMESTAMP(6)", "TIMESTAMP", scale=6),
        "DATETIME",
        [("2024-02-29 01:02:03.456789", datetime(2024, 2, 29, 1, 2, 3, 456789))],
    ),
    (
        "TIMESTAMP(9)",
        Declared("TIMESTAMP(9)", "TIMESTAMP_NS", scale=9),
        "DATETIME",
        [("2024-02-29 01:02:03.456789000", datetime(2024, 2, 29, 1, 2, 3, 456789)),
         ("2024-02-29 01:02:03.456789123", Refused("2024-02-29 01:02:03.456789123"))],
    ),
    (
        "TIMESTAMP(6) WITH TIME ZONE",
        Declared("TIMESTAMP(6) WITH TIME ZONE", "TIMESTAMP", scale=6),
        "TIMESTAMP",
        [("2024-02-29 01:02:03.456789", datetime(2024, 2, 29, 1, 2, 3, 456789, tzinfo=UTC)), (None, None)],
    ),
    (
        "TIMESTAMP(9) WITH LOCAL TIME ZONE",
        Declared("TIMESTAMP(9) WITH LOCAL TIME ZONE", "TIMESTAMP_NS", scale=9),
        "TIMESTAMP",
        [("2024-10-27 01:30:00.000001000", datetime(2024, 10, 27, 1, 30, 0, 1, tzinfo=UTC)),
         ("2024-10-27 01:30:00.000000001", Refused("finer than a microsecond")), (None, None)],
    ),
    ("INTERVAL YEAR(4) TO MONTH", Declared("INTERVAL YEAR(4) TO MONTH", "VARCHAR"), "STRING", [("-9999-11", "-9999-11")]),
    ("INTERVAL DAY(2) TO SECOND(6)", Declared("INTERVAL DAY(2) TO SECOND(6)", "VARCHAR"), "STRING",
     [("+01 02:03:04.000000", "+01 02:03:04.000000")]),
    ("ROWID", Declared("ROWID", "VARCHAR"), "STRING", [("AAAACPAABAAAAShAAA", "AAAACPAABAAAAShAAA")]),
    ("UROWID", Declared("UROWID", "VARCHAR"), "STRING", [("*BAJAAAAAAAAB/v8", "*BAJAAAAAAAAB/v8")]),
    ("XMLTYPE", Declared("XMLTYPE", "VARCHAR"), "STRING", [("<a>1</a>", "<a>1</a>")]),
    ("JSON", Declared("JSON", "VARCHAR"), "JSON", [(JSON, JSON)]),
    ("BOOLEAN", Declared("BOOLEAN", "BOOLEAN"), "BOOL", [(True, True), (False, False), (None, None)]),
    (
        "SDO_GEOMETRY",
        Declared("SDO_GEOMETRY", "VARCHAR"),
        "GEOGRAPHY",
        [("POINT (13.400000000000002 52.5)", "POINT (13.400000000000002 52.5)"), ("not a shape", Refused("well-known text")),
         (None, None)],
    ),
    ("VECTOR", Declared("VECTOR", "VARCHAR"), "JSON", [("[1.5,2]", "[1.5,2]")]),
]  # fmt: skip
# Types whose columns are left out of a table, because no SELECT can send them.
LEFT_OUT = ("BFILE", "ANYDATA")
