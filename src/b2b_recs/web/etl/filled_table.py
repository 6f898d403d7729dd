"""The warehouse table that a job fills."""

from __future__ import annotations

from b2b_recs.engine.etl.spec import CopySpec
from b2b_recs.engine.warehouse.local import LocalTable, LocalWarehouse
from b2b_recs.runtime.home import Home


def filled_table(model_id: int, spec: CopySpec) -> LocalTable | None:
    """The warehouse table of a copy; None before its first load."""
    warehouse = LocalWarehouse(Home.current().model_warehouse(model_id))
    table = warehouse.table(spec.destination_dataset, spec.destination_table)
    return table if table.exists() else None
