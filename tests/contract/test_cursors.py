"""Cursors of every kind of number and time, on real servers: each row is loaded, whatever the lag reaches back to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from contract.copying_contract import Copying
from contract.mysql_arena import MySQLArena
from contract.postgresql_arena import PostgreSQLArena
from mariadb_support import MariaDBServer

LONG = "20261128211854123456000000"

# The type of the cursor, the values it takes from run to run, and the lag.
OF_POSTGRESQL = [
    ("xid8", ["900", "1500", "18446744073709551615"], 1000),
    ("oid", ["900", "1500", "4294967295"], 1000),
    ("xid", ["900", "1500", "4294967295"], 1000),
    ("numeric(38,0)", [f"{LONG}009059999900", f"{LONG}009059999901", f"{LONG}019999999901"], 1000),
    ("numeric", [f"{LONG}009059999900.1", f"{LONG}009059999900.2", f"{LONG}009059999901"], 0),
    ("real", ["0.1", "16777217", "1234567890", "1234568192"], 0),
]
OF_MARIADB = [
    ("float", ["0.1", "16777217", "16777220", "1234567890", "1234568192", "1234568700"], 1000),
    ("float", ["0.1", "16777217", "16777220", "1234567890", "1234568192"], 0),
    ("float(12,2)", ["0.1", "16777217", "16777220", "1234567890", "1234568192"], 0),
    ("double(16,4)", ["0.1", "16777217.5", "16777217.5001"], 0),
    ("bigint unsigned", ["5", "6", "18446744073709551615"], 1000),
    ("decimal(65,30)", ["12345678901234567890123456789012345.1", "12345678901234567890123456789012345.2"], 1000),
    ("year", ["1995", "2020", "2021", "2155"], 1990),
]


@pytest.fixture(scope="module")
def postgresql(postgres_server: Any) -> PostgreSQLArena:
    return PostgreSQLArena(postgres_server, "cursors")


@pytest.fixture(scope="module")
def mariadb(mariadb_server: MariaDBServer) -> MySQLArena:
    return MySQLArena(mariadb_server, "mariadb", "cursors")


def loaded(arena: MySQLArena | PostgreSQLArena, folder: Path, declared: str, values: list[str], lag: int) -> int:
    """How many rows a job has loaded or rejected that ran after each of them came."""
    arena.execute("DROP TABLE IF EXISTS t", f"CREATE TABLE t (id int PRIMARY KEY, at {declared} NOT NULL)")
    job = Copying(arena, "t", folder, {"cursor": "at", "key": ("id",), "lag_units": lag}, reject_threshold=1.0)
    for number, value in enumerate(values, 1):
        arena.execute(f"INSERT INTO t VALUES ({number}, '{value}')")
        assert job.run().reconciled
    rejected = job.table.rejected
    return job.table.row_count() + (rejected.row_count() if rejected.exists() else 0)


@pytest.mark.parametrize(("declared", "values", "lag"), OF_POSTGRESQL)
def test_no_row_of_postgresql_is_passed_over(
    tmp_path: Path, postgresql: PostgreSQLArena, declared: str, values: list[str], lag: int
) -> None:
    assert loaded(postgresql, tmp_path, declared, values, lag) == len(values)


@pytest.mark.parametrize(("declared", "values", "lag"), OF_MARIADB)
def test_no_row_of_mariadb_is_passed_over(
    tmp_path: Path, mariadb: MySQLArena, declared: str, values: list[str], lag: int
) -> None:
    assert loaded(mariadb, tmp_path, declared, values, lag) == len(values)
