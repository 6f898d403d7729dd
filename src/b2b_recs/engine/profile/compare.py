"""What became of a table between two versions: columns, and rows added, removed and changed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import duckdb
from pydantic import BaseModel, ConfigDict

from b2b_recs.engine.errors import EngineError
from b2b_recs.engine.profile.columns import Column, columns_of
from b2b_recs.engine.profile.values import LONGEST, Plain, plain
from b2b_recs.engine.warehouse.local import LocalTable
from b2b_recs.engine.warehouse.names import quoted
from b2b_recs.engine.warehouse.query import Limits, query_connection, time_limit

LIMITS = Limits(memory_bytes=768 * 1024 * 1024, temporary_bytes=4 * 1024 * 1024 * 1024, seconds=90)
EXAMPLES = 8
_SIDE = """
CREATE TEMP TABLE {side}_keys AS
SELECT {key}, count(*) AS n, sum(hash({row})::HUGEINT) AS h FROM {side} GROUP BY ALL
"""
_JOINED = "FROM before_keys b FULL JOIN after_keys a ON {same}"
_COUNTS = """
SELECT coalesce(sum(a.n) FILTER (WHERE b.n IS NULL), 0)::BIGINT,
       coalesce(sum(b.n) FILTER (WHERE a.n IS NULL), 0)::BIGINT,
       count(*) FILTER (WHERE a.n IS NOT NULL AND b.n IS NOT NULL AND (a.h <> b.h OR a.n <> b.n))
"""
_WHOLE = """
SELECT coalesce(sum(greatest(coalesce(a.n, 0) - coalesce(b.n, 0), 0)), 0)::BIGINT,
       coalesce(sum(greatest(coalesce(b.n, 0) - coalesce(a.n, 0), 0)), 0)::BIGINT, 0
