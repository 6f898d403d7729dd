# ruff: noqa: E501 - a table of cases
# ruff: noqa: DTZ001 - times without a zone are what is tested
"""Redshift's types with ordinary and extreme values, as far as the stand-in has them, and what must be read."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from contract.postgresql_matrix import Refused

D = Decimal
NO_DAY = Refused("is not a date written")
NO_TIME = Refused("is not a date with a time")

# Type of the stand-in, warehouse type, and pairs of an SQL value and what is read back.
MATRIX: list[tuple[str, str, list[tuple[str, Any]]]] = [
    ("smallint", "INT64", [("'-32768'", -32768), ("32767", 32767)]),
    ("integer", "INT64", [("'-2147483648'", -2147483648), ("2147483647", 2147483647)]),
    ("bigint", "INT64", [("'-9223372036854775808'", -(2**63)), ("9223372036854775807", 2**63 - 1)]),
    ("numeric(18,0)", "NUMERIC", [("999999999999999999", D(10**18 - 1))]),
    ("numeric(12,2)", "NUMERIC", [("9999999999.99", D("9999999999.99")), ("-0.01", D("-0.01"))]),
    ("numeric(38,0)", "BIGNUMERIC", [("9" * 38, D("9" * 38)), ("-" + "9" * 38, D("-" + "9" * 38))]),
    ("numeric(38,37)", "BIGNUMERIC", [("9." + "9" * 37, D("9." + "9" * 37))]),
    ("real", "FLOAT64", [("0.5", 0.5), ("'3.4028235e38'", 3.4028234663852886e38), ("'1.17549435e-38'", 2.0**-126)]),
    (
        "double precision",
        "FLOAT64",
        [
            ("0.1", 0.1),
            ("1.7976931348623157e308", 1.7976931348623157e308),
            ("5e-324", 5e-324),
            ("'NaN'", float("nan")),
            ("'Infinity'", float("inf")),
            ("'-Infinity'", float("-inf")),
        ],
    ),
    ("boolean", "BOOL", [("true", True), ("false", False)]),
    ("character(5)", "STRING", [("'ab'", "ab   ")]),
    (
        "character varying(65535)",
        "STRING",
        [
            ("E'🙂 \\\\ '' \" \\t'", "🙂 \\ ' \" \t"),
            ("''", ""),
            ("'0012 '", "0012 "),
            ("repeat('x', 65535)", "x" * 65535),
        ],
    ),
    (
        "date",
        "DATE",
        [
            ("'0001-01-01'", date(1, 1, 1)),
            ("'9999-12-31'", date(9999, 12, 31)),
            ("'0001-12-31 BC'", NO_DAY),
            ("'10000-01-01'", NO_DAY),
        ],
    ),
    (
        "timestamp",
        "DATETIME",
        [
            ("'0001-01-01'", datetime(1, 1, 1)),
            ("'9999-12-31 23:59:59.999999'", datetime(9999, 12, 31, 23, 59, 59, 999999)),
            ("'4713-01-01 BC'", NO_TIME),
            ("'294276-12-31 23:59:59.999999'", NO_TIME),
        ],
    ),
    (
        "timestamp with time zone",
        "TIMESTAMP",
        [
            ("'2024-03-31 02:30:00+01'", datetime(2024, 3, 31, 1, 30, tzinfo=UTC)),
            ("'9999-12-31 23:59:59.999999+00'", datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
            ("'294276-12-31 23:59:59+00'", NO_TIME),
        ],
    ),
    (
        "time",
        "TIME",
        [
            ("'00:00'", "00:00:00.000000"),
            ("'23:59:59.999999'", "23:59:59.999999"),
            ("'24:00'", Refused("is not a time")),
        ],
    ),
    ("time with time zone", "STRING", [("'12:00:00.5+05:30'", "12:00:00.5+05:30")]),
    ("interval", "STRING", [("'1 year 2 months 3 days 04:05:06.7'", "1 year 2 mons 3 days 04:05:06.7")]),
    # The stand-in of SUPER and of VARBYTE.
    (
        "json",
        "JSON",
        [("'{\"n\": 12345678901234567890.1234567890}'", '{"n": 12345678901234567890.1234567890}'), ("'null'", "null")],
    ),
    ("bytea", "BYTES", [("'\\x00ff00'", b"\x00\xff\x00"), ("''", b"")]),
    ("text", "STRING", [("'🙂'", "🙂")]),
    ("oid", "STRING", [("4294967295", "4294967295")]),
    ("name", "STRING", [("'n'", "n")]),
    ('"char"', "STRING", [("'c'", "c")]),
    ("regproc", "STRING", [("'now'", "now")]),
    ("aclitem", "STRING", [("'=r/postgres'", "=r/postgres")]),
    ("xid", "STRING", [("'4294967295'", "4294967295")]),
    ("tid", "STRING", [("'(1,2)'", "(1,2)")]),
    # Types that the stand-in lacks, under their names in Redshift and with the texts that Redshift sends.
    ('"super"', "JSON", [("'{\"n\":12345678901234567890.1,\"l\":[1,null]}'", '{"n":12345678901234567890.1,"l":[1,null]}'),
                       ("'null'", "null"), ("'{'", Refused("is not JSON"))]),
    ('"interval year to month"', "STRING", [("'1 year 2 mons'", "1 year 2 mons")]),
    ('"interval day to second"', "STRING", [("'3 days 04:05:06.7'", "3 days 04:05:06.7")]),
    ('"geometry"', "STRING", [("'0101000020E6100000000000000000F03F0000000000000040'", "0101000020E6100000000000000000F03F0000000000000040")]),
    ('"geography"', "STRING", [("'0101000020E6100000000000000000F03F0000000000000040'", "0101000020E6100000000000000000F03F0000000000000040")]),
    ('"hllsketch"', "STRING", [("'{\"logm\":15,\"sparse\":{\"indices\":[],\"values\":[]}}'", '{"logm":15,"sparse":{"indices":[],"values":[]}}')]),
    ('"abstime"', "STRING", [("'2024-02-29 12:00:00+00'", "2024-02-29 12:00:00+00")]),
    ('"struct<a:int,b:varchar(20)>"', "JSON", [("'{\"a\":1,\"b\":\"x\"}'", '{"a":1,"b":"x"}')]),
    ('"array<int>"', "JSON", [("'[1,null]'", "[1,null]")]),
    ('"map<varchar(9),int>"', "JSON", [("'{\"k\":1}'", '{"k":1}')]),
    ('"some new type"', "STRING", [("'as it is printed'", "as it is printed")]),
]  # fmt: skip
# Domains of text stand for these.
MADE = tuple(kind for kind, _, _ in MATRIX if kind.startswith('"') and kind != '"char"')
