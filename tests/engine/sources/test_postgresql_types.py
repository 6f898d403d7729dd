"""Every PostgreSQL type reads back as written, or is rejected with its reason."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
from contract.postgresql_arena import PostgreSQLArena
from contract.postgresql_matrix import MATRIX, SETUP, Refused

from b2b_recs.engine.schema.arrow import arrow_schema
from b2b_recs.engine.sources.contract import Batch, ReadRequest, Source
from b2b_recs.engine.sources.registry import SOURCE_TYPES


@pytest.fixture(scope="module")
def arena(postgres_server: Any) -> PostgreSQLArena:
    arena = PostgreSQLArena(postgres_server, "types")
    arena.execute(*SETUP)
    return arena


@pytest.fixture(scope="module")
def source(arena: PostgreSQLArena) -> Iterator[Source]:
    with arena.open() as source:
        yield source


def proposed(source: Source, table: str) -> ReadRequest:
    columns = source.columns("public", table)
    samples = source.samples("public", table, [column.name for column in columns], 0)
    return ReadRequest("public", table, tuple(SOURCE_TYPES["postgresql"].propose(columns, samples, "UTC")))


def read_all(source: Source, request: ReadRequest) -> tuple[pa.Table, list[Any]]:
    batches: list[Batch] = list(source.read(request))
    rejected = [row for batch in batches for row in batch.rejected]
    return pa.Table.from_batches([batch.rows for batch in batches], arrow_schema(request.columns)), rejected


def same(left: Any, right: Any) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        return (math.isnan(left) and math.isnan(right)) or (
            left == right and math.copysign(1, left) == math.copysign(1, right)
        )
    return type(left) is type(right) and bool(left == right)


@pytest.mark.parametrize(("kind", "warehouse", "values"), MATRIX, ids=[kind for kind, _, _ in MATRIX])
def test_a_type_reads_back_as_written_or_is_rejected_with_its_reason(
    arena: PostgreSQLArena, source: Source, kind: str, warehouse: str, values: list[tuple[str, Any]]
) -> None:
    arena.execute("DROP TABLE IF EXISTS t", f"CREATE TABLE t (at int, v {kind})")
    rows = ", ".join(
        f"({at}, {value})" if "(" in value else f"({at}, {value}::{kind})" for at, (value, _) in enumerate(values)
    )
    arena.execute(f"INSERT INTO t VALUES {rows}, (1000, NULL)")
    request = proposed(source, "t")

    table, rejected = read_all(source, request)

    assert request.columns[1].warehouse_type == warehouse
    got = dict(zip(table.column(0).to_pylist(), table.column(1).to_pylist(), strict=True))
    refused = {int(row.row["at"] or -1): row for row in rejected}
    assert got.pop(1000) is None
    for at, (_, wanted) in enumerate(values):
        if isinstance(wanted, Refused):
            assert wanted.words in refused[at].reason
            assert refused[at].column == "v"
            text = arena.rows(f"SELECT v::text FROM t WHERE at = {at}")[0][0]
            assert refused[at].row["v"] == text
        else:
            assert same(got[at], wanted), (got[at], wanted)
    assert len(got) + len(refused) == len(values)


def test_every_type_of_the_server_has_a_rule(arena: PostgreSQLArena) -> None:
    from b2b_recs.engine.sources.postgresql.types import RULES

    names = arena.rows(
        "SELECT typname::text FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype = 'b' "
        "AND typcategory <> 'A' AND typname NOT LIKE 'pg\\_%' AND typname NOT IN ('gtsvector')"
    )
    assert {name for (name,) in names} - set(RULES) == set()
    assert len(RULES) >= 60
