# ruff: noqa: DTZ001, E501 - times without a zone are what is tested; a case is a line
"""A column the user maps to another type is converted exactly or its row is rejected."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from contract.postgresql_arena import PostgreSQLArena
from contract.postgresql_matrix import MATRIX, SETUP

from b2b_recs.engine.errors import BadInput, EngineError
from b2b_recs.engine.schema.number_formats import NUMBER_FORMATS
from b2b_recs.engine.schema.types import ColumnMapping, Mode, WarehouseType
from b2b_recs.engine.sources.casting import cast_batch
from b2b_recs.engine.sources.contract import ReadRequest, Source
from b2b_recs.engine.sources.postgresql.conversions import Given, convert
from b2b_recs.engine.sources.postgresql.types import Kind
from b2b_recs.engine.sources.quoting import quote_text

NO = object()
W = WarehouseType


@pytest.fixture(scope="module")
def arena(postgres_server: Any) -> PostgreSQLArena:
    arena = PostgreSQLArena(postgres_server, "overrides")
    arena.execute(*SETUP)
    return arena


@pytest.fixture(scope="module")
def source(arena: PostgreSQLArena) -> Iterator[Source]:
    with arena.open() as source:
        yield source


def read(source: Source, table: str, column: ColumnMapping, zone: str = "UTC") -> tuple[dict[int, Any], dict[int, str]]:
    source.columns("public", table)  # the table as it is now
    return read_again(source, table, column, zone)


def read_again(
    source: Source, table: str, column: ColumnMapping, zone: str = "UTC"
) -> tuple[dict[int, Any], dict[int, str]]:
    """Read a table that is as it was."""
    at = ColumnMapping("at", "integer", W.INT64)
    request = ReadRequest("public", table, (at, column), time_zone=zone)
    rows: dict[int, Any] = {}
    rejected: dict[int, str] = {}
    for batch in source.read(request):
        rows |= {row["at"]: row["v"] for row in batch.rows.to_pylist()}
        rejected |= {int(row.row["at"] or -1): row.reason for row in batch.rejected}
    return rows, rejected


def fill(arena: PostgreSQLArena, kind: str, values: list[str]) -> None:
    arena.execute("DROP TABLE IF EXISTS o", f"CREATE TABLE o (at int, v {kind})")
    for at, value in enumerate(values):
        arena.execute(f"INSERT INTO o VALUES ({at}, {value})")


CASES: list[tuple[str, WarehouseType, str, list[tuple[str, Any]]]] = [
    (
        "text", W.DATE, "UTC",
        [("'2024-02-29'", date(2024, 2, 29)), ("'2023-02-29'", NO), ("'2024-13-01'", NO), ("'2024-04-31'", NO),
         ("'01/02/2024'", NO), ("'n/a'", NO), ("''", NO), ("' 2024-01-01 '", date(2024, 1, 1)), ("'0000-01-01'", NO),
         ("'infinity'", NO), ("'today'", NO), ("'0001-01-01'", date(1, 1, 1)), ("'2024-12-31'", date(2024, 12, 31))],
    ),
    (
        "varchar(40)", W.DATETIME, "UTC",
        [("'2024-01-01 10:00:00'", datetime(2024, 1, 1, 10)), ("'2024-01-01'", datetime(2024, 1, 1)),
         ("'2024-01-01T23:59:59.999999'", datetime(2024, 1, 1, 23, 59, 59, 999999)), ("'2024-01-01 24:00:00'", NO),
         ("'2024-01-01 10:00:00+02'", NO), ("'2024-01-01 10:00:00.1234567'", NO), ("'now'", NO)],
    ),
    (
        "text", W.TIMESTAMP, "UTC",
        [("'2024-01-01T10:00:00+02:00'", datetime(2024, 1, 1, 8, tzinfo=UTC)),
         ("'2024-01-01 10:00:00.5Z'", datetime(2024, 1, 1, 10, 0, 0, 500000, tzinfo=UTC)),
         ("'2024-01-01 10:00:00'", NO), ("'0001-01-01 00:00:00+14'", NO), ("'9999-12-31 23:59:59-01'", NO)],
    ),
    ("text", W.TIME, "UTC", [("'10:00:00'", "10:00:00.000000"), ("'24:00:00'", NO), ("'noon'", NO)]),
    (
        "text", W.INT64, "UTC",
        [("'12'", 12), ("'-9223372036854775808'", -(2**63)), ("'9223372036854775808'", NO), ("'1.0'", 1), ("'1.5'", NO),
         ("'1e3'", 1000), ("'12x'", NO), ("''", NO), ("'NaN'", NO), ("'0x10'", NO)],
    ),
    (
        "text", W.FLOAT64, "UTC",
        [("'0.1'", 0.1), ("'1e99'", 1e99), ("'1e-300'", 1e-300), ("'-5e-324'", -5e-324), ("'2.225073858507201e-308'",
          2.225073858507201e-308), ("'1.7976931348623157e308'", 1.7976931348623157e308), ("'1.7976931348623158e308'", NO),
         ("'2e-324'", NO), ("'1e999'", NO), ("'1e-999'", NO), ("'0.12345678901234567890123'", NO), ("'Infinity'", NO)],
    ),
    ("text", W.NUMERIC, "UTC", [("'0.10'", Decimal("0.100000000")), ("'1e-10'", NO), ("'abc'", NO)]),
    ("text", W.BOOL, "UTC", [("'Yes'", True), ("'f'", False), ("'0'", False), ("'maybe'", NO)]),
    ("text", W.BYTES, "UTC", [("'é'", "é".encode())]),
    ("text", W.JSON, "UTC", [("'{\"a\": 1}'", '{"a": 1}'), ("'{a}'", NO), ("''", NO)]),
    ("char(12)", W.DATE, "UTC", [("'2024-01-01'", date(2024, 1, 1)), ("'x'", NO)]),
    (
        "numeric", W.INT64, "UTC",
        [("5.000", 5), ("5.5", NO), ("9223372036854775808", NO), ("'NaN'", NO), ("'Infinity'", NO)],
    ),
    ("numeric(30,2)", W.FLOAT64, "UTC", [("0.25", 0.25), ("1234567890123456789012.99", NO), ("'NaN'", NO)]),
    ("numeric", W.FLOAT64, "UTC", [("1e400", NO), ("1e-400", NO), ("0", 0.0), ("5e-324", 5e-324), ("1e308", 1e308)]),
    ("double precision", W.INT64, "UTC", [("3", 3), ("3.5", NO), ("'NaN'", NO), ("1e19", NO), ("'Infinity'", NO)]),
    ("double precision", W.NUMERIC, "UTC", [("0.1", Decimal("0.100000000")), ("1e30", NO), ("'NaN'", NO), ("1e-12", NO)]),
    ("bigint", W.FLOAT64, "UTC", [("9007199254740992", 9007199254740992.0), ("9007199254740993", NO)]),
    ("integer", W.BOOL, "UTC", [("1", True), ("0", False), ("2", NO)]),
    ("boolean", W.INT64, "UTC", [("true", 1)]),
    ("bigint", W.STRING, "UTC", [("7", "7")]),
    ("date", W.DATETIME, "UTC", [("'2024-01-01'", datetime(2024, 1, 1)), ("'5874897-12-31'", NO), ("'infinity'", NO)]),
    ("date", W.TIMESTAMP, "Europe/London", [("'2024-07-01'", datetime(2024, 6, 30, 23, tzinfo=UTC)), ("'infinity'", NO)]),
    (
        "timestamp", W.TIMESTAMP, "Europe/London",
        [("'2024-07-01 12:00'", datetime(2024, 7, 1, 11, tzinfo=UTC)), ("'2024-03-31 01:30'", NO),
         ("'infinity'", NO), ("'294276-12-31'", NO)],
    ),
    (
        "timestamp with time zone", W.DATETIME, "Europe/London",
        [("'2024-07-01 12:00+00'", datetime(2024, 7, 1, 13)), ("'2024-10-27 00:30+00'", NO), ("'-infinity'", NO)],
    ),
    ("timestamp", W.DATE, "UTC", [("'2024-07-01'", date(2024, 7, 1)), ("'2024-07-01 00:00:01'", NO), ("'infinity'", NO)]),
    ("timestamp with time zone", W.DATE, "Europe/London", [("'2024-06-30 23:00+00'", date(2024, 7, 1)), ("'infinity'", NO)]),
    ("uuid", W.JSON, "UTC", [("'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", '"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"')]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "wanted", "zone", "values"), CASES, ids=[f"{kind} to {to}" for kind, to, _, _ in CASES]
)
def test_an_override_converts_exactly_or_rejects(
    arena: PostgreSQLArena, source: Source, kind: str, wanted: WarehouseType, zone: str, values: list[tuple[str, Any]]
) -> None:
    fill(arena, kind, [sql for sql, _ in values] + ["NULL"])
    rows, rejected = read(source, "o", ColumnMapping("v", kind, wanted), zone)
    assert rows.pop(len(values)) is None
    expected = {at: value for at, (_, value) in enumerate(values) if value is not NO}
    assert rows == expected
    assert set(rejected) == {at for at, (_, value) in enumerate(values) if value is NO}
    assert all(reason.startswith("v: ") and len(reason) > 10 for reason in rejected.values())


WRITTEN = [
    "1.234,56", "1,234.56", "1234,56", "1234.56", "1 234,56", "1\u00a0234,5", "1\u202f234.5", "1'234.56", "1\u2019234,56",
    "1.234", "1,234", "1.234.567", "0,5", "0.123,4", "12.34,5", ",5", "5,", "+7,25", "-1.000", "1,5e3", " 12,5 ", "", "x", "\u0661",
    "1.23,4", "9" * 30 + ",5", "9" * 101,
]  # fmt: skip


@pytest.mark.parametrize("name", NUMBER_FORMATS)
def test_the_server_reads_numbers_in_a_format_as_this_side_does(
    arena: PostgreSQLArena, source: Source, name: str
) -> None:
    fill(arena, "text", [quote_text(text) for text in WRITTEN])
    for wanted in (W.NUMERIC, W.INT64, W.FLOAT64):
        column = ColumnMapping("v", "text", wanted, format=name)
        rows, rejected = read(source, "o", column)
        batch = cast_batch(pa.record_batch([pa.array(WRITTEN)], ["v"]), [column], "UTC")
        assert [rows[at] for at in sorted(rows)] == batch.rows["v"].to_pylist()
        assert [rejected[at] for at in sorted(rejected)] == [row.reason for row in batch.rejected]
        assert rows and rejected


def test_a_server_without_the_blanks_of_unicode_reads_the_others() -> None:
    target = ColumnMapping("v", "text", W.NUMERIC, format="1 234,56")
    given = Given('"v"', Kind.TEXT, target, None, None, "text", "pg_catalog", "UTC", 180000, "LATIN1")
    converted = convert(given)
    conditions = "".join(guard.condition for guard in converted.guards)
    assert (converted.value + conditions).isascii() and "[ ]" in conditions


@pytest.mark.parametrize(("kind", "wanted"), [("numeric", W.NUMERIC), ("text", W.STRING), ("text", W.DATE)])
def test_a_format_of_numbers_is_for_text_that_becomes_a_number(
    arena: PostgreSQLArena, source: Source, kind: str, wanted: WarehouseType
) -> None:
    fill(arena, kind, ["'1'"])
    with pytest.raises(BadInput) as caught:
        read(source, "o", ColumnMapping("v", kind, wanted, format="1.234,56"))
    assert caught.value.field == "v" and "format" in caught.value.message


def test_digits_the_user_chose_are_kept_to(arena: PostgreSQLArena, source: Source) -> None:
    fill(arena, "numeric(12,2)", ["1.50", "1.55", "123456.00"])
    rows, rejected = read(source, "o", ColumnMapping("v", "numeric(12,2)", W.NUMERIC, precision=5, scale=1))
    assert rows == {0: Decimal("1.5")}
    assert set(rejected) == {1, 2}
    with pytest.raises(BadInput) as caught:
        read(source, "o", ColumnMapping("v", "numeric(12,2)", W.NUMERIC, precision=39, scale=1))
    assert caught.value.field == "v"


def test_an_empty_value_of_a_required_column_is_rejected(arena: PostgreSQLArena, source: Source) -> None:
    fill(arena, "text", ["'a'", "NULL"])
    rows, rejected = read(source, "o", ColumnMapping("v", "text", W.STRING, Mode.REQUIRED))
    assert rows == {0: "a"}
    assert rejected == {1: "v: NULL is empty, and the column is required"}


def test_a_zone_the_server_does_not_know_is_refused(arena: PostgreSQLArena, source: Source) -> None:
    fill(arena, "timestamp", ["'2024-01-01'"])
    with pytest.raises(BadInput) as caught:
        read(source, "o", ColumnMapping("v", "timestamp", W.TIMESTAMP), "Mars/Olympus'; --")
    assert caught.value.field == "time_zone"


def test_every_type_becomes_every_warehouse_type_or_is_refused_by_name(arena: PostgreSQLArena, source: Source) -> None:
    """No pair of types ends in a server's or driver's error, or changes the number of rows."""
    for kind, _, values in MATRIX:
        arena.execute("DROP TABLE IF EXISTS p", f"CREATE TABLE p (at int, v {kind})")
        inserts = [f"{sql}" if "(" in sql else f"{sql}::{kind}" for sql, _ in values]
        arena.execute(*(f"INSERT INTO p VALUES ({at}, {value})" for at, value in enumerate(inserts)))
        source.columns("public", "p")
        for wanted in WarehouseType:
            try:
                rows, rejected = read_again(source, "p", ColumnMapping("v", kind, wanted))
            except BadInput as refusal:
                assert refusal.field == "v", (kind, wanted)
                continue
            except EngineError as error:
                raise AssertionError(f"{kind} to {wanted}: {error}") from error
            assert len(rows) + len(rejected) == len(values), (kind, wanted)
