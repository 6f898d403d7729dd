"""Rows the warehouse cannot hold are told with their values and reasons, however the read finds them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from contract.postgresql_arena import PostgreSQLArena

from b2b_recs.engine.schema.types import ColumnMapping, Mode, WarehouseType
from b2b_recs.engine.sources.contract import ReadRequest, Source, Window
from b2b_recs.engine.sources.postgresql.printing import uuid_texts

W = WarehouseType
COLUMNS = (
    ColumnMapping("id", "integer", W.INT64),
    ColumnMapping("day", "date", W.DATE),
    ColumnMapping("wall", "timestamp", W.DATETIME),
    ColumnMapping("moment", "timestamptz", W.TIMESTAMP),
    ColumnMapping("amount", "numeric(12,2)", W.NUMERIC, precision=12, scale=2),
    ColumnMapping("reference", "uuid", W.STRING),
    ColumnMapping("document", "jsonb", W.JSON),
    ColumnMapping("word", "text", W.STRING, mode=Mode.REQUIRED),
)
GOOD = ("'2024-02-29'", "'2024-02-29 12:00'", "'2024-02-29 12:00+02'", "1.50", f"'{uuid.UUID(int=7)}'", "'{}'", "'w'")
YEARS = "lies outside the years 1 to 9999"
# Column, the value that is refused, its text, the reason.
BAD = (
    ("day", "'infinity'", "infinity", YEARS),
    ("day", "'0001-12-31 BC'", "0001-12-31 BC", YEARS),
    ("wall", "'-infinity'", "-infinity", YEARS),
    ("wall", "'294276-12-31 23:59:59.999999'", "294276-12-31 23:59:59.999999", YEARS),
    ("moment", "'10000-01-01 00:00+00'", "10000-01-01 00:00:00+00", YEARS),
    ("amount", "'NaN'", "NaN", "is not a number"),
    ("word", "NULL", None, "is empty, and the column is required"),
)


@pytest.fixture(scope="module")
def arena(postgres_server: Any) -> PostgreSQLArena:
    arena = PostgreSQLArena(postgres_server, "refused")
    kinds = [column.source_type for column in COLUMNS[1:]]
    shape = ", ".join(f"{column.name} {kind}" for column, kind in zip(COLUMNS[1:], kinds, strict=True))
    arena.execute(f"CREATE TABLE mixed (id integer PRIMARY KEY, {shape})", "CREATE TABLE nothing (LIKE mixed)")
    names = [column.name for column in COLUMNS[1:]]
    for at, (column, value, _, _) in enumerate(BAD):
        row = [value if name == column else good for name, good in zip(names, GOOD, strict=True)]
        arena.execute(f"INSERT INTO mixed VALUES ({2 * at}, {', '.join(GOOD)}), ({2 * at + 1}, {', '.join(row)})")
    arena.execute(
        "CREATE TABLE all_bad AS SELECT g AS id, 'NaN'::numeric(12, 2) AS amount FROM generate_series(1, 6000) g"
    )
    return arena


@pytest.fixture
def source(arena: PostgreSQLArena) -> Iterator[Source]:
    with arena.open() as source:
        yield source


def read(source: Source, request: ReadRequest) -> tuple[pa.Table, list[Any]]:
    source.columns("public", request.table)
    batches = list(source.read(request))
    rows = pa.Table.from_batches([batch.rows for batch in batches]) if batches else pa.table({"id": []})
    return rows, [row for batch in batches for row in batch.rejected]


@pytest.mark.parametrize("more", [{}, {"order_by": ("id",)}, {"order_by": ("id",), "row_limit": 1000}])
def test_every_way_of_reading_refuses_the_same_rows(source: Source, more: dict[str, Any]) -> None:
    rows, rejected = read(source, ReadRequest("public", "mixed", COLUMNS, **more))
    assert rows["id"].to_pylist() == [2 * at for at in range(len(BAD))]
    assert {str(value) for value in rows["reference"].to_pylist()} == {str(uuid.UUID(int=7))}
    assert {str(value) for value in rows["amount"].to_pylist()} == {"1.50"}
    found = sorted(((int(row.row["id"]), row) for row in rejected), key=lambda pair: pair[0])
    assert [number for number, _ in found] == [2 * at + 1 for at in range(len(BAD))]
    for (column, _, text, reason), (_, row) in zip(BAD, found, strict=True):
        assert (row.column, row.row[column]) == (column, text)
        assert row.reason == f"{column}: {'NULL' if text is None else text} {reason}"
        assert row.row["reference"] == str(uuid.UUID(int=7))


def test_rows_of_the_same_read_after_a_limit_are_not_told(source: Source) -> None:
    rows, rejected = read(source, ReadRequest("public", "mixed", COLUMNS, order_by=("id",), row_limit=4))
    assert (rows.num_rows, len(rejected)) == (2, 2)


def test_only_the_window_is_asked_for_refused_rows(source: Source) -> None:
    rows, rejected = read(source, ReadRequest("public", "mixed", COLUMNS, Window("id", "3", "7", lower_inclusive=True)))
    assert rows["id"].to_pylist() == [4, 6]
    assert sorted(row.row["id"] for row in rejected) == ["3", "5", "7"]


def test_a_value_that_only_the_server_can_refuse_is_refused_with_the_others(source: Source) -> None:
    columns = (*COLUMNS[:4], replace(COLUMNS[4], warehouse_type=W.INT64, precision=None, scale=None), *COLUMNS[5:])
    rows, rejected = read(source, ReadRequest("public", "mixed", columns))
    assert rows.num_rows == 0
    assert len(rejected) == 2 * len(BAD)


def test_many_refused_rows_come_in_several_batches(source: Source) -> None:
    columns = (COLUMNS[0], COLUMNS[4])
    source.columns("public", "all_bad")
    batches = list(source.read(ReadRequest("public", "all_bad", columns)))
    assert sum(batch.rows.num_rows for batch in batches) == 0
    assert sum(len(batch.rejected) for batch in batches) == 6000
    assert max(len(batch.rejected) for batch in batches) <= 5000


def test_an_empty_table_refuses_nothing(source: Source) -> None:
    rows, rejected = read(source, ReadRequest("public", "nothing", COLUMNS))
    assert (rows.num_rows, rejected) == (0, [])


def test_uuids_are_printed_as_the_standard_library_does() -> None:
    values = [uuid.UUID(int=number * 0x1234567890ABCDEF1122334455) for number in range(500)]
    stored = pa.array([*(value.bytes for value in values), None, bytes(16), b"\xff" * 16], pa.binary(16))
    texts = [*map(str, values), None, str(uuid.UUID(int=0)), "ffffffff-ffff-ffff-ffff-ffffffffffff"]
    for first in (0, 1, 499, 502):
        printed = uuid_texts(stored.slice(first))
        printed.validate(full=True)
        assert printed.to_pylist() == texts[first:]
    assert uuid_texts(stored.slice(500, 1)).to_pylist() == [None]
    assert uuid_texts(stored.slice(0, 0)).to_pylist() == []
