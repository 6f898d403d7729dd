"""Where rows lie: files of rows as tables of DuckDB, which spills to disk, and rows by their place in a file.

Positions are worked out by DuckDB; values are carried over by Arrow and never pass through it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from b2b_recs.engine.warehouse.names import quoted
from b2b_recs.engine.warehouse.parts import plain_schema, storage_errors

if TYPE_CHECKING:
    import duckdb

_MEMORY = "256MB"
FILE, ROW = "__b2b_file", "file_row_number"

# Rows of a file by their position in it: file → sorted positions.
Positions = Mapping[str, np.ndarray]


@contextmanager
def comparison(scratch: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yields a connection that uses little memory and spills into a folder of its own below ``scratch``."""
    import duckdb

    with storage_errors():
        scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="compare-", dir=scratch) as folder, storage_errors():
        settings = {"memory_limit": _MEMORY, "threads": 2, "temp_directory": folder, "preserve_insertion_order": False}
        connection = duckdb.connect(":memory:", config=settings)
        try:
            connection.execute("SET TimeZone = 'UTC'")
            yield connection
        finally:
            connection.close()


def view_of(connection: duckdb.DuckDBPyConnection, name: str, schema: pa.Schema, files: list[str]) -> None:
    """A view of files by our own names; a column that no file has is NULL in it."""
    connection.register("shape_arrow", plain_schema(schema).empty_table())
    connection.execute(f"CREATE TABLE shape_{name} AS SELECT * FROM shape_arrow")  # noqa: S608 - our own names
    connection.unregister("shape_arrow")
    if not files:
        connection.execute(
            f"CREATE VIEW {name} AS SELECT *, ''::VARCHAR AS {FILE}, 0::BIGINT AS {ROW} FROM shape_{name}"  # noqa: S608
        )
        return
    listed = ", ".join("'" + path.replace("'", "''") + "'" for path in files)
    connection.execute(
        f"CREATE VIEW {name} AS SELECT * FROM shape_{name} UNION ALL BY NAME SELECT * FROM read_parquet([{listed}], "  # noqa: S608
        f"union_by_name = true, hive_partitioning = false, filename = '{FILE}', file_row_number = true)"
    )


def equal(names: Sequence[str]) -> str:
    """The condition that rows of ``s`` and ``t`` have the same in these columns, NULL being the same as NULL."""
    return " AND ".join(f"s.{quoted(name)} IS NOT DISTINCT FROM t.{quoted(name)}" for name in names)


def positions_of(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, np.ndarray]:
    """The (file, row) pairs of a query, by file."""
    found: dict[str, list[np.ndarray]] = {}
    reader = connection.sql(query).to_arrow_reader(100_000)
    for batch in reader:
        files = batch.column(0).dictionary_encode()
        rows = batch.column(1).to_numpy(zero_copy_only=False)
        codes = files.indices.to_numpy(zero_copy_only=False)
        for code, name in enumerate(files.dictionary.to_pylist()):
            found.setdefault(name, []).append(rows[codes == code])
    return {name: np.unique(np.concatenate(rows)) for name, rows in found.items()}


def both(first: Positions, second: Positions) -> dict[str, np.ndarray]:
    """The rows of either."""
    merged = dict(first)
    for name, rows in second.items():
        merged[name] = np.union1d(merged[name], rows) if name in merged else rows
    return merged


def without(first: Positions, second: Positions) -> dict[str, np.ndarray]:
    """The rows of the first that are not in the second."""
    left = {name: np.setdiff1d(rows, second[name]) if name in second else rows for name, rows in first.items()}
    return {name: rows for name, rows in left.items() if len(rows)}


def count_of(positions: Positions) -> int:
    """How many rows they are."""
    return sum(len(rows) for rows in positions.values())
