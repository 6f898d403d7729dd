"""A warehouse table for a tenant of a test: two versions, a rejected row, and a job that fills it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from tenant_rows import Tenant

from b2b_recs.engine.etl.rejected import SCHEMA as REJECTED
from b2b_recs.engine.warehouse.local import LocalTable, LocalWarehouse
from b2b_recs.runtime.home import Home
from b2b_recs.web.etl.models import DataSourceTable
from b2b_recs.web.tenancy import scope

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def table_of(tenant: Tenant) -> str:
    """The name of the tenant's table; nobody else has one of that name."""
    return f"bq_orders_of_{tenant.organization.slug}"


def warehouse_of(tenant: Tenant) -> LocalWarehouse:
    """The warehouse of the tenant's model."""
    return LocalWarehouse(Home.current().model_warehouse(tenant.id_of("ModelEndpoint")))


def stop_run(tenant: Tenant, table: LocalTable, rows: int) -> None:
    """Let the tenant's run be one that was stopped by so many rows the table could not take."""
    run = f"etl-run-{tenant.id_of('ETLRun')}"
    kept = [
        {"row": json.dumps({"id": str(at)}), "column": "id", "reason": "is too large", "run": run,
         "rejected_at": NOW, "fingerprint": str(at)}
        for at in range(rows)
    ]  # fmt: skip
    table.stopped.append(pa.Table.from_pylist(kept, REJECTED))


def load_table(tenant: Tenant, **spec: Any) -> LocalTable:
    """Fill the tenant's table, and let its job be the one that did; ``spec`` is added to what the job copies."""
    table, run = warehouse_of(tenant).table("raw_data", table_of(tenant)), tenant.id_of("ETLRun")
    rows = {
        "id": [1, 2, 3],
        "who": [f"Customer of {tenant.organization.name}", "=1+1", None],
        "price": [1.5, -2.0, 3.0],
    }
    table.append(pa.table(rows), app="copy:etl-run-900000")
    table.append(pa.table({"id": [4], "who": ["last"], "price": [4.0]}), app=f"copy:etl-run-{run}")
    rejected = {
        "row": json.dumps({"id": "x", "who": f"Nobody of {tenant.organization.name}"}),
        "column": "id",
        "reason": "is not a whole number",
        "run": f"etl-run-{run}",
        "rejected_at": NOW,
        "fingerprint": "1",
    }
    table.rejected.append(pa.Table.from_pylist([rejected], REJECTED))
    with scope(tenant.id):
        row = DataSourceTable.objects.get(id=tenant.id_of("DataSourceTable"))
        load = {"strategy": "merge", "cursor": "at", "key": ["id"]}
        row.spec = {"source_table": "orders", "destination_table": table.name, "load": load, **spec}
        row.save()
    return table
