"""What a project says about its own tables; all of it is free of charge."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from b2b_recs.engine.errors import PermissionMissing
from b2b_recs.engine.sources.bigquery.connection import Session
from b2b_recs.engine.sources.bigquery.errors import missing_table
from b2b_recs.engine.sources.bigquery.services import DRIVER, driver
from b2b_recs.engine.sources.bigquery.types import TIMES, base_name, sql_name
from b2b_recs.engine.sources.contract import ColumnInfo, TableInfo
from b2b_recs.engine.sources.quoting import quote_escaped_name

NAME_BYTES = 1024
# Kinds of the meta-table's numbers, and of the API's words.
_KINDS = {1: "table", 2: "view", 3: "external table", 4: "materialized view", 5: "snapshot", 6: "clone"}
_NEVER = frozenset("/?#%.:;\\`'\"")
_OWN_ROWS = ("table", "snapshot", "clone")
_STORED = ("TABLE", "SNAPSHOT", "CLONE")


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its columns; ``stored`` when its rows lie in BigQuery and can be read without a query.

    ``partition`` is name and type of the column by which every query has to be limited, None where it need not be.
    """

    reference: Any
    columns: dict[str, ColumnInfo]
    stored: bool
    partition: tuple[str, str] | None = None


def list_tables(session: Session) -> list[TableInfo]:
    """Tables and views of the dataset, or of every one the account may see; ordered by dataset and name."""
    chosen = session.parameters.dataset
    if chosen:
        session.ask("get_dataset", chosen, subject=chosen)
        return _tables(session, chosen)
    datasets = session.ask("list_datasets", subject="the project")
    found = session.bounded((one,) for listed in datasets for one in _readable(session, listed.dataset_id))
    return [one for (one,) in found]


def _readable(session: Session, dataset: str) -> list[TableInfo]:
    try:
        return _tables(session, dataset)
    except PermissionMissing:
        # Another dataset of the project that this account may name and not read.
        return []


def _tables(session: Session, dataset: str) -> list[TableInfo]:
    origin = quoted(f"{session.parameters.project}.{dataset}.__TABLES__")
    rows = session.query(
        f"SELECT table_id, type, row_count, size_bytes, last_modified_time FROM {origin} ORDER BY table_id",  # noqa: S608
        dataset,
    )
    return [_listed(dataset, row) for row in rows]


def _listed(dataset: str, row: Sequence[Any]) -> TableInfo:
    name, number, count, size, changed = row
    kind = _KINDS.get(int(number), "table")
    # Of a view it is when its definition was changed.
    known = changed is not None and kind in _OWN_ROWS
    return TableInfo(
        dataset,
        str(name),
        kind,
        None if kind in ("view", "external table") else int(count or 0),
        None if size is None else int(size),
        dt.datetime.fromtimestamp(int(changed) / 1000, dt.UTC) if known else None,
    )


def find_table(session: Session, schema: str, table: str) -> Table:
    """The table with its columns. Raises TableMissing, PermissionMissing."""
    subject = f"{schema}.{table}"
    # Both become part of an address and of a quoted path: what no dataset and no table can have is refused here.
    for name in (schema, table):
        quoted(name)
    if any(character in _NEVER for character in schema + table):
        raise missing_table(subject, session.parameters.project)
    module = driver(DRIVER)
    reference = module.DatasetReference(session.parameters.project, schema).table(table)
    found = session.ask("get_table", reference, subject=subject)
    constraints = getattr(found, "table_constraints", None)
    key = list(constraints.primary_key.columns) if constraints and constraints.primary_key else []
    columns = {one.name: _column(one, key) for one in found.schema}
    return Table(reference, columns, found.table_type in _STORED, _partition(found, columns))


def quoted(name: str) -> str:
    """A quoted name or path. Raises BadInput for one that cannot be."""
    return quote_escaped_name(name, limit=3 * NAME_BYTES)


def _partition(found: Any, columns: dict[str, ColumnInfo]) -> tuple[str, str] | None:
    partitioning = found.time_partitioning or found.range_partitioning
    if partitioning is None or not found.require_partition_filter:
        return None
    if partitioning.field is None:
        # Partitioned by when a row came.
        return "_PARTITIONTIME", "TIMESTAMP"
    return partitioning.field, sql_name(columns[partitioning.field].base_type)


def _column(one: Any, key: list[str]) -> ColumnInfo:
    base = base_name(one.field_type)
    shown = base
    if one.precision is not None:
        shown = f"{base}({one.precision}" + (f", {one.scale})" if one.scale else ")")
    repeated = one.mode == "REPEATED"
    return ColumnInfo(
        name=one.name,
        source_type=f"ARRAY<{shown}>" if repeated else shown,
        # A list that is empty is not NULL.
        nullable=one.mode == "NULLABLE",
        key_position=key.index(one.name) + 1 if one.name in key else None,
        is_time=base in TIMES and not repeated,
        precision=one.precision,
        scale=(one.scale or 0) if one.precision is not None else None,
        base_type=base,
        type_kind="repeated" if repeated else "base",
    )
