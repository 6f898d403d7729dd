# ruff: noqa: DTZ001 - times without a zone are what is tested
"""Snowflake's types with ordinary and extreme values, as far as its emulator has them, and what must be read."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

D = Decimal

# Type, warehouse type, and pairs of an SQL value and what is read back.
MATRIX: list[tuple[str, str, list[tuple[str, Any]]]] = [
    ("NUMBER(38,0)", "INT64", [("9223372036854775807", 2**63 - 1), ("-9223372036854775807", -(2**63) + 1)]),
    ("NUMBER(18,0)", "INT64", [("999999999999999999", 10**18 - 1), ("-1", -1)]),
    ("NUMBER(10,2)", "NUMERIC", [("12345678.91", D("12345678.91")), ("-0.01", D("-0.01")), ("0", D("0.00"))]),
    ("NUMBER(18,9)", "NUMERIC", [("123456789.123456789", D("123456789.123456789"))]),
    ("NUMBER(38,9)", "NUMERIC", [("9" * 29 + "." + "9" * 9, D("9" * 29 + "." + "9" * 9))]),
    ("NUMBER(38,20)", "BIGNUMERIC", [("'" + "1" * 18 + "." + "2" * 20 + "'", D("1" * 18 + "." + "2" * 20))]),
    (
        "FLOAT",
        "FLOAT64",
        [
            ("0.1::FLOAT", 0.1),
            ("'1.7976931348623157e308'::FLOAT", 1.7976931348623157e308),
            ("'5e-324'::FLOAT", 5e-324),
            ("'NaN'::FLOAT", float("nan")),
            ("'inf'::FLOAT", float("inf")),
            ("'-inf'::FLOAT", float("-inf")),
        ],
    ),
    (
        "VARCHAR",
        "STRING",
        [
            ("'🙂 \\\\ \\' \" \\t'", "🙂 \\ ' \" \t"),
            ("''", ""),
            ("'0012 '", "0012 "),
            ("REPEAT('x', 100000)", "x" * 100_000),
        ],
    ),
    ("BINARY", "BYTES", [("TO_BINARY('00FF00', 'HEX')", b"\x00\xff\x00")]),
    ("BOOLEAN", "BOOL", [("TRUE", True), ("FALSE", False)]),
    ("DATE", "DATE", [("'0001-01-01'", date(1, 1, 1)), ("'9999-12-31'", date(9999, 12, 31))]),
    ("TIME(9)", "TIME", [("'00:00:00'", "00:00:00.000000"), ("'23:59:59.999999'", "23:59:59.999999")]),
    (
        "TIMESTAMP_NTZ(9)",
        "DATETIME",
        [
            ("'0001-01-01 00:00:00'::TIMESTAMP_NTZ", datetime(1, 1, 1)),
            ("'9999-12-31 23:59:59.999999'::TIMESTAMP_NTZ", datetime(9999, 12, 31, 23, 59, 59, 999999)),
            ("'2024-02-29 12:00:00.000001'::TIMESTAMP_NTZ", datetime(2024, 2, 29, 12, 0, 0, 1)),
        ],
    ),
    (
        "TIMESTAMP_TZ(9)",
        "TIMESTAMP",
        [
            ("'2024-03-31 02:30:00+01:00'::TIMESTAMP_TZ", datetime(2024, 3, 31, 1, 30, tzinfo=UTC)),
            ("'2024-03-31 02:30:00.000001+00:00'::TIMESTAMP_TZ", datetime(2024, 3, 31, 2, 30, 0, 1, tzinfo=UTC)),
        ],
    ),
    (
        "TIMESTAMP_LTZ(9)",
        "TIMESTAMP",
        [("'2024-03-31 02:30:00+00:00'::TIMESTAMP_LTZ", datetime(2024, 3, 31, 2, 30, tzinfo=UTC))],
    ),
    (
        "VARIANT",
        "JSON",
        [('PARSE_JSON(\'{"a": [1, null, "x"]}\')', {"a": [1, None, "x"]}), ("PARSE_JSON('null')", None)],
    ),
    ("OBJECT", "JSON", [("OBJECT_CONSTRUCT('a', 1)", {"a": 1})]),
    ("ARRAY", "JSON", [("ARRAY_CONSTRUCT(1, 'x')", [1, "x"])]),
]

_SHAPE = "POINT(13.400000000000002 52.5)"
# Types that the emulator lacks, by the names Snowflake shows: what holds their values there, warehouse type, a value,
# and what is read. Every one of them travels as text, so that nothing else about them would be sent.
RARE: list[tuple[str, str, str, str, Any]] = [
    ("DECFLOAT(38)", "VARCHAR", "NUMERIC", "'-1234567890.123456789'", D("-1234567890.123456789")),
    ("MAP(VARCHAR, NUMBER(38,0))", "OBJECT", "JSON", "OBJECT_CONSTRUCT('k', 1)", {"k": 1}),
    ("VECTOR(FLOAT, 2)", "ARRAY", "JSON", "ARRAY_CONSTRUCT(1.5, -2)", [1.5, -2]),
    ("GEOGRAPHY", "VARCHAR", "GEOGRAPHY", f"'{_SHAPE}'", _SHAPE),
    ("GEOMETRY", "VARCHAR", "STRING", f"'SRID=4326;{_SHAPE}'", f"SRID=4326;{_SHAPE}"),
    ("UUID", "VARCHAR", "STRING", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ("FILE", "VARCHAR", "STRING", '\'{"STAGE":"@S"}\'', '{"STAGE":"@S"}'),
    ("INTERVAL YEAR TO MONTH", "VARCHAR", "STRING", "'+1-02'", "+1-02"),
    ("INTERVAL DAY TO SECOND", "VARCHAR", "STRING", "'+1 02:03:04.5'", "+1 02:03:04.5"),
    ("SOMETHING NEW(7)", "VARCHAR", "STRING", "'as it is printed'", "as it is printed"),
]
# Other names of types, which Snowflake takes and never shows.
NEVER_SHOWN = {
    "DECIMAL", "NUMERIC", "INT", "INTEGER", "BIGINT", "SMALLINT", "TINYINT", "BYTEINT", "FLOAT4", "FLOAT8", "DOUBLE",
    "DOUBLE PRECISION", "REAL", "CHAR", "CHARACTER", "NCHAR", "STRING", "TEXT", "NVARCHAR", "NVARCHAR2", "VARBINARY",
    "DATETIME",
}  # fmt: skip
