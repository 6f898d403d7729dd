# ruff: noqa: DTZ001 - times without a zone are what is tested
"""BigQuery's types with ordinary and extreme values, and what must be read."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pyarrow as pa
from doubles.bigquery import Field

D = Decimal
_PARTS = (Field("name", "STRING"), Field("amount", "NUMERIC"))

# Field, warehouse type, and pairs of what the service holds and what is read back.
MATRIX: list[tuple[Field, str, list[tuple[Any, Any]]]] = [
    (Field("v", "STRING"), "STRING", [("🙂 \\ ' \" \t", "🙂 \\ ' \" \t"), ("", ""), ("0012 ", "0012 ")]),
    (Field("v", "BYTES"), "BYTES", [(b"\x00\xff\x00", b"\x00\xff\x00"), (b"", b"")]),
    (Field("v", "INTEGER"), "INT64", [(2**63 - 1, 2**63 - 1), (-(2**63), -(2**63))]),
    (
        Field("v", "FLOAT"),
        "FLOAT64",
        [
            (0.1, 0.1),
            (1.7976931348623157e308, 1.7976931348623157e308),
            (5e-324, 5e-324),
            (float("nan"), float("nan")),
            (float("-inf"), float("-inf")),
        ],
    ),
    (
        Field("v", "NUMERIC"),
        "NUMERIC",
        [(D("9" * 29 + "." + "9" * 9), D("9" * 29 + "." + "9" * 9)), (D("-0.000000001"), D("-0.000000001"))],
    ),
    (Field("v", "NUMERIC", precision=10, scale=2), "NUMERIC", [(D("12345678.91"), D("12345678.91"))]),
    (
        Field("v", "BIGNUMERIC"),
        "BIGNUMERIC",
        [(D("9" * 38 + "." + "9" * 38), "9" * 38 + "." + "9" * 38), (D("-1E-38"), "-0." + "0" * 37 + "1")],
    ),
    (Field("v", "BOOLEAN"), "BOOL", [(True, True), (False, False)]),
    (Field("v", "DATE"), "DATE", [(date(1, 1, 1), date(1, 1, 1)), (date(9999, 12, 31), date(9999, 12, 31))]),
    (
        Field("v", "DATETIME"),
        "DATETIME",
        [
            (datetime(1, 1, 1), datetime(1, 1, 1)),
            (datetime(9999, 12, 31, 23, 59, 59, 999999), datetime(9999, 12, 31, 23, 59, 59, 999999)),
        ],
    ),
    (
        Field("v", "TIME"),
        "TIME",
        [(time(0, 0), "00:00:00.000000"), (time(23, 59, 59, 999999), "23:59:59.999999")],
    ),
    (
        Field("v", "TIMESTAMP"),
        "TIMESTAMP",
        [
            (datetime(1, 1, 1, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)),
            (datetime(2024, 3, 31, 1, 30, 0, 1, tzinfo=UTC), datetime(2024, 3, 31, 1, 30, 0, 1, tzinfo=UTC)),
        ],
    ),
    (
        Field("v", "INTERVAL"),
        "STRING",
        [
            (pa.MonthDayNano([14, 3, 14_706_700_000_000]), "1-2 3 4:5:6.7"),
            (pa.MonthDayNano([-14, -3, -14_706_000_000_000]), "-1-2 -3 -4:5:6"),
            (pa.MonthDayNano([0, 0, 0]), "0-0 0 0:0:0"),
        ],
    ),
    (
        Field("v", "JSON"),
        "JSON",
        [('{"n":12345678901234567890.1234567890}', '{"n":12345678901234567890.1234567890}'), ("null", "null")],
    ),
    (Field("v", "GEOGRAPHY"), "GEOGRAPHY", [("POINT(-0.1 51.5)", "POINT(-0.1 51.5)")]),
    (
        Field("v", "RECORD", fields=_PARTS),
        "JSON",
        [({"name": 'a "b"', "amount": D("1.5")}, '{"name":"a \\"b\\"","amount":1.500000000}')],
    ),
    (
        Field("v", "RANGE"),
        "JSON",
        [({"start": date(2024, 1, 1), "end": None}, '{"start":"2024-01-01","end":null}')],
    ),
    (Field("v", "INTEGER", "REPEATED"), "JSON", [([1, 2], "[1,2]"), ([], "[]")]),
    (
        Field("v", "RECORD", "REPEATED", fields=_PARTS),
        "JSON",
        [([{"name": None, "amount": None}], '[{"name":null,"amount":null}]')],
    ),
]
