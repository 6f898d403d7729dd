# ruff: noqa: DTZ001 - times without a zone are what is tested
"""Every PostgreSQL type with ordinary and extreme values, and what the warehouse must hold for each."""

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


YEARS = Refused("outside the years 1 to 9999")
NOT_A_NUMBER = Refused("is not a number")

# Setup statements for types that are made by users.
SETUP = (
    "CREATE TYPE mood AS ENUM ('sad', 'ok', 'very happy')",
    "CREATE DOMAIN positive AS numeric(8, 3) CHECK (VALUE > 0)",
    "CREATE DOMAIN smaller AS positive CHECK (VALUE < 100)",
    "CREATE DOMAIN email AS text",
    "CREATE TYPE address AS (street text, number int, since date)",
    'CREATE TYPE "Odd ""Type" AS ENUM (\'a\')',
)

# Type, warehouse type, and pairs of an SQL value and what is read back.
MATRIX: list[tuple[str, str, list[tuple[str, Any]]]] = [
    ("smallint", "INT64", [("'-32768'", -32768), ("32767", 32767)]),
    ("integer", "INT64", [("'-2147483648'", -2147483648), ("2147483647", 2147483647)]),
    ("bigint", "INT64", [("'-9223372036854775808'", -(2**63)), ("9223372036854775807", 2**63 - 1)]),
    ("oid", "INT64", [("0", 0), ("4294967295", 4294967295)]),
    ("xid", "INT64", [("'4294967295'", 4294967295)]),
    ("cid", "INT64", [("'4294967295'", 4294967295)]),
    ("xid8", "NUMERIC", [("'18446744073709551615'", D("18446744073709551615"))]),
    ("real", "FLOAT64", [("0.5", 0.5), ("3.4028235e38", 3.4028234663852886e38), ("'-Infinity'", float("-inf"))]),
    (
        "double precision",
        "FLOAT64",
        [
            ("0.1", 0.1),
            ("1.7976931348623157e308", 1.7976931348623157e308),
            ("5e-324", 5e-324),
            ("'NaN'", float("nan")),
            ("'Infinity'", float("inf")),
            ("'-0'", -0.0),
        ],
    ),
    (
        "numeric(12,2)",
        "NUMERIC",
        [("9999999999.99", D("9999999999.99")), ("-0.01", D("-0.01")), ("0", D("0.00")), ("'NaN'", NOT_A_NUMBER)],
    ),
    ("numeric(38,0)", "BIGNUMERIC", [("9" * 38, D("9" * 38)), ("-" + "9" * 38, D("-" + "9" * 38))]),
    ("numeric(38,9)", "NUMERIC", [("9" * 29 + "." + "9" * 9, D("9" * 29 + "." + "9" * 9))]),
    ("numeric(38,38)", "BIGNUMERIC", [("0." + "9" * 38, D("0." + "9" * 38)), ("'NaN'", NOT_A_NUMBER)]),
    ("numeric(50,20)", "BIGNUMERIC", [("9" * 30 + "." + "1" * 20, "9" * 30 + "." + "1" * 20)]),
    ("numeric(100,50)", "STRING", [("'NaN'", "NaN"), ("1.5", "1.5" + "0" * 49)]),
    ("numeric(3,5)", "NUMERIC", [("0.00999", D("0.00999"))]),
    ("numeric(5,-2)", "NUMERIC", [("1234567", D("1234600"))]),
    (
        "numeric",
        "NUMERIC",
        [
            ("1.5", D("1.500000000")),
            ("1.0000000000000000", D("1.000000000")),
            ("9" * 29, D("9" * 29)),
            ("1e29", Refused("29 digits before")),
            ("0.0000000001", Refused("9 digits after")),
            ("'NaN'", Refused("not a number")),
            ("'Infinity'", Refused("not a number")),
            ("'-Infinity'", Refused("not a number")),
        ],
    ),
    ("money", "NUMERIC", [("'-92233720368547758.08'", D("-92233720368547758.08")), ("0.01::money", D("0.01"))]),
    ("boolean", "BOOL", [("true", True), ("false", False)]),
    ('"char"', "STRING", [("'x'", "x")]),
    ("character(5)", "STRING", [("'ab'", "ab   "), ("'é🙂'", "é🙂   ")]),
    ("character varying(10)", "STRING", [("''", ""), ("'0012 '", "0012 ")]),
    ("text", "STRING", [("'🙂 \\ '' \" \t'", "🙂 \\ ' \" \t"), ("repeat('x', 100000)", "x" * 100_000)]),
    ("name", "STRING", [("'n'", "n")]),
    ("bytea", "BYTES", [("'\\x00ff00'", b"\x00\xff\x00"), ("''", b"")]),
    (
        "date",
        "DATE",
        [
            ("'0001-01-01'", date(1, 1, 1)),
            ("'9999-12-31'", date(9999, 12, 31)),
            ("'infinity'", YEARS),
            ("'-infinity'", YEARS),
            ("'0001-12-31 BC'", YEARS),
            ("'5874897-12-31'", YEARS),
            ("'10000-01-01'", YEARS),
        ],
    ),
    (
        "timestamp",
        "DATETIME",
        [
            ("'0001-01-01'", datetime(1, 1, 1)),
            ("'9999-12-31 23:59:59.999999'", datetime(9999, 12, 31, 23, 59, 59, 999999)),
            ("'2024-02-29 12:00:00.000001'", datetime(2024, 2, 29, 12, 0, 0, 1)),
            ("'infinity'", YEARS),
            ("'-infinity'", YEARS),
            ("'4713-01-01 BC'", YEARS),
            ("'294276-12-31 23:59:59.999999'", YEARS),
        ],
    ),
    (
        "timestamp with time zone",
        "TIMESTAMP",
        [
            ("'2024-03-31 02:30:00+01'", datetime(2024, 3, 31, 1, 30, tzinfo=UTC)),
            ("'9999-12-31 23:59:59.999999+00'", datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
            ("'0001-01-01 00:00:00+00'", datetime(1, 1, 1, tzinfo=UTC)),
            ("'9999-12-31 23:59:59-01'", YEARS),
            ("'infinity'", YEARS),
            ("'-infinity'", YEARS),
            ("'294276-12-31 23:59:59+00'", YEARS),
        ],
    ),
    (
        "time",
        "TIME",
        [("'00:00'", "00:00:00.000000"), ("'23:59:59.999999'", "23:59:59.999999"), ("'24:00'", Refused("24:00"))],
    ),
    (
        "time with time zone",
        "STRING",
        [("'12:00:00.5+05:30'", "12:00:00.5+05:30"), ("'24:00-15:59'", "24:00:00-15:59")],
    ),
    (
        "interval",
        "STRING",
        [
            ("'1 year 2 months 3 days 04:05:06.7'", "1 year 2 mons 3 days 04:05:06.7"),
            ("'-178000000 years'", "-178000000 years"),
        ],
    ),
    ("uuid", "STRING", [("'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")]),
    ("json", "JSON", [('\'{"b" : 1.10, "b":2}\'', '{"b" : 1.10, "b":2}'), ("'null'", "null")]),
    (
        "jsonb",
        "JSON",
        [
            ("'{\"n\": 12345678901234567890.1234567890}'", '{"n": 12345678901234567890.1234567890}'),
            ("'1e400'", "1" + "0" * 400),
        ],
    ),
    ("jsonpath", "STRING", [("'$.a[*]'", '$."a"[*]')]),
    ("inet", "STRING", [("'192.168.0.1'", "192.168.0.1"), ("'10.1.2.3/8'", "10.1.2.3/8"), ("'::1'", "::1")]),
    ("cidr", "STRING", [("'10.0.0.0/8'", "10.0.0.0/8"), ("'2001:db8::/32'", "2001:db8::/32")]),
    ("macaddr", "STRING", [("'08:00:2b:01:02:03'", "08:00:2b:01:02:03")]),
    ("macaddr8", "STRING", [("'08:00:2b:01:02:03:04:05'", "08:00:2b:01:02:03:04:05")]),
    ("bit(3)", "STRING", [("B'101'", "101")]),
    ("bit varying", "STRING", [("B'0001'", "0001"), ("B''", "")]),
    ("point", "STRING", [("'(1.5,-2)'", "(1.5,-2)")]),
    ("line", "STRING", [("'{1,2,3}'", "{1,2,3}")]),
    ("lseg", "STRING", [("'[(0,0),(1,1)]'", "[(0,0),(1,1)]")]),
    ("box", "STRING", [("'(1,1),(0,0)'", "(1,1),(0,0)")]),
    ("path", "STRING", [("'[(0,0),(1,1)]'", "[(0,0),(1,1)]")]),
    ("polygon", "STRING", [("'((0,0),(1,1),(1,0))'", "((0,0),(1,1),(1,0))")]),
    ("circle", "STRING", [("'<(0,0),2>'", "<(0,0),2>")]),
    ("tsvector", "STRING", [("'fat:2 cat:1'", "'cat':1 'fat':2")]),
    ("tsquery", "STRING", [("'fat & cat'", "'fat' & 'cat'")]),
    ("pg_lsn", "STRING", [("'16/B374D848'", "16/B374D848")]),
    ("tid", "STRING", [("'(4,2)'", "(4,2)")]),
    ("pg_snapshot", "STRING", [("'10:20:10,14'", "10:20:10,14")]),
    ("regclass", "STRING", [("'pg_class'", "pg_class")]),
    ("regtype", "STRING", [("'integer'", "integer")]),
    ("aclitem", "STRING", [("'postgres=r/postgres'", "postgres=r/postgres")]),
    ("refcursor", "STRING", [("'c'", "c")]),
    ("int2vector", "STRING", [("'1 2'", "1 2")]),
    ("oidvector", "STRING", [("'1 4294967295'", "1 4294967295")]),
    ("int4range", "STRING", [("'[1,5]'", "[1,6)"), ("'empty'", "empty")]),
    ("tstzrange", "STRING", [("'[2024-01-01 00:00+00,infinity]'", '["2024-01-01 00:00:00+00",infinity]')]),
    ("int8multirange", "STRING", [("'{[1,2],[5,6]}'", "{[1,3),[5,7)}")]),
    ("integer[]", "JSON", [("'{1,NULL,3}'", "[1,null,3]"), ("'{{1,2},{3,4}}'", "[[1,2],[3,4]]"), ("'{}'", "[]")]),
    ("text[]", "JSON", [("ARRAY['a,b', 'c\"d', '']", '["a,b","c\\"d",""]')]),
    ("numeric(12,2)[]", "JSON", [("'{1.50,NaN}'", '[1.50,"NaN"]')]),
    ("timestamptz[]", "JSON", [("'{infinity}'", '["infinity"]')]),
    ("mood", "STRING", [("'very happy'", "very happy")]),
    ("mood[]", "JSON", [("'{sad,ok}'", '["sad","ok"]')]),
    ('"Odd ""Type"', "STRING", [("'a'", "a")]),
    ("positive", "NUMERIC", [("99999.999", D("99999.999"))]),
    ("smaller", "NUMERIC", [("0.001", D("0.001"))]),
    ("email", "STRING", [("'a@b.example'", "a@b.example")]),
    (
        "address",
        "JSON",
        [("ROW('Main \"St\"', 7, '2020-01-02')", '{"street":"Main \\"St\\"","number":7,"since":"2020-01-02"}')],
    ),
    ("address[]", "JSON", [("ARRAY[ROW(NULL, 1, NULL)::address]", '[{"street":null,"number":1,"since":null}]')]),
]
