"""Which staged rows are new: rows the table has already are dropped, rows that changed take the place of the old,
rows that left the source leave the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from b2b_recs.engine.etl.by_row import by_row
from b2b_recs.engine.etl.plan import Plan
from b2b_recs.engine.etl.positions import (
    FILE,
    ROW,
    Positions,
    both,
    comparison,
    count_of,
    equal,
    positions_of,
    view_of,
    without,
)
from b2b_recs.engine.etl.reached import later_columns
from b2b_recs.engine.warehouse.local import LocalTable
from b2b_recs.engine.warehouse.names import quoted
from b2b_recs.engine.warehouse.parts import Part, repeating_columns

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Leaving:
    """Which rows of the table leave it, told by the values of ``columns`` in Parquet ``files``.

    Rows leave that have no equal there (``absent``), or that have one. Without ``remove`` they are only counted.
    """

    columns: tuple[str, ...]
    files: tuple[Path, ...]
    absent: bool
    remove: bool = True


@dataclass(frozen=True, slots=True)
class Settled:
    """What to commit. ``known`` rows were in the table already, ``replaced`` rows take an older row's place,
    ``repeated`` rows had the key of another row of the same read, ``left`` rows are of those that leave;
    ``removed`` are files rewritten without old rows.
    """

    parts: tuple[Part, ...]
    removed: tuple[str, ...] = ()
    loaded: int = 0
    known: int = 0
    replaced: int = 0
    repeated: int = 0
    left: int = 0
    outlived: int = 0


def settle(
    table: LocalTable,
    plan: Plan,
    parts: Sequence[Part],
    data_folder: str,
    scratch: Path,
    leaving: Leaving | None = None,
) -> Settled:
    """Compare the staged files with the table's newest version, and the table with what leaves it."""
    total = sum(part.rows for part in parts)
    stored = table.exists() and table.row_count() > 0
    compared = plan.bounds is not None and total > 0 and (stored or (bool(plan.key) and not plan.key_unique))
    if not compared and not (leaving is not None and stored):
        return Settled(tuple(part for part in parts if part.rows), loaded=total)
    folder = table.folder.resolve()
    matches = _Matches()
    left: Positions = {}
    with comparison(scratch) as connection:
        if stored:
            view_of(connection, "stored", plan.layout.schema, [str(path) for path in table.files()])
        if compared:
            added = [field.name for field in plan.layout.added]
            names = [column.name for column in plan.layout.columns]
            later = later_columns(table, names, added) if stored else ()
            matches = _compare(connection, plan, [str(folder / part.path) for part in parts], later, stored=stored)
        if leaving is not None and stored:
            left = without(_left(connection, leaving, plan.layout.schema), matches.replaced)
    drop = both(matches.repeated, matches.known)
    kept = _without(table, plan.layout.schema, parts, drop, data_folder)
    old = both(matches.replaced, left) if leaving is not None and leaving.remove else matches.replaced
    replaced = {str(Path(name).relative_to(folder)): rows for name, rows in old.items()}
    rewritten = _rewritten(table, replaced, data_folder)
    known, dropped = count_of(matches.known), count_of(drop)
    return Settled(
        (*kept, *rewritten),
        tuple(sorted(replaced)),
        loaded=total - dropped,
        known=known,
        replaced=count_of(matches.replaced),
        repeated=dropped - known,
        left=count_of(left),
        outlived=count_of(matches.outlived),
    )


@dataclass(frozen=True, slots=True)
class _Matches:
    """``known``, ``repeated``: staged rows to leave out, ``outlived`` those of ``repeated`` that have no cursor value
    and whose key the table has with one; ``replaced``: rows of the table that have a newer form."""

    known: Positions = field(default_factory=dict)
    replaced: Positions = field(default_factory=dict)
    repeated: Positions = field(default_factory=dict)
    outlived: Positions = field(default_factory=dict)


def _compare(
    connection: duckdb.DuckDBPyConnection, plan: Plan, files: list[str], later: Sequence[Sequence[str]], *, stored: bool
) -> _Matches:
    view_of(connection, "staged", pa.schema([plan.layout.schema.field(c.name) for c in plan.layout.columns]), files)
    repeated = _repeated(connection, plan)
    if not stored:
        return _Matches(repeated=repeated)
    if plan.changed.reread:
        return _Matches(replaced=_by_any_key(connection, plan.changed.keys), repeated=repeated)
    if not plan.key:
        known, replaced = by_row(connection, plan, later)
        return _Matches(known, replaced, repeated)
    outlived: Positions = {}
    if not plan.key_unique and plan.cursor is not None and plan.bounds is not None and plan.bounds.with_null:
        outlived = _outlived(connection, plan.key, plan.cursor.name)
    known, replaced = _by_key(connection, plan, "newest" if outlived else "latest")
    return _Matches(known, replaced, both(repeated, outlived), outlived)


