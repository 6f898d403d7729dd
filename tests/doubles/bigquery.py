"""Tables of a double of BigQuery: every version of each, and the queries over them, run by DuckDB."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa
import sqlglot
from sqlglot import exp

ANONYMOUS = "_anonymous"
_TYPES: dict[str, pa.DataType] = {
    "STRING": pa.string(), "BYTES": pa.binary(), "INTEGER": pa.int64(), "FLOAT": pa.float64(),
    "BIGNUMERIC": pa.decimal256(76, 38), "BOOLEAN": pa.bool_(), "DATE": pa.date32(), "DATETIME": pa.timestamp("us"),
    "TIME": pa.time64("us"), "TIMESTAMP": pa.timestamp("us", "UTC"), "INTERVAL": pa.month_day_nano_interval(),
    "JSON": pa.string(), "GEOGRAPHY": pa.string(),
}  # fmt: skip


class Missing(Exception):
    """What is asked for is not there; the message is BigQuery's."""


class Invalid(Exception):
    """A query BigQuery would not run; the message is BigQuery's."""


@dataclass(frozen=True)
class Field:
    """A column as a table's schema describes it."""

    name: str
    type: str
    mode: str = "NULLABLE"
    precision: int | None = None
    scale: int | None = None
    fields: tuple[Field, ...] = ()

    def arrow(self) -> pa.DataType:
        """The Arrow type in which the Storage Read API sends it."""
        if self.type == "NUMERIC":
            one: pa.DataType = pa.decimal128(self.precision or 38, (self.scale or 0) if self.precision else 9)
        elif self.type == "RECORD":
            one = pa.struct([pa.field(part.name, part.arrow()) for part in self.fields])
        elif self.type == "RANGE":
            one = pa.struct([pa.field("start", pa.date32()), pa.field("end", pa.date32())])
        else:
            one = _TYPES[self.type]
        return pa.list_(one) if self.mode == "REPEATED" else one

    def resource(self) -> dict[str, Any]:
        """The field in a table's resource."""
        found: dict[str, Any] = {"name": self.name, "type": self.type, "mode": self.mode}
        if self.precision is not None:
            found |= {"precision": str(self.precision), "scale": str(self.scale or 0)}
        if self.fields:
            found["fields"] = [part.resource() for part in self.fields]
        if self.type == "RANGE":
            found["rangeElementType"] = {"type": "DATE"}
        return found


@dataclass(frozen=True)
class Version:
    """A table as it was from a moment on; without rows it did not exist."""

    since: datetime
    fields: tuple[Field, ...] = ()
    rows: pa.Table | None = None
    key: tuple[str, ...] = ()
    kind: str = "TABLE"
    # A column by which every query has to be limited.
    partition: str = ""


