"""Builds a dataset: reads pinned table versions, applies roles and filters, counts what every step leaves out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import ibis
import pyarrow as pa

from b2b_recs.engine.counting import counted
from b2b_recs.engine.datasets.encode import encode, with_dictionaries
from b2b_recs.engine.datasets.expressions import NEEDED_ROLES, final, roles_only, steps, with_roles
from b2b_recs.engine.datasets.interactions import DatasetBuild, FilterStep
from b2b_recs.engine.datasets.joins import check_join, joined, repeated_keys
from b2b_recs.engine.datasets.local_time import zone_named
from b2b_recs.engine.datasets.quality import quality_of
from b2b_recs.engine.datasets.spec import RAW, DatasetSpec
from b2b_recs.engine.errors import BadInput, EmptyDataset, StorageFull, WarehouseTableMissing
from b2b_recs.engine.warehouse.local import LocalWarehouse
from b2b_recs.engine.warehouse.query import Limits, ibis_connection, time_limit

COPY = "rows of the dataset"  # no warehouse table can have a blank in its name


def build_dataset(
    spec: DatasetSpec,
    warehouse: LocalWarehouse,
    pins: Mapping[str, int] | None = None,
    *,
    time_zone: str = "UTC",
    limits: Limits = Limits.DEFAULT,
    scratch: Path | None = None,
) -> DatasetBuild:
    """The interactions a definition selects, and everything needed to read them again.

    ``pins`` names table versions to read instead of the newest. Times without a zone are read in ``time_zone``.
    ``scratch`` is where rows beyond ``limits.memory_bytes`` go meanwhile. Raises WarehouseTableMissing, BadInput
    naming the role, join or filter at fault, EmptyDataset naming the filter that left nothing, StorageFull, and
    QueryTooLong.
    """
    zone = zone_named(time_zone)
    tables = sorted({spec.base, *(join.table for join in spec.joins)})
    _refuse_alike(tables)
    views = {name: warehouse.table(RAW, name) for name in tables}
    versions = {name: _version(name, table.version(), pins) for name, table in views.items()}
    with (
        ibis_connection({name: (views[name], versions[name]) for name in tables}, limits, scratch) as backend,
        time_limit(backend.con, limits.seconds),
        _refusals(),
    ):
        plain = definition(spec, backend)
        sql = str(ibis.to_sql(final(spec, plain, zone), dialect="duckdb"))
        rows, taken, selected = _selected(spec, backend, plain, zone)
    interactions = encode(selected, time_zone)
    return DatasetBuild(
        interactions=interactions,
        table_versions=versions,
        fingerprint=fingerprint(spec, versions, time_zone),
        sql=sql,
        steps=taken,
        rows=len(interactions),
        quality=quality_of(interactions, rows, taken),
    )


def fingerprint(spec: DatasetSpec, versions: Mapping[str, int], time_zone: str) -> str:
    """SHA-256 in hex of what decides a dataset's content: definition, table versions, time zone."""
    content: dict[str, Any] = {
        "spec": spec.model_dump(mode="json"),
        "versions": dict(sorted(versions.items())),
        "time_zone": time_zone,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _version(name: str, newest: int | None, pins: Mapping[str, int] | None) -> int:
    if newest is None:
        raise WarehouseTableMissing(
            f"The warehouse has no table {name} yet.", advice="Run the job that loads it, or correct the name."
        )
    return (pins or {}).get(name, newest)


def _refuse_alike(tables: list[str]) -> None:
    seen: dict[str, str] = {}
    for name in tables:
        other = seen.setdefault(name.casefold(), name)
        if other != name:
            raise BadInput(
                f"The tables {other} and {name} differ only in capitals, which SQL cannot tell apart.",
                field="joins",
                advice="Give one of them another destination in its job.",
            )


def definition(spec: DatasetSpec, backend: Any) -> Any:
    """Joined tables under the roles' names, once it is sure that no join multiplies rows."""
    for number, join in enumerate(spec.joins):
        check_join(join, backend.table(join.table), number)
    table = with_roles(spec, joined(spec, backend.table))
    for number, join in enumerate(spec.joins):
        repeated = repeated_keys(join, backend.table(join.table))
        example = repeated.limit(1).to_pyarrow().to_pylist()
        if example:
            keys = ", ".join(join.on.values())
            values = ", ".join(str(value) for name, value in example[0].items() if name != "times")
            raise BadInput(
                f"{join.table} has {counted(int(repeated.count().execute()), 'value')} of {keys} in more than one row "
                f"(“{values}” in {example[0]['times']:,}), so the join would count order lines more than once.",
                field=f"joins[{number}].on",
                advice="Join on columns that are unique there, or load a table with one row for each.",
            )
    return table


def _selected(
    spec: DatasetSpec, backend: Any, plain: Any, zone: ZoneInfo
) -> tuple[int, tuple[FilterStep, ...], pa.Table]:
    """Rows before any step, the rows around every step, and the role columns of the rows that stay."""
    narrows = list(steps(spec, zone))
    for step in narrows:
        step.narrow(plain)  # every condition is refused before a row is read
    # Read once: every count and the result come from this copy, which may spill to disk and ends with the connection.
    table = backend.create_table(COPY, plain, temp=True)
    before = rows = int(table.count().execute())
    if rows == 0:
        raise EmptyDataset(f"The table {spec.base} has no rows.", advice="Run the job that loads it.")
    looks = len(NEEDED_ROLES) + len(spec.filters.where)
    taken: list[FilterStep] = []
    for _, name, narrow in narrows:
        table = narrow(table)
        if len(taken) >= looks:
            # these look at all rows that are left, so each stands on a copy instead of repeating the ones before
            table = backend.create_table(f"{COPY}_{len(taken)}", table, temp=True)
        after = int(table.count().execute())
        taken.append(FilterStep(name, before, after))
        if after == 0:
            raise EmptyDataset(
                f"Nothing is left after the filter “{name}”, which {counted(before, 'row')} had reached.",
                advice="Widen that filter."
                if len(taken) > len(NEEDED_ROLES)
                else "Choose another column for that role.",
            )
        before = after
    reader = backend.con.sql(str(ibis.to_sql(roles_only(table), dialect="duckdb"))).to_arrow_reader(250_000)
    return rows, tuple(taken), with_dictionaries(reader, reader.schema)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise StorageFull(
            "The dataset needs more memory and temporary disk space than queries may use here.",
            advice="Choose fewer rows, a shorter period or fewer joins, or give the machine more.",
        ) from error
