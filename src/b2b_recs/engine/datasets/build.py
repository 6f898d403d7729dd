"""Builds a dataset: reads pinned table versions, applies roles and filters, counts what every step leaves out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import ibis
import pyarrow as pa

from b2b_recs.engine.datasets.encode import encode
from b2b_recs.engine.datasets.expressions import duplicate_keys, final, joined, steps, with_roles
from b2b_recs.engine.datasets.interactions import DatasetBuild, FilterStep
from b2b_recs.engine.datasets.quality import quality_of
from b2b_recs.engine.datasets.spec import DatasetSpec
from b2b_recs.engine.errors import BadInput, EmptyDataset, WarehouseTableMissing
from b2b_recs.engine.warehouse.local import LocalWarehouse
from b2b_recs.engine.warehouse.query import Limits, ibis_connection

RAW = "raw_data"


def build_dataset(
    spec: DatasetSpec,
    warehouse: LocalWarehouse,
    pins: Mapping[str, int] | None = None,
    *,
    time_zone: str = "UTC",
    limits: Limits = Limits.DEFAULT,
) -> DatasetBuild:
    """The interactions a definition selects, and everything needed to read them again.

    ``pins`` names table versions to read instead of the newest. Times without a zone are read in ``time_zone``.
    Raises WarehouseTableMissing, BadInput naming the role, join or filter at fault, and EmptyDataset naming the
    filter that left nothing.
    """
    tables = sorted({spec.base, *(join.table for join in spec.joins)})
    views = {name: warehouse.table(RAW, name) for name in tables}
    versions = {name: _version(name, table.version(), pins) for name, table in views.items()}
    with ibis_connection({name: (views[name], versions[name]) for name in tables}, limits) as backend:
        _refuse_multiplying_joins(spec, backend)
        plain = with_roles(spec, joined(spec, backend.table))
        counted: list[FilterStep] = []
        # read once: counts and result come from this copy, which may spill to disk and ends with the connection
        table = backend.create_table("selected_rows", plain, temp=True)
        before = rows = int(table.count().execute())
        for name, narrow in steps(spec):
            table = narrow(table)
            after = int(table.count().execute())
            counted.append(FilterStep(name, before, after))
            before = after
        _refuse_empty(rows, counted)
        result: pa.Table = table.select([one for one in table.columns if one.startswith("role_")]).to_pyarrow()
        sql = str(ibis.to_sql(final(spec, plain), dialect="duckdb"))
    interactions = encode(result, time_zone)
    return DatasetBuild(
        interactions=interactions,
        table_versions=versions,
        fingerprint=fingerprint(spec, versions, time_zone),
        sql=sql,
        steps=tuple(counted),
        rows=len(interactions),
        quality=quality_of(interactions, rows, tuple(counted)),
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


def _refuse_multiplying_joins(spec: DatasetSpec, backend: Any) -> None:
    for number, join in enumerate(spec.joins):
        table = backend.table(join.table)
        for name in join.on.values():
            if name not in table.columns:
                raise BadInput(
                    f"There is no column “{name}” in {join.table}.",
                    field=f"joins[{number}].on",
                    advice=f"Columns there are: {', '.join(table.columns)}.",
                )
        repeated = int(duplicate_keys(join, table).count().execute())
        if repeated:
            keys = ", ".join(join.on.values())
            raise BadInput(
                f"{join.table} has {repeated:,} values of {keys} in more than one row, so joining it would count "
                "order lines twice.",
                field=f"joins[{number}].on",
                advice="Join on a column that is unique there.",
            )


def _refuse_empty(rows: int, counted: list[FilterStep]) -> None:
    if rows == 0:
        raise EmptyDataset("The dataset's tables have no rows.", advice="Run the jobs that load them.")
    for step in counted:
        if step.rows_after == 0:
            raise EmptyDataset(
                f"Nothing is left after the filter “{step.name}”, which {step.rows_before:,} rows had reached.",
                advice="Widen that filter.",
            )
