"""Which staged rows are new: rows the table has already are dropped, rows that changed take the place of the old.

Positions are worked out by DuckDB, which spills to disk; values are carried over by Arrow and never pass through it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from b2b_recs.engine.etl.plan import Plan
from b2b_recs.engine.warehouse.local import LocalTable
from b2b_recs.engine.warehouse.names import quoted
from b2b_recs.engine.warehouse.parts import Part, plain_schema, repeating_columns, storage_errors

_MEMORY = "256MB"
_FILE, _ROW = "__b2b_file", "file_row_number"

# Rows of a file by their position in it: file → sorted positions.
Positions = Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class Settled:
    """What to commit. ``known`` rows were in the table already, ``replaced`` rows take an older row's place,
    ``repeated`` rows had the key of another row of the same read; ``removed`` are files rewritten without old rows.
    """

    parts: tuple[Part, ...]
    removed: tuple[str, ...] = ()
    loaded: int = 0
    known: int = 0
    replaced: int = 0
    repeated: int = 0


def settle(table: LocalTable, plan: Plan, parts: Sequence[Part], data_folder: str, scratch: Path) -> Settled:
    """Compare the staged files with the table's newest version."""
    total = sum(part.rows for part in parts)
    loaded_before = table.exists() and table.row_count() > 0
    if plan.bounds is None or total == 0 or (not loaded_before and (plan.key_unique or not plan.key)):
        return Settled(tuple(part for part in parts if part.rows), loaded=total)
    folder = table.folder.resolve()
    with _connection(scratch) as connection:
        _staged_view(connection, plan, [str(folder / part.path) for part in parts])
        repeated = _repeated(connection, plan)
        matches = _Matches({}, {})
        if loaded_before:
            _table_view(connection, plan, [str(path) for path in table.files()])
            matches = _by_key(connection, plan) if plan.key else _by_row(connection, plan)
    drop = _merge(repeated, matches.known)
    kept = _without(table, plan.layout.schema, parts, drop, data_folder)
    replaced = {str(Path(name).relative_to(folder)): rows for name, rows in matches.replaced.items()}
    rewritten = _rewritten(table, replaced, data_folder)
    known, gone = _count(matches.known), _count(matches.replaced)
    dropped = _count(drop)
    return Settled(
        (*kept, *rewritten),
        tuple(sorted(replaced)),
        loaded=total - dropped,
        known=known,
        replaced=gone,
        repeated=dropped - known,
    )


@dataclass(frozen=True, slots=True)
class _Matches:
    """``known``: staged rows to leave out; ``replaced``: rows of the table that have a newer form."""

    known: Positions
    replaced: Positions


@contextmanager
def _connection(scratch: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with storage_errors():
        scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="settle-", dir=scratch) as folder, storage_errors():
        settings = {"memory_limit": _MEMORY, "threads": 2, "temp_directory": folder, "preserve_insertion_order": False}
        connection = duckdb.connect(":memory:", config=settings)
        try:
            connection.execute("SET TimeZone = 'UTC'")
            yield connection
        finally:
            connection.close()


def _staged_view(connection: duckdb.DuckDBPyConnection, plan: Plan, files: list[str]) -> None:
    _view(connection, "staged", pa.schema([plan.layout.schema.field(c.name) for c in plan.layout.columns]), files)


def _table_view(connection: duckdb.DuckDBPyConnection, plan: Plan, files: list[str]) -> None:
    _view(connection, "stored", plan.layout.schema, files)


def _view(connection: duckdb.DuckDBPyConnection, name: str, schema: pa.Schema, files: list[str]) -> None:
    """A view of files by our own names; a column that no file has is NULL in it."""
    connection.register("shape_arrow", plain_schema(schema).empty_table())
    connection.execute(f"CREATE TABLE shape_{name} AS SELECT * FROM shape_arrow")  # noqa: S608 - our own names
    connection.unregister("shape_arrow")
    listed = ", ".join("'" + path.replace("'", "''") + "'" for path in files)
    connection.execute(
        f"CREATE VIEW {name} AS SELECT * FROM shape_{name} UNION ALL BY NAME SELECT * FROM read_parquet([{listed}], "  # noqa: S608
        f"union_by_name = true, hive_partitioning = false, filename = '{_FILE}', file_row_number = true)"
    )


def _repeated(connection: duckdb.DuckDBPyConnection, plan: Plan) -> Positions:
    """Staged rows whose key another staged row has; the one with the newest cursor stays, in the view ``latest``."""
    if not plan.key or plan.key_unique or plan.cursor is None:
        connection.execute("CREATE VIEW latest AS SELECT * FROM staged")
        return {}
    keys = ", ".join(quoted(name) for name in plan.key)
    order = f"{quoted(plan.cursor.name)} DESC NULLS LAST, {_FILE}, {_ROW}"
    nth = f"row_number() OVER (PARTITION BY {keys} ORDER BY {order})"
    connection.execute(f"CREATE VIEW latest AS SELECT * FROM staged QUALIFY {nth} = 1")  # noqa: S608 - quoted names
    return _positions(connection, f"SELECT {_FILE}, {_ROW} FROM staged QUALIFY {nth} > 1")  # noqa: S608 - the same


