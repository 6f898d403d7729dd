# ruff: noqa: E501 - a table of cases
# ruff: noqa: DTZ001 - times without a zone are what is tested
"""Every MySQL and MariaDB type with ordinary and extreme values, and what the warehouse must hold for each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

D = Decimal


@dataclass(frozen=True)
class Refused:
    """The row must be among the rejected ones, for a reason that contains these words."""

    words: str


# Without these the server itself refuses zero dates and values past its columns.
SETUP = ("SET sql_mode = 'ALLOW_INVALID_DATES'", "SET time_zone = '+00:00'")
NO_DATE = Refused("is no")

# Type, warehouse type, and pairs of an SQL value and what is read back. Whatever a type, NULL is tried too.
MATRIX: list[tuple[str, str, list[tuple[str, Any]]]] = [
    ("tinyint", "INT64", [("-128", -128), ("127", 127)]),
    ("tinyint unsigned", "INT64", [("255", 255)]),
    ("tinyint(1)", "BOOL", [("0", False), ("1", True), ("2", Refused("tinyint")), ("-1", Refused("tinyint"))]),
    ("boolean", "BOOL", [("true", True), ("false", False)]),
    ("tinyint(1) unsigned", "INT64", [("1", 1), ("200", 200)]),
    ("smallint", "INT64", [("-32768", -32768), ("32767", 32767)]),
    ("smallint unsigned", "INT64", [("65535", 65535)]),
    ("mediumint", "INT64", [("-8388608", -8388608)]),
    ("mediumint unsigned", "INT64", [("16777215", 16777215)]),
    ("int", "INT64", [("-2147483648", -2147483648), ("2147483647", 2147483647)]),
    ("int unsigned", "INT64", [("4294967295", 4294967295)]),
    ("int(8) zerofill", "INT64", [("42", 42), ("4294967295", 4294967295)]),
    ("bigint", "INT64", [("-9223372036854775808", -(2**63)), ("9223372036854775807", 2**63 - 1)]),
    ("bigint unsigned", "NUMERIC", [("0", D(0)), ("18446744073709551615", D("18446744073709551615"))]),
    ("year", "INT64", [("1901", 1901), ("2155", 2155), ("0", 0)]),
    ("bit(1)", "BOOL", [("b'0'", False), ("b'1'", True)]),
    ("bit(10)", "INT64", [("b'1111111111'", 1023), ("b'1010'", 10)]),
    ("bit(63)", "INT64", [("9223372036854775807", 2**63 - 1)]),
    ("bit(64)", "NUMERIC", [("18446744073709551615", D("18446744073709551615"))]),
    ("decimal(12,2)", "NUMERIC", [("9999999999.99", D("9999999999.99")), ("-0.01", D("-0.01")), ("0", D("0.00"))]),
    ("decimal(12,2) unsigned zerofill", "NUMERIC", [("1.5", D("1.50"))]),
    ("decimal(38,9)", "NUMERIC", [(f"-{'9' * 29}.{'9' * 9}", D(f"-{'9' * 29}.{'9' * 9}"))]),
    ("decimal(38,0)", "BIGNUMERIC", [("9" * 38, D("9" * 38)), ("-" + "9" * 38, D("-" + "9" * 38))]),
    ("decimal(65,30)", "BIGNUMERIC", [(f"{'9' * 35}.{'9' * 30}", f"{'9' * 35}.{'9' * 30}"), ("1.5", f"1.5{'0' * 29}")]),
    ("decimal(65,0)", "STRING", [("9" * 65, "9" * 65)]),
    ("decimal(30,30)", "BIGNUMERIC", [(f"0.{'1' * 30}", D(f"0.{'1' * 30}"))]),
    (
        "float",
        "FLOAT64",
        [("0.1", 0.10000000149011612), ("16777217", 16777216.0), ("3.4028234e38", 3.4028234663852886e38),
         ("1.17549435e-38", 1.1754943508222875e-38), ("-123456.789", -123456.7890625)],
    ),
    (
        "double",
        "FLOAT64",
        [("0.1e0", 0.1), ("1.7976931348623157e308", 1.7976931348623157e308), ("2.2250738585072014e-308", 2.2250738585072014e-308),
         ("0.1e0 + 0.2e0", 0.30000000000000004), ("-0e0", 0.0), ("123456789012345678", 123456789012345680.0)],
    ),
    ("double(12,3)", "FLOAT64", [("123456.789", 123456.789)]),
    ("float(10,2)", "FLOAT64", [("123456.79", 123456.7890625)]),
    (
        "date",
        "DATE",
        [("'0001-01-01'", date(1, 1, 1)), ("'9999-12-31'", date(9999, 12, 31)), ("'0000-00-00'", NO_DATE),
         ("'2024-00-00'", NO_DATE), ("'2024-02-31'", NO_DATE), ("'0000-01-01'", Refused("years 1 to 9999"))],
    ),
    (
        "datetime(6)",
        "DATETIME",
        [("'0001-01-01 00:00:00'", datetime(1, 1, 1)), ("'9999-12-31 23:59:59.999999'", datetime(9999, 12, 31, 23, 59, 59, 999999)),
         ("'0000-00-00'", NO_DATE), ("'2024-02-31 10:00:00'", NO_DATE), ("'1969-12-31 23:59:59.5'", datetime(1969, 12, 31, 23, 59, 59, 500000))],
    ),
    ("datetime", "DATETIME", [("'2024-03-31 02:30:00'", datetime(2024, 3, 31, 2, 30))]),
    (
        "timestamp(6) NULL",
        "TIMESTAMP",
        [("'1970-01-01 00:00:01'", datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)),
         ("'2038-01-19 03:14:07.999999'", datetime(2038, 1, 19, 3, 14, 7, 999999, tzinfo=UTC)),
         ("'0000-00-00'", NO_DATE)],
    ),
    ("timestamp NULL", "TIMESTAMP", [("'2024-10-27 01:30:00'", datetime(2024, 10, 27, 1, 30, tzinfo=UTC))]),
    (
        "time(6)",
        "TIME",
        [("'00:00:00'", "00:00:00.000000"), ("'23:59:59.999999'", "23:59:59.999999"), ("'24:00:00'", Refused("24:00")),
         ("'838:59:59'", Refused("838:59:59")), ("'-00:00:01'", Refused("-00:00:01"))],
    ),
    ("time", "TIME", [("'10:11:12'", "10:11:12.000000")]),
    ("char(5)", "STRING", [("'ab'", "ab"), ("'00123'", "00123"), ("''", "")]),
    ("varchar(50)", "STRING", [("'🛒 漢字 ünïcode'", "🛒 漢字 ünïcode"), ("'a''b\\\\c'", "a'b\\c"), ("'tab\\tline\\nnul\\0'", "tab\tline\nnul\0")]),
    ("varchar(50) CHARACTER SET latin1", "STRING", [("'café €'", "café €")]),
    ("varchar(50) CHARACTER SET utf8mb3 COLLATE utf8mb3_bin", "STRING", [("'漢字'", "漢字")]),
    ("varchar(50) CHARACTER SET utf16", "STRING", [("'🛒'", "🛒")]),
    ("varchar(50) CHARACTER SET cp1251", "STRING", [("'Привет'", "Привет")]),
    ("tinytext", "STRING", [("'x'", "x")]),
    ("text", "STRING", [("repeat('x', 251)", "x" * 251), ("repeat('é', 300)", "é" * 300)]),
    ("mediumtext", "STRING", [("repeat('x', 70000)", "x" * 70000)]),
    ("longtext", "STRING", [("repeat('x', 250)", "x" * 250)]),
    ("enum('small','very large','')", "STRING", [("'very large'", "very large"), ("''", "")]),
    ("set('a','b','c')", "STRING", [("'c,a'", "a,c"), ("''", "")]),
    (
        "json",
        "JSON",
        [("'{\"b\": 1.10, \"big\": 12345678901234567890.123}'", '{"b": 1.10, "big": 12345678901234567890.123}'),
         ("'null'", "null"), ("'[1, \"é🛒\"]'", '[1, "é🛒"]')],
    ),
    ("binary(4)", "BYTES", [("x'00ff'", b"\x00\xff\x00\x00")]),
    ("varbinary(300)", "BYTES", [("x'fbfcfdfeff'", b"\xfb\xfc\xfd\xfe\xff"), ("''", b"")]),
    ("tinyblob", "BYTES", [("x'00'", b"\x00")]),
    ("blob", "BYTES", [("repeat(x'fe', 65535)", b"\xfe" * 65535)]),
    ("mediumblob", "BYTES", [("repeat(x'fb', 70000)", b"\xfb" * 70000)]),
    ("longblob", "BYTES", [("x'c328'", b"\xc3\x28")]),
    ("point", "GEOGRAPHY", [("ST_GeomFromText('POINT(13.400000000000002 52.5)', 4326)", "POINT(13.400000000000002 52.5)"),
                            ("ST_GeomFromText('POINT(1 2)')", "POINT(1 2)"),
                            ("ST_GeomFromText('POINT(1 2)', 3857)", Refused("another reference system"))]),
    ("geometry", "GEOGRAPHY", [("ST_GeomFromText('LINESTRING(0 0,1 1)')", "LINESTRING(0 0,1 1)")]),
    ("linestring", "GEOGRAPHY", [("ST_GeomFromText('LINESTRING(0 0,1 1)')", "LINESTRING(0 0,1 1)")]),
    ("polygon", "GEOGRAPHY", [("ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))')", "POLYGON((0 0,1 0,1 1,0 0))")]),
    ("multipoint", "GEOGRAPHY", [("ST_GeomFromText('MULTIPOINT(0 0,1 1)')", "MULTIPOINT(0 0,1 1)")]),
    ("multilinestring", "GEOGRAPHY", [("ST_GeomFromText('MULTILINESTRING((0 0,1 1))')", "MULTILINESTRING((0 0,1 1))")]),
    ("multipolygon", "GEOGRAPHY", [("ST_GeomFromText('MULTIPOLYGON(((0 0,1 0,1 1,0 0)))')", "MULTIPOLYGON(((0 0,1 0,1 1,0 0)))")]),
    ("geometrycollection", "GEOGRAPHY", [("ST_GeomFromText('GEOMETRYCOLLECTION(POINT(0 0))')", "GEOMETRYCOLLECTION(POINT(0 0))")]),
    ("uuid", "STRING", [("'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")]),
    ("inet6", "STRING", [("'2001:db8::1'", "2001:db8::1")]),
    ("inet4", "STRING", [("'192.168.0.1'", "192.168.0.1")]),
]  # fmt: skip
# Types that only MySQL, or only later releases of MariaDB, have.
NOT_ON_THIS_SERVER = {"vector", "xmltype", "geomcollection", "any other type"}