"""


class TooLargeToCompare(EngineError):
    """The memory set aside for comparing is too small for the two versions."""

    code = "too_large_to_compare"


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True)


class ColumnChange(_Document):
    """A column that is new, gone, or of another type; types are empty where there is no column."""

    name: str
    what: Literal["added", "removed", "changed"]
    before: str
    after: str


class ValueChange(_Document):
    """One value of a changed row."""

    column: str
    before: Plain
    after: Plain


class RowChange(_Document):
    """A row that is in both versions with different values, by its key."""

    key: list[Plain]
    values: list[ValueChange]


class Comparison(_Document):
    """Two versions of a table. Without a ``key``, rows are compared whole and none counts as changed.

    ``unique`` is False when rows of a version share their key; then only whole groups of such rows are compared.
    """

    form: Literal[1] = 1
    before: int
    after: int
    rows_before: int
    rows_after: int
    key: list[str]
    unique: bool
    added: int
    removed: int
    changed: int
    columns: list[ColumnChange]
    added_keys: list[list[Plain]]
    removed_keys: list[list[Plain]]
    examples: list[RowChange]
    seconds: float


def compare_versions(
    table: LocalTable,
    before: int,
    after: int,
    key: Sequence[str] = (),
    limits: Limits = LIMITS,
    scratch: Path | None = None,
) -> Comparison:
    """What is different in version ``after``. A key both versions do not have is not used.

    Raises WarehouseTableMissing for a version that is gone, QueryTooLong, TooLargeToCompare.
    """
    began = time.monotonic()
    old, new = (columns_of(table.schema(version)) for version in (before, after))
    common = [column.name for column in old if column.name in {one.name for one in new}]
    key = list(key) if key and set(key) <= set(common) else []
    views = {"before": (table, before), "after": (table, after)}
    with query_connection(views, limits, scratch) as connection:
        try:
            with time_limit(connection, limits.seconds):
                found = _compared(connection, key, common)
        except duckdb.OutOfMemoryException:
            raise TooLargeToCompare(
                f"Comparing two versions of {table.name} needs more memory than it may use.",
                advice="Compare versions that are closer together, or copy fewer columns.",
            ) from None
    return Comparison(
        before=before,
        after=after,
        rows_before=table.row_count(before),
        rows_after=table.row_count(after),
        key=key,
        columns=_column_changes(old, new),
        seconds=round(time.monotonic() - began, 3),
        **found,
    )


def _compared(connection: duckdb.DuckDBPyConnection, key: Sequence[str], common: Sequence[str]) -> dict[str, Any]:
    row = ", ".join(f"{quoted(name)}::VARCHAR" for name in common) or "1"
    columns = ", ".join(f"{quoted(name)}::VARCHAR AS k{at}" for at, name in enumerate(key))
    for side in ("before", "after"):
        connection.execute(_SIDE.format(side=side, key=columns or f"hash({row}) AS k0", row=row))
    same = " AND ".join(f"a.k{at} IS NOT DISTINCT FROM b.k{at}" for at in range(max(len(key), 1)))
    joined = _JOINED.format(same=same)
    counts = _COUNTS if key else _WHOLE
    added, removed, changed = connection.execute(counts + joined).fetchall()[0]
    found: dict[str, Any] = {"added": added, "removed": removed, "changed": changed}
    if not key:
        return {**found, "unique": True, "added_keys": [], "removed_keys": [], "examples": []}
    repeated = "SELECT max(n) FROM (SELECT n FROM before_keys UNION ALL SELECT n FROM after_keys)"
    unique = (connection.execute(repeated).fetchall()[0][0] or 1) == 1
    return {
        **found,
        "unique": unique,
        "added_keys": _keys(connection, "a", "b", len(key), joined) if added else [],
        "removed_keys": _keys(connection, "b", "a", len(key), joined) if removed else [],
        "examples": _examples(connection, key, common, joined) if changed and unique else [],
    }


def _keys(
    connection: duckdb.DuckDBPyConnection, there: str, missing: str, width: int, joined: str
) -> list[list[Plain]]:
    names = ", ".join(f"{there}.k{at}" for at in range(width))
    query = f"SELECT {names} {joined} WHERE {missing}.n IS NULL ORDER BY ALL LIMIT {EXAMPLES}"
    return [[plain(value, LONGEST) for value in row] for row in connection.execute(query).fetchall()]


def _examples(
    connection: duckdb.DuckDBPyConnection, key: Sequence[str], common: Sequence[str], joined: str
) -> list[RowChange]:
    width = len(key)
    names = ", ".join(f"a.k{at} AS k{at}" for at in range(width))
    connection.execute(
        f"CREATE TEMP TABLE changed AS SELECT {names} {joined} "
        f"WHERE a.n IS NOT NULL AND b.n IS NOT NULL AND a.h <> b.h ORDER BY ALL LIMIT {EXAMPLES}"
    )
    sides = []
    values = ", ".join(f"t.{quoted(name)}::VARCHAR" for name in common)
    keys = ", ".join(f"c.k{at}" for at in range(width))
    same = " AND ".join(f"t.{quoted(name)}::VARCHAR IS NOT DISTINCT FROM c.k{at}" for at, name in enumerate(key))
    for side in ("before", "after"):
        query = f"SELECT {keys}, {values} FROM {side} t JOIN changed c ON {same} ORDER BY {keys}"  # noqa: S608 - quoted
        sides.append({tuple(row[:width]): row[width:] for row in connection.execute(query).fetchall()})
    found = []
    for one, old in sides[0].items():
        new = sides[1].get(one, old)
        different = [
            ValueChange(column=name, before=plain(a, LONGEST), after=plain(b, LONGEST))
            for name, a, b in zip(common, old, new, strict=True)
            if a != b
        ]
        found.append(RowChange(key=[plain(value, LONGEST) for value in one], values=different))
    return found


def _column_changes(old: Sequence[Column], new: Sequence[Column]) -> list[ColumnChange]:
    before, after = ({one.name: _words(one) for one in side} for side in (old, new))
    changes = []
    for name in dict.fromkeys([*before, *after]):
        was, is_now = before.get(name, ""), after.get(name, "")
        if was != is_now:
            what: Literal["added", "removed", "changed"] = (
                "changed" if was and is_now else "removed" if was else "added"
            )
            changes.append(ColumnChange(name=name, what=what, before=was, after=is_now))
    return changes


def _words(column: Column) -> str:
    return f"{column.type_words} {column.mode.value}"
