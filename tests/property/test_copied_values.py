"""Whatever a table of MariaDB or SQLite holds, its copy holds the same, or the row is kept with a reason.

Each example is one job from the server to the warehouse; what the warehouse then answers is compared value by value.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from contract.copying_contract import Copying
from contract.mysql_arena import MySQLArena
from contract.sqlite_arena import SQLiteArena
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from mariadb_support import MariaDBServer

EXAMPLES = 6
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
# Servers do not agree on control characters in JSON.
PLAIN = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PLAIN, inner, max_size=3),
    max_leaves=6,
).map(lambda value: json.dumps(value, ensure_ascii=False))
MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(2038, 1, 18))  # noqa: DTZ001 - a zone is added when read back
SMALL = st.decimals(Decimal("-9999999999.99"), Decimal("9999999999.99"), places=2)
WIDE = st.decimals(Decimal("-1e28"), Decimal("1e28"), places=9)


@dataclass(frozen=True)
class Column:
    """A declared type, values the warehouse can hold, values it cannot, and how the held ones read back."""

    declared: str
    held: st.SearchStrategy[Any]
    refused: st.SearchStrategy[Any]
    read: Callable[[Any], Any] = lambda value: value


MARIADB = {
    "whole": Column("bigint", st.integers(-(2**63), 2**63 - 1), st.nothing()),
    "counted": Column("bigint unsigned", st.integers(0, 2**64 - 1), st.nothing(), Decimal),
    "flag": Column("tinyint(1)", st.integers(0, 1), st.integers(2, 127) | st.integers(-128, -1), bool),
    "amount": Column("decimal(12,2)", SMALL, st.nothing()),
    "wide": Column("decimal(38,9)", WIDE, st.nothing()),
    "fraction": Column("double", st.floats(allow_nan=False, allow_infinity=False), st.nothing()),
    "text": Column("varchar(60) CHARACTER SET utf8mb4", TEXT, st.nothing()),
    "raw": Column("varbinary(60)", st.binary(max_size=40), st.nothing()),
    "day": Column("date", st.dates(), st.sampled_from(["0000-00-00", "2024-00-10", "2024-02-31"])),
    "wall": Column("datetime(6)", st.datetimes(), st.sampled_from(["0000-00-00 00:00:00", "2024-02-31 10:00:00"])),
    "moment": Column(
        "timestamp(6) NULL", MOMENTS, st.just("0000-00-00 00:00:00"), lambda value: value.replace(tzinfo=UTC)
    ),
    "clock": Column(
        "time(6)",
        st.times(),
        st.sampled_from(["24:00:00", "-00:00:01", "838:59:59"]),
        lambda value: value.isoformat("microseconds"),
    ),
    "payload": Column("json", JSON, st.nothing()),
}
SQLITE = {
    "whole": Column("INTEGER", st.integers(-(2**63), 2**63 - 1), st.sampled_from(["twelve", 1.5, b"\x00"])),
    "flag": Column("BOOLEAN", st.integers(0, 1), st.sampled_from([2, -1, "perhaps"]), bool),
    "amount": Column("DECIMAL(12,2)", SMALL.map(str), st.sampled_from(["0.001", "much", b"1"]), Decimal),
    "fraction": Column("REAL", st.floats(allow_nan=False), st.sampled_from(["half", b"\x00"])),
    "text": Column("TEXT", TEXT, st.binary(max_size=4)),
    "raw": Column("BLOB", st.binary(max_size=40), st.integers(0, 9)),
    "day": Column("DATE", st.dates().map(str), st.sampled_from(["29.02.2024", "2024-02-30", "soon"])),
    "wall": Column("DATETIME", st.datetimes().map(str), st.sampled_from(["soon", b"\x00"]), datetime.fromisoformat),
    "clock": Column(
        "TIME", st.times().map(lambda time: time.isoformat("microseconds")), st.sampled_from(["25:00", "noon"])
    ),
    "payload": Column("JSON", JSON, st.sampled_from(["{", "[1,"])),
}
Row = dict[str, Any]
# The values of a row, and with which column it is refused.
Drawn = tuple[Row, str | None]


def rows_of(columns: dict[str, Column]) -> st.SearchStrategy[list[Drawn]]:
    """Tables of twelve rows and more, of which some have one value that cannot be held."""
    held = st.fixed_dictionaries({name: st.none() | column.held for name, column in columns.items()})
    spoilt = [
        st.tuples(st.just(name), column.refused) for name, column in columns.items() if not column.refused.is_empty
    ]

    def row(drawn: tuple[Row, tuple[str, Any] | None]) -> Drawn:
        values, refused = drawn
        return (values, None) if refused is None else (values | {refused[0]: refused[1]}, refused[0])

    return st.lists(st.tuples(held, st.one_of(*[st.none()] * len(spoilt), *spoilt)).map(row), min_size=12, max_size=20)


def declared(columns: dict[str, Column]) -> str:
    """The columns as a table declares them, after its key."""
    return "number INTEGER PRIMARY KEY, " + ", ".join(f"{name} {column.declared}" for name, column in columns.items())


def as_written(columns: dict[str, Column], rows: Sequence[Drawn]) -> list[list[Any]]:
    """The rows as they are inserted, each with its number."""
    return [[at, *(values[name] for name in columns)] for at, (values, _) in enumerate(rows)]


def check_copy(job: Copying, columns: dict[str, Column], rows: Sequence[Drawn]) -> None:
    """Copy the table, and compare the warehouse with what was written."""
    result = job.run()
    refused = {at: name for at, (_, name) in enumerate(rows) if name is not None}
    counts = (result.rows_read, result.rows_loaded, result.rows_rejected, result.reconciled)
    assert counts == (len(rows), len(rows) - len(refused), len(refused), True)
    found = {row.pop("number"): row for row in job.table.read().to_pylist()}
    for at, (values, name) in enumerate(rows):
        if name is not None:
            continue
        for column, value in values.items():
            expected = None if value is None else columns[column].read(value)
            assert same(found[at][column], expected), (column, found[at][column], expected)
    kept = job.table.rejected.read().to_pylist() if refused else []
    assert {int(json.loads(row["row"])["number"]): row["column"] for row in kept} == refused
    assert all(row["reason"] for row in kept)


def same(found: Any, expected: Any) -> bool:
    """Equal, a day also to its text, and a JSON text by what it says."""
    if isinstance(found, str) and found != expected and found[:1] in '{["tfn-0123456789':
        return bool(json.loads(found) == json.loads(expected))
    return bool(found == expected or str(found) == expected)


LIMITS = settings(
    phases=[Phase.explicit, Phase.generate],  # each step of shrinking would be a whole copy
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
WHOLE: dict[str, Any] = {"reject_threshold": 1.0}


@pytest.fixture(scope="module")
def from_mariadb(mariadb_server: MariaDBServer, tmp_path_factory: pytest.TempPathFactory) -> Copying:
    arena = MySQLArena(mariadb_server, "mariadb", "property")
    arena.execute(f"CREATE TABLE drawn ({declared(MARIADB)})")
    return Copying(arena, "drawn", tmp_path_factory.mktemp("mariadb"), {"strategy": "catalog"}, **WHOLE)


@pytest.fixture(scope="module")
def from_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Copying:
    arena = SQLiteArena(tmp_path_factory.mktemp("sqlite") / "place")
    arena.execute(f"CREATE TABLE drawn ({declared(SQLITE)})")
    return Copying(arena, "drawn", tmp_path_factory.mktemp("copied"), {"strategy": "catalog"}, **WHOLE)


@given(rows_of(MARIADB))
@LIMITS
def test_what_mariadb_holds_is_copied_unchanged_or_kept_with_its_reason(
    from_mariadb: Copying, rows: list[Drawn]
) -> None:
    arena: Any = from_mariadb.arena
    with arena.server.connect(arena.database) as connection, connection.cursor() as cursor:
        # Without these the server itself refuses what the warehouse is to refuse.
        cursor.execute("SET sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00', check_constraint_checks = 0")
        cursor.execute("TRUNCATE drawn")
        cursor.executemany(
            f"INSERT INTO drawn VALUES ({', '.join(['%s'] * (len(MARIADB) + 1))})", as_written(MARIADB, rows)
        )
    check_copy(from_mariadb, MARIADB, rows)


@given(rows_of(SQLITE))
@LIMITS
def test_what_sqlite_holds_is_copied_unchanged_or_kept_with_its_reason(from_sqlite: Copying, rows: list[Drawn]) -> None:
    arena: Any = from_sqlite.arena
    connection = sqlite3.connect(arena.path)
    with connection:
        connection.execute("DELETE FROM drawn")
        marks = ", ".join("?" * (len(SQLITE) + 1))
        connection.executemany(f"INSERT INTO drawn VALUES ({marks})", as_written(SQLITE, rows))
    connection.close()
    check_copy(from_sqlite, SQLITE, rows)
