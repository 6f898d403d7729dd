"""Whatever values a table holds, each reads back unchanged or its row is rejected; no row disappears."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from contract.postgresql_arena import PostgreSQLArena
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from b2b_recs.engine.sources.contract import ReadRequest, Source
from b2b_recs.engine.sources.registry import SOURCE_TYPES

TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=("Cs",)), max_size=40)
ZONES = st.builds(lambda minutes: timezone(timedelta(minutes=minutes)), st.integers(-12 * 60, 12 * 60))
ROW = st.fixed_dictionaries(
    {
        "whole": st.integers(-(2**63), 2**63 - 1),
        "small": st.integers(-(2**15), 2**15 - 1),
        "amount": st.decimals(-9999999999, 9999999999, places=2) | st.just(Decimal("NaN")),
        "free": st.decimals(allow_nan=False, allow_infinity=True) | st.just(Decimal("NaN")),
        "fraction": st.floats(),
        "word": TEXT,
        "flag": st.booleans(),
        "bytes": st.binary(max_size=40),
        "day": st.dates() | st.sampled_from(["infinity", "-infinity", "0044-03-15 BC", "294276-01-01"]),
        "wall": st.datetimes() | st.sampled_from(["infinity", "-infinity", "0044-03-15 BC", "294276-01-01"]),
        "moment": st.datetimes(
            datetime(2, 1, 1),  # noqa: DTZ001 - the zone is drawn beside
            datetime(9998, 12, 31),  # noqa: DTZ001
            timezones=ZONES,
        )
        | st.just("infinity"),
        "clock": st.times() | st.just("24:00"),
        "id": st.uuids(),
        "payload": st.recursive(
            st.none() | st.booleans() | st.integers(-(10**30), 10**30) | TEXT,
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
            max_leaves=6,
        ),
        "list": st.lists(st.none() | st.integers(-(2**31), 2**31 - 1), max_size=4),
    },
)
TYPES = {
    "whole": "bigint", "small": "smallint", "amount": "numeric(12,2)", "free": "numeric",
    "fraction": "double precision",
    "word": "text", "flag": "boolean", "bytes": "bytea", "day": "date", "wall": "timestamp", "moment": "timestamptz",
    "clock": "time", "id": "uuid", "payload": "jsonb", "list": "integer[]",
}  # fmt: skip


@pytest.fixture(scope="module")
def arena(postgres_server: Any) -> PostgreSQLArena:
    arena = PostgreSQLArena(postgres_server, "property")
    columns = ", ".join(f"{name} {kind}" for name, kind in TYPES.items())
    arena.execute(f"CREATE TABLE drawn (at integer PRIMARY KEY, {columns})")
    return arena


@pytest.fixture(scope="module")
def source(arena: PostgreSQLArena) -> Iterator[Source]:
    with arena.open() as source:
        yield source


def written(name: str, value: Any) -> Any:
    """A value as the driver of the test sends it."""
    if value is not None and name == "payload":
        return json.dumps(value)
    return str(value) if isinstance(value, (Decimal, UUID)) else value


def refused(row: dict[str, Any]) -> bool:
    """Whether the warehouse cannot hold a value of the row: the rule in its plainest form."""
    free = row["free"]
    return (
        any(isinstance(row[name], str) for name in ("day", "wall", "moment", "clock"))
        or (row["amount"] is not None and row["amount"].is_nan())
        or (free is not None and not _holds(free))
    )


def _holds(value: Decimal) -> bool:
    if not value.is_finite():
        return False
    parts = value.normalize().as_tuple()
    assert isinstance(parts.exponent, int)
    return not value or (parts.exponent >= -9 and value.adjusted() < 29)


def same(name: str, left: Any, right: Any) -> bool:
    if left is None or right is None:
        return left is right
    if name == "fraction":
        return (math.isnan(left) and math.isnan(right)) or (left == right)
    if name in ("payload", "list"):
        return bool(json.loads(right) == left)
    if name == "clock":
        return isinstance(left, time) and right == left.isoformat("microseconds")
    return bool(str(left) == right) if name == "id" else bool(left == right)


@given(st.lists(ROW, min_size=1, max_size=8), st.sets(st.tuples(st.integers(0, 7), st.sampled_from(sorted(TYPES)))))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_every_row_reads_back_unchanged_or_is_rejected(
    arena: PostgreSQLArena, source: Source, rows: list[dict[str, Any]], empty: set[tuple[int, str]]
) -> None:
    for at, name in empty:
        if at < len(rows):
            rows[at] = rows[at] | {name: None}
    marks = ", ".join(["%s"] + [f"%s::{kind}" for kind in TYPES.values()])
    with psycopg.connect(arena.server.url(arena.database), autocommit=True) as connection:
        connection.execute("TRUNCATE drawn")
        for at, row in enumerate(rows):
            values = [at, *(written(name, row[name]) for name in TYPES)]
            connection.execute(f"INSERT INTO drawn VALUES ({marks})".encode(), values)
    columns = source.columns("public", "drawn")
    request = ReadRequest("public", "drawn", tuple(SOURCE_TYPES["postgresql"].propose(columns, {}, "UTC")))

    batches = list(source.read(request))

    good = {row["at"]: row for batch in batches for row in batch.rows.to_pylist()}
    bad = {int(row.row["at"] or -1) for batch in batches for row in batch.rejected}
    assert bad == {at for at, row in enumerate(rows) if refused(row)}
    assert set(good) | bad == set(range(len(rows)))
    assert not set(good) & bad
    for at, row in good.items():
        for name in TYPES:
            assert same(name, rows[at][name], row[name]), (name, rows[at][name], row[name])


def test_the_plain_rule_can_refuse() -> None:
    assert not _holds(Decimal("1e29"))
    assert not _holds(Decimal("1e-10"))
    assert _holds(Decimal("1e28"))