def _left(connection: duckdb.DuckDBPyConnection, leaving: Leaving, schema: pa.Schema) -> Positions:
    """Rows of the table that leave it."""
    shape = pa.schema([schema.field(name) for name in leaving.columns])
    view_of(connection, "told", shape, [str(path) for path in leaving.files])
    join = "ANTI" if leaving.absent else "SEMI"
    query = f"SELECT t.{FILE}, t.{ROW} FROM stored t {join} JOIN told s ON {equal(leaving.columns)}"  # noqa: S608
    return positions_of(connection, query)


def _repeated(connection: duckdb.DuckDBPyConnection, plan: Plan) -> Positions:
    """Staged rows whose key another staged row has; the one with the newest cursor stays, in the view ``latest``."""
    if not plan.key or plan.key_unique or plan.cursor is None:
        connection.execute("CREATE VIEW latest AS SELECT * FROM staged")
        return {}
    keys = ", ".join(quoted(name) for name in plan.key)
    order = f"{quoted(plan.cursor.name)} DESC NULLS LAST, {FILE}, {ROW}"
    nth = f"row_number() OVER (PARTITION BY {keys} ORDER BY {order})"
    connection.execute(f"CREATE VIEW latest AS SELECT * FROM staged QUALIFY {nth} = 1")  # noqa: S608 - quoted names
    return positions_of(connection, f"SELECT {FILE}, {ROW} FROM staged QUALIFY {nth} > 1")  # noqa: S608 - the same


def _outlived(connection: duckdb.DuckDBPyConnection, key: Sequence[str], cursor: str) -> Positions:
    """Rows of ``latest`` without a cursor value whose key the table has with one; the view ``newest`` is without them.

    Where a key is not unique, a row of which nothing says when it was made is not the newest one.
    """
    empty, full = f"s.{quoted(cursor)} IS NULL", f"t.{quoted(cursor)} IS NOT NULL"
    connection.execute(
        f"CREATE TEMP TABLE outlived AS SELECT s.{FILE} AS sf, s.{ROW} AS sr FROM latest s "  # noqa: S608 - quoted names
        f"SEMI JOIN (SELECT * FROM stored t WHERE {full}) t ON {equal(key)} WHERE {empty}"
    )
    connection.execute(
        f"CREATE VIEW newest AS SELECT l.* FROM latest l ANTI JOIN outlived ON l.{FILE} = sf AND l.{ROW} = sr"  # noqa: S608
    )
    return positions_of(connection, "SELECT sf, sr FROM outlived")


def _by_any_key(connection: duckdb.DuckDBPyConnection, keys: Sequence[Sequence[str]]) -> Positions:
    """Rows of the table that have the same as a staged one in all columns of a key."""
    found: Positions = {}
    for key in keys:
        query = f"SELECT t.{FILE}, t.{ROW} FROM stored t SEMI JOIN staged s ON {equal(key)}"  # noqa: S608 - quoted names
        found = both(found, positions_of(connection, query))
    return found


def _by_key(connection: duckdb.DuckDBPyConnection, plan: Plan, latest: str) -> tuple[Positions, Positions]:
    """Rows of the view ``latest`` whose key the table has: the same row is known, another one replaces it."""
    same_key = equal(plan.key)
    connection.execute(
        f"CREATE TEMP TABLE pairs AS SELECT s.{FILE} AS sf, s.{ROW} AS sr, t.{FILE} AS tf, t.{ROW} AS tr "  # noqa: S608
        f"FROM stored t JOIN {latest} s ON {same_key}"
    )
    found = connection.sql("SELECT DISTINCT tf FROM pairs").fetchall()
    if not found:
        return {}, {}
    view_of(connection, "matched", plan.layout.schema, [row[0] for row in found])
    same = equal([column.name for column in plan.layout.columns])
    connection.execute(
        f"CREATE TEMP TABLE compared AS SELECT sf, sr, tf, tr, coalesce({same}, false) AS same FROM pairs "  # noqa: S608
        f"JOIN staged s ON s.{FILE} = sf AND s.{ROW} = sr JOIN matched t ON t.{FILE} = tf AND t.{ROW} = tr"
    )
    known = "SELECT sf, sr FROM compared GROUP BY sf, sr HAVING bool_or(same)"
    old = "SELECT tf, tr FROM compared GROUP BY tf, tr HAVING NOT bool_or(same)"
    return positions_of(connection, known), positions_of(connection, old)


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
