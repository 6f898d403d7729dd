"""The analytical connection sees the given versions and nothing else of the machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from b2b_recs.engine.errors import WarehouseTableMissing
from b2b_recs.engine.warehouse.local import LocalTable, LocalWarehouse
from b2b_recs.engine.warehouse.query import Limits, QueryTooLong, ibis_connection, query_connection, time_limit


@pytest.fixture
def table(tmp_path: Path) -> LocalTable:
    table = LocalWarehouse(tmp_path / "warehouse").table("raw_data", "bq_orders")
    table.append(pa.table({"id": [1, 2], "name": ["a", "b"]}))
    table.append(pa.table({"id": [3], "name": ["c"]}))
    return table


@pytest.fixture
def connection(table: LocalTable, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with query_connection({"orders": (table, None), "earlier": (table, 0)}, scratch=tmp_path / "scratch") as found:
        yield found


def test_views_show_the_versions_asked_for(connection: duckdb.DuckDBPyConnection) -> None:
    assert connection.sql("SELECT sum(id), count(*) FROM orders").fetchall() == [(6, 3)]
    assert connection.sql("SELECT sum(id), count(*) FROM earlier").fetchall() == [(3, 2)]


def test_a_view_of_a_table_never_loaded_is_refused(table: LocalTable, tmp_path: Path) -> None:
    missing = LocalWarehouse(tmp_path).table("raw_data", "nothing")
    with pytest.raises(WarehouseTableMissing), query_connection({"x": (missing, None)}):
        pass
    with pytest.raises(WarehouseTableMissing), query_connection({"x": (table, 7)}):
        pass


PROBES = (
    "SELECT * FROM read_parquet('{secret}')",
    "SELECT * FROM '{secret}'",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_blob('{secret}')",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM read_parquet('{own}')",
    "COPY (SELECT 1) TO '{out}'",
    "COPY (SELECT 1 AS id) TO '{own}' (FORMAT parquet, USE_TMP_FILE false)",
    "EXPORT DATABASE '{out}'",
    "ATTACH '{out}'",
    "ATTACH 'host=127.0.0.1' AS pg (TYPE postgres)",
    "INSTALL httpfs",
    "LOAD httpfs",
    "INSTALL x FROM community",
    "SET enable_external_access = true",
    "SET memory_limit = '100GB'",
    "RESET lock_configuration",
    "PRAGMA enable_profiling",
    "SELECT * FROM read_parquet('https://example.com/x.parquet')",
    "SELECT * FROM some_python_variable",
    "SELECT getenv('HOME')",
)


@pytest.mark.parametrize("probe", PROBES)
def test_the_rest_of_the_machine_is_out_of_reach(
    connection: duckdb.DuckDBPyConnection, table: LocalTable, tmp_path: Path, probe: str
) -> None:
    some_python_variable = pa.table({"x": [1]})
    assert some_python_variable.num_rows == 1
    secret = tmp_path / "secret.parquet"
    pq.write_table(pa.table({"x": [1]}), secret)
    own = table.files()[0]
    before = own.read_bytes()
    out = tmp_path / "out"
    with pytest.raises(duckdb.Error):
        connection.execute(probe.format(secret=secret, own=own, out=out)).fetchall()
    assert not out.exists()
    assert own.read_bytes() == before


def test_a_query_without_end_is_stopped(connection: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(QueryTooLong, match=r"stopped after 0\.2 seconds"), time_limit(connection, 0.2):
        connection.sql(
            "SELECT count(*) FROM range(10000000000) a, range(1000000) b WHERE (a.range * b.range) % 7 = 3"
        ).fetchall()
    assert connection.sql("SELECT count(*) FROM orders").fetchall() == [(3,)]


def test_memory_is_limited_and_the_scratch_folder_goes(table: LocalTable, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    small = Limits(memory_bytes=32 * 1024 * 1024, temporary_bytes=1024 * 1024)
    with query_connection({"orders": (table, None)}, small, scratch) as connection:
        assert list(scratch.iterdir())
        with pytest.raises(duckdb.OutOfMemoryException):
            connection.sql("SELECT list(range || 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxx') FROM range(20000000)").fetchall()
    assert list(scratch.iterdir()) == []


def test_ibis_reads_the_views_and_is_locked_as_well(table: LocalTable) -> None:
    with ibis_connection({"orders": (table, None), "earlier": (table, 0)}) as backend:
        orders, earlier = backend.table("orders"), backend.table("earlier")
        joined = orders.left_join(earlier, "id").select(orders.id, twice=orders.id * 2, old=earlier.name)
        result = backend.to_pyarrow(joined.order_by("id"))
        assert result.to_pylist() == [
            {"id": 1, "twice": 2, "old": "a"},
            {"id": 2, "twice": 4, "old": "b"},
            {"id": 3, "twice": 6, "old": None},
        ]
        with pytest.raises(duckdb.Error):
            backend.raw_sql("SELECT * FROM read_text('/etc/passwd')")
        with pytest.raises(duckdb.Error):
            backend.raw_sql("SET threads = 1")
