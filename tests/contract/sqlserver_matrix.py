# ruff: noqa: E501 - a table of cases
# ruff: noqa: DTZ001 - times without a zone are what is tested
"""Every type of SQL Server with ordinary and extreme values, and what the warehouse must hold for each.

No float there is NaN or infinite, no date lies before the year 1, and no time of day is 24:00: nothing to refuse.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from contract.mysql_matrix import Refused
from doubles.tsql import Place
from doubles.tsql_types import Type, kept, type_of

D = Decimal
FINER = Refused("finer than a microsecond")
EARLY, LATE = date(1, 1, 1), date(9999, 12, 31)
LAST_MOMENT = datetime(9999, 12, 31, 23, 59, 59, 999999)
CART = "🛒 𝄞 漢字 ünïcode\t'\"\\"


def variant(kind: str, value: Any) -> tuple[Type, Any]:
    """A value of a variant, with the type it was put in with."""
    return type_of(kind), kept(type_of(kind), value)


# Type, warehouse type, and pairs of what the column is given and what is read back. Whatever a type, NULL is tried too.
MATRIX: list[tuple[Type | str, str, list[tuple[Any, Any]]]] = [
    ("tinyint", "INT64", [(0, 0), (255, 255)]),
    ("smallint", "INT64", [(-32768, -32768), (32767, 32767)]),
    ("int", "INT64", [(-(2**31), -(2**31)), (2**31 - 1, 2**31 - 1)]),
    ("bigint", "INT64", [(-(2**63), -(2**63)), (2**63 - 1, 2**63 - 1)]),
    ("bit", "BOOL", [(False, False), (True, True)]),
    ("decimal(12,2)", "NUMERIC", [("9999999999.99", D("9999999999.99")), ("-0.01", D("-0.01")), ("0", D("0.00"))]),
    ("decimal(38,9)", "NUMERIC", [(f"-{'9' * 29}.{'9' * 9}", D(f"-{'9' * 29}.{'9' * 9}"))]),
    ("decimal(38,0)", "BIGNUMERIC", [("9" * 38, D("9" * 38)), ("-" + "9" * 38, D("-" + "9" * 38))]),
    ("decimal(38,38)", "BIGNUMERIC", [("0." + "9" * 38, D("0." + "9" * 38)), ("-0." + "0" * 37 + "1", D("-0." + "0" * 37 + "1"))]),
    ("numeric(18,0)", "NUMERIC", [("9" * 18, D("9" * 18))]),
    ("numeric(19,19)", "BIGNUMERIC", [("0.0000000000000000001", D("0.0000000000000000001"))]),
    ("money", "NUMERIC", [("922337203685477.5807", D("922337203685477.5807")), ("-922337203685477.5808", D("-922337203685477.5808")), ("0.0001", D("0.0001"))]),
    ("smallmoney", "NUMERIC", [("214748.3647", D("214748.3647")), ("-214748.3648", D("-214748.3648"))]),
    ("real", "FLOAT64", [(0.1, 0.10000000149011612), (3.4028234663852886e38, 3.4028234663852886e38), (-1.1754943508222875e-38, -1.1754943508222875e-38)]),
    ("float", "FLOAT64", [(0.1, 0.1), (0.30000000000000004, 0.30000000000000004), (1.7976931348623157e308, 1.7976931348623157e308),
                          (-2.2250738585072014e-308, -2.2250738585072014e-308), (123456789012345680.0, 123456789012345680.0)]),
    ("date", "DATE", [("0001-01-01", EARLY), ("9999-12-31", LATE), ("2024-02-29", date(2024, 2, 29))]),
    ("datetime", "DATETIME", [("1753-01-01 00:00:00", datetime(1753, 1, 1)), ("9999-12-31 23:59:59.997", datetime(9999, 12, 31, 23, 59, 59, 997000)),
                              ("2024-03-31 02:30:00.0033333", datetime(2024, 3, 31, 2, 30, 0, 3000)), ("2024-03-31 02:30:00.005", datetime(2024, 3, 31, 2, 30, 0, 7000))]),
    ("smalldatetime", "DATETIME", [("1900-01-01 00:00:00", datetime(1900, 1, 1)), ("2079-06-06 23:59:00", datetime(2079, 6, 6, 23, 59)), ("2024-02-29 12:00:30", datetime(2024, 2, 29, 12, 1))]),
    ("datetime2(7)", "DATETIME", [("0001-01-01 00:00:00", datetime(1, 1, 1)), ("9999-12-31 23:59:59.9999990", LAST_MOMENT),
                                  ("9999-12-31 23:59:59.9999999", FINER), ("2024-02-29 12:00:00.0000001", FINER), ("1969-12-31 23:59:59.5", datetime(1969, 12, 31, 23, 59, 59, 500000))]),
    ("datetime2(3)", "DATETIME", [("2024-02-29 12:00:00.123", datetime(2024, 2, 29, 12, 0, 0, 123000))]),
    ("datetime2(0)", "DATETIME", [("2024-02-29 12:00:00", datetime(2024, 2, 29, 12))]),
    (
        "datetimeoffset(7)",
        "TIMESTAMP",
        [("0001-01-01 00:00:00 +00:00", datetime(1, 1, 1, tzinfo=UTC)), ("9999-12-31 23:59:59.999999 +00:00", LAST_MOMENT.replace(tzinfo=UTC)),
         ("0001-01-01 14:00:00 +14:00", datetime(1, 1, 1, tzinfo=UTC)), ("9999-12-31 09:59:59.999999 -14:00", LAST_MOMENT.replace(tzinfo=UTC)),
         ("2024-02-29 12:00:00 +05:45", datetime(2024, 2, 29, 6, 15, tzinfo=UTC)), ("2024-02-29 12:00:00 -00:01", datetime(2024, 2, 29, 12, 1, tzinfo=UTC)),
         ("2024-10-27 02:30:00.5 -03:30", datetime(2024, 10, 27, 6, 0, 0, 500000, tzinfo=UTC)), ("2024-02-29 12:00:00.0000001 +05:45", FINER)],
    ),
    ("datetimeoffset(0)", "TIMESTAMP", [("2024-02-29 12:00:00 +01:00", datetime(2024, 2, 29, 11, tzinfo=UTC))]),
    ("time(7)", "TIME", [("00:00:00", "00:00:00.000000"), ("23:59:59.9999990", "23:59:59.999999"), ("23:59:59.9999999", FINER)]),
    ("time(0)", "TIME", [("10:11:12", "10:11:12.000000")]),
    ("char(5)", "STRING", [("ab", "ab   "), ("00123", "00123"), ("", "     ")]),
    ("char(8000)", "STRING", [("x" * 8000, "x" * 8000)]),
    ("varchar(50)", "STRING", [("café €", "café €"), ("", ""), ("00123 ", "00123 ")]),
    ("varchar(8000)", "STRING", [("é" * 5000, "é" * 5000)]),
    ("varchar(max)", "STRING", [("x" * 100_000, "x" * 100_000)]),
    ("nchar(4)", "STRING", [("🛒", "🛒  "), ("ab", "ab  ")]),
    ("nvarchar(50)", "STRING", [(CART, CART), ("", ""), ("nul\0", "nul\0"), ("00123 ", "00123 ")]),
    ("nvarchar(4000)", "STRING", [("🛒" * 2000, "🛒" * 2000)]),
    ("nvarchar(max)", "STRING", [("🛒" * 50_000, "🛒" * 50_000), ("x" + "🛒" * 1000, "x" + "🛒" * 1000), ("", "")]),
    ("text", "STRING", [("x" * 70_000, "x" * 70_000), ("", "")]),
    ("ntext", "STRING", [("🛒" * 5000, "🛒" * 5000)]),
    ("sysname", "STRING", [("a]b\"c", "a]b\"c"), ("n" * 128, "n" * 128)]),
    ("xml", "STRING", [("<a b=\"1\">é🛒</a>", "<a b=\"1\">é🛒</a>"), ("", "")]),
    ("json", "JSON", [('{"n":12345678901234567890.123}', '{"n":12345678901234567890.123}'), ("null", "null"), ('[1,"é🛒"]', '[1,"é🛒"]')]),
    ("binary(4)", "BYTES", [(b"\x00\xff", b"\x00\xff\x00\x00")]),
    ("varbinary(300)", "BYTES", [(b"\xc3\x28\x00", b"\xc3\x28\x00"), (b"", b"")]),
    ("varbinary(8000)", "BYTES", [(b"\xfe" * 8000, b"\xfe" * 8000)]),
    ("varbinary(max)", "BYTES", [(b"\x00\xff" * 50_000, b"\x00\xff" * 50_000), (b"", b"")]),
    ("image", "BYTES", [(b"\xfb" * 70_000, b"\xfb" * 70_000)]),
    ("timestamp", "BYTES", [(b"\x00\x00\x00\x00\x00\x00\x07\xd1", b"\x00\x00\x00\x00\x00\x00\x07\xd1"), (b"\xff" * 8, b"\xff" * 8)]),
    ("uniqueidentifier", "STRING", [("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11")]),
    (
        "sql_variant",
        "STRING",
        [(variant("bigint", -(2**63)), str(-(2**63))), (variant("decimal(38,4)", "1.5"), "1.5000"), (variant("money", "922337203685477.5807"), "922337203685477.5807"),
         (variant("float", 0.1), "1.0000000000000001e-001"), (variant("real", 0.1), "1.0000000149011612e-001"), (variant("bit", True), "1"),
         (variant("date", "9999-12-31"), "9999-12-31 00:00:00.0000000"), (variant("datetime", "2024-03-31 02:30:00.003"), "2024-03-31 02:30:00.0033333"),
         (variant("datetime2(3)", "2024-02-29 12:00:00.123"), "2024-02-29 12:00:00.1230000"),
         (variant("datetimeoffset(7)", "2024-02-29 12:00:00.0000001 +05:45"), "2024-02-29 12:00:00.0000001 +05:45"),
         (variant("time(7)", "23:59:59.9999999"), "23:59:59.9999999"), (variant("varbinary(8)", b"\x00\xff"), "0x00FF"),
         (variant("nvarchar(50)", CART), CART), (variant("varchar(50)", "00123"), "00123"),
         (variant("uniqueidentifier", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11")],
    ),
    ("hierarchyid", "STRING", [(Place("/"), "/"), (Place("/1/2.5/-3/"), "/1/2.5/-3/")]),
    ("geography", "GEOGRAPHY", [(Place("POINT (13.400000000000002 52.5)"), "POINT (13.400000000000002 52.5)"), (Place("POINT (1 2)", 4267), Refused("another reference system"))]),
    ("geometry", "GEOGRAPHY", [(Place("LINESTRING (0 0, 1 1)", 0), "LINESTRING (0 0, 1 1)"), (Place("POINT (1 2)", 4326), "POINT (1 2)"), (Place("POINT (1 2)", 3857), Refused("another reference system"))]),
    ("vector", "STRING", [("[1.0000000e+000,-2.5000000e+000]", "[1.0000000e+000,-2.5000000e+000]")]),
    # A user's name for a type of the system's own, and a user's type, which the server prints by its own method.
    (Type("decimal", precision=10, scale=2, alias="price"), "NUMERIC", [("12345678.91", D("12345678.91"))]),
    (Type("TaxNumber"), "STRING", [("DE 811 907 980", "DE 811 907 980")]),
]  # fmt: skip
# What the catalogue never calls a type: it lists a rowversion as timestamp.
NEVER_LISTED = {"rowversion"}
UNKNOWN = {"TaxNumber"}