@dataclass
class Warehouse:
    """All tables of one project."""

    project: str
    datasets: set[str] = field(default_factory=set)
    versions: dict[tuple[str, str], list[Version]] = field(default_factory=dict)
    closed: set[tuple[str, str]] = field(default_factory=set)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def put(self, dataset: str, table: str, version: Version) -> None:
        """Another version of a table."""
        with self.lock:
            self.datasets.add(dataset)
            self.versions.setdefault((dataset, table), []).append(version)

    def at(self, dataset: str, table: str, moment: datetime | None = None) -> Version:
        """The table at a moment, now without one."""
        with self.lock:
            if dataset not in self.datasets:
                raise Missing(f"Not found: Dataset {self.project}:{dataset}")
            seen = [one for one in self.versions.get((dataset, table), []) if moment is None or one.since <= moment]
            if not seen or seen[-1].rows is None or (moment and self.versions[dataset, table][-1].rows is None):
                raise Missing(f"Not found: Table {self.project}:{dataset}.{table}")
            return seen[-1]

    def listed(self, dataset: str) -> list[tuple[str, Version]]:
        """Every table of a dataset now."""
        with self.lock:
            if dataset not in self.datasets:
                raise Missing(f"Not found: Dataset {self.project}:{dataset}")
            names = sorted(name for place, name in self.versions if place == dataset)
            found = [(name, self.versions[dataset, name][-1]) for name in names]
            return [(name, version) for name, version in found if version.rows is not None]

    def query(self, sql: str) -> tuple[str, str]:
        """Run a query; returns dataset and name of the anonymous table with its rows."""
        with _engine() as connection:
            tree = sqlglot.parse_one(sql, dialect="bigquery")
            for node in list(tree.find_all(exp.CurrentTimestamp)):
                node.replace(exp.cast(exp.Literal.string(now().isoformat()), "timestamptz"))
            found: dict[str, Version] = {}
            for at, node in enumerate(list(tree.find_all(exp.Table))):
                alias, version = f"t{at}", self._named(node)
                connection.register(alias, _for_sql(version.rows))
                found[alias] = version
                node.replace(exp.to_table(alias))
                self._limited(version, tree.find(exp.Where))
            try:
                rows = connection.sql(tree.sql(dialect="duckdb")).to_arrow_table()
            except duckdb.BinderException as error:
                name = re.search(r'column "?(\w+)', str(error))
                raise Invalid(f"Unrecognized name: {name[1] if name else '?'} at [1:8]") from None
        kept = {one.name: one for version in found.values() for one in version.fields}
        fields = tuple(kept.get(name) or _guessed(name, rows.schema.field(name).type) for name in rows.schema.names)
        fields = tuple(replace(one, mode="REPEATED" if one.mode == "REPEATED" else "NULLABLE") for one in fields)
        typed = pa.schema([pa.field(one.name, one.arrow()) for one in fields])
        table = uuid.uuid4().hex
        self.put(ANONYMOUS, table, Version(now(), fields, rows.cast(typed)))
        return ANONYMOUS, table

    def filtered(self, version: Version, names: Sequence[str], restriction: str) -> pa.Table:
        """Rows of a table that a restriction lets through."""
        rows = version.rows
        assert rows is not None
        self._limited(version, sqlglot.parse_one(restriction, dialect="bigquery") if restriction else None)
        if not restriction:
            return rows.select(list(names))
        with _engine() as connection:
            numbered = rows.append_column("_row", pa.array(range(rows.num_rows)))
            connection.register("t", _for_sql(numbered))
            condition = sqlglot.parse_one(restriction, dialect="bigquery").sql(dialect="duckdb")
            kept = connection.execute(f"SELECT _row FROM t WHERE {condition} ORDER BY _row").fetchall()
        return rows.take(pa.array([at for (at,) in kept], pa.int64())).select(list(names))

    def _limited(self, version: Version, condition: exp.Expression | None) -> None:
        """Refuse to look at every partition of a table that does not allow it."""
        named = {one.name for one in condition.find_all(exp.Column)} if condition is not None else set()
        if version.partition and version.partition not in named:
            raise Invalid(
                "Cannot query over table without a filter over column(s) "
                f"'{version.partition}' that can be used for partition elimination"
            )

    def _named(self, node: exp.Table) -> Version:
        dataset, table = node.db, node.name
        if table == "__TABLES__":
            return Version(now(), (), self._meta(dataset))
        moment = None
        if node.args.get("version") is not None:
            text = node.args["version"].sql()
            moment = datetime.fromisoformat(re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}\+00:00", text)[0])  # type: ignore[index]
        try:
            return self.at(dataset, table, moment)
        except Missing as error:
            raise Missing(f"{error} was not found in location US") from None

    def _meta(self, dataset: str) -> pa.Table:
        found = self.listed(dataset)
        return pa.table({
            "table_id": pa.array([name for name, _ in found], pa.string()),
            "type": pa.array([2 if version.kind == "VIEW" else 1 for _, version in found], pa.int64()),
            "row_count": pa.array([version.rows.num_rows for _, version in found], pa.int64()),  # type: ignore[union-attr]
            "size_bytes": pa.array([version.rows.nbytes for _, version in found], pa.int64()),  # type: ignore[union-attr]
            "last_modified_time": pa.array([int(v.since.timestamp() * 1000) for _, v in found], pa.int64()),
        })  # fmt: skip


def _engine() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:")
    connection.execute("SET TimeZone = 'UTC'")
    return connection


_clock = threading.Lock()
_last = datetime.now(UTC)


def now() -> datetime:
    """The double's clock, which never gives the same moment twice."""
    global _last
    with _clock:
        _last = max(datetime.now(UTC), _last + timedelta(microseconds=1))
        return _last


def _for_sql(rows: pa.Table | None) -> pa.Table:
    """The rows in types DuckDB has: longer decimals as the longest it has."""
    assert rows is not None
    wide = [at for at, one in enumerate(rows.schema) if pa.types.is_decimal256(one.type)]
    for at in wide:
        name = rows.schema.field(at).name
        rows = rows.set_column(at, name, rows.column(at).cast(pa.decimal128(38, 9)))
    return rows


def _guessed(name: str, kind: pa.DataType) -> Field:
    """The BigQuery field of a computed column."""
    if pa.types.is_integer(kind):
        return Field(name, "INTEGER")
    if pa.types.is_decimal(kind):
        return Field(name, "BIGNUMERIC")
    if pa.types.is_timestamp(kind):
        return Field(name, "TIMESTAMP" if kind.tz else "DATETIME")
    return Field(name, next((known for known, arrow in _TYPES.items() if arrow == kind), "STRING"))