def _by_key(connection: duckdb.DuckDBPyConnection, plan: Plan) -> _Matches:
    """Rows whose key the table has: the same row is known, another one replaces it."""
    same_key = _equal(plan.key)
    connection.execute(
        f"CREATE TEMP TABLE pairs AS SELECT s.{_FILE} AS sf, s.{_ROW} AS sr, t.{_FILE} AS tf, t.{_ROW} AS tr "  # noqa: S608
        f"FROM stored t JOIN latest s ON {same_key}"
    )
    found = connection.sql("SELECT DISTINCT tf FROM pairs").fetchall()
    if not found:
        return _Matches({}, {})
    _table_view_of(connection, plan, [row[0] for row in found])
    same = _equal([column.name for column in plan.layout.columns])
    connection.execute(
        f"CREATE TEMP TABLE compared AS SELECT sf, sr, tf, tr, coalesce({same}, false) AS same FROM pairs "  # noqa: S608
        f"JOIN staged s ON s.{_FILE} = sf AND s.{_ROW} = sr JOIN matched t ON t.{_FILE} = tf AND t.{_ROW} = tr"
    )
    known = "SELECT sf, sr FROM compared GROUP BY sf, sr HAVING bool_or(same)"
    old = "SELECT tf, tr FROM compared GROUP BY tf, tr HAVING NOT bool_or(same)"
    return _Matches(_positions(connection, known), _positions(connection, old))


def _table_view_of(connection: duckdb.DuckDBPyConnection, plan: Plan, files: list[str]) -> None:
    _view(connection, "matched", plan.layout.schema, files)


def _by_row(connection: duckdb.DuckDBPyConnection, plan: Plan) -> _Matches:
    """Without a key: the n-th of equal staged rows is known when the table has n of them, so equal rows stay equal
    in number."""
    names = [column.name for column in plan.layout.columns]
    columns = ", ".join(quoted(name) for name in names)
    cursor = quoted(plan.cursor.name) if plan.cursor is not None else columns
    bounded = f"WHERE {cursor} >= (SELECT min({cursor}) FROM staged) OR {cursor} IS NULL"  # noqa: S608 - quoted names
    nth = f"row_number() OVER (PARTITION BY {columns}) AS nth"
    query = (
        f"WITH a AS (SELECT *, {nth} FROM staged), b AS (SELECT {columns}, {nth} FROM stored {bounded}) "  # noqa: S608
        f"SELECT s.{_FILE}, s.{_ROW} FROM a s JOIN b t ON {_equal(names)} AND s.nth = t.nth"
    )
    return _Matches(_positions(connection, query), {})


def _equal(names: Sequence[str]) -> str:
    return " AND ".join(f"s.{quoted(name)} IS NOT DISTINCT FROM t.{quoted(name)}" for name in names)


def _positions(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, np.ndarray]:
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


def _merge(first: Positions, second: Positions) -> dict[str, np.ndarray]:
    merged = dict(first)
    for name, rows in second.items():
        merged[name] = np.union1d(merged[name], rows) if name in merged else rows
    return merged


def _count(positions: Positions) -> int:
    return sum(len(rows) for rows in positions.values())


def _without(
    table: LocalTable, schema: pa.Schema, parts: Sequence[Part], drop: Positions, data_folder: str
) -> list[Part]:
    """The staged files without the dropped rows; untouched files stay as they are."""
    folder = table.folder.resolve()
    kept = []
    for part in parts:
        rows = drop.get(str(folder / part.path))
        if rows is None:
            kept.append(part)
        elif len(rows) < part.rows:
            kept.append(_copy(table, part.path, rows, data_folder))
    return [part for part in kept if part.rows]


def _rewritten(table: LocalTable, replaced: Positions, data_folder: str) -> list[Part]:
    """The table's files that hold replaced rows, written again without them."""
    copies = [_copy(table, path, rows, data_folder) for path, rows in replaced.items()]
    return [part for part in copies if part.rows]


def _copy(table: LocalTable, path: str, drop: np.ndarray, data_folder: str) -> Part:
    """A copy of one file without the rows at ``drop``, batch by batch."""
    with pq.ParquetFile(table.folder / path) as source:
        schema = source.schema_arrow
        writer = None
        try:
            start = 0
            for batch in source.iter_batches(batch_size=65_536):
                if writer is None:
                    writer = table.new_part(schema, data_folder, repeating_columns(batch))
                keep = np.ones(batch.num_rows, dtype=bool)
                here = drop[(drop >= start) & (drop < start + batch.num_rows)] - start
                keep[here] = False
                start += batch.num_rows
                if keep.any():
                    writer.write(batch.filter(pa.array(keep)))
            if writer is None:
                writer = table.new_part(schema, data_folder, [])
            return writer.close()
        except BaseException:
            if writer is not None:
                writer.discard()
            raise
