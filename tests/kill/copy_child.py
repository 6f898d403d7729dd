"""One copy of the ledger table, and how the process that does it kills itself at a named step."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from b2b_recs.engine import faults
from b2b_recs.engine.etl import plan, stage
from b2b_recs.engine.etl.copy import copy_table
from b2b_recs.engine.etl.spec import Catalog, CopySpec, Merge, Transactional
from b2b_recs.engine.progress import Silent
from b2b_recs.engine.sources.registry import SOURCE_TYPES
from b2b_recs.engine.warehouse.local import LocalTable, LocalWarehouse

DESTINATIONS = {
    "appended": "bq_ledger",
    "replaced": "bq_ledger_copy",
    "merged": "bq_ledger_merged",
    "strict": "bq_ledger_strict",
}


def spec(kind: str) -> CopySpec:
    """A job over the ledger: ``appended`` by its time and key, ``merged`` with deletions, or ``replaced`` each run;
    ``strict`` is replaced as well, and takes no rejected row."""
    load: Catalog | Transactional | Merge = Catalog()
    reconcile: Literal["counts", "checksums"] = "counts"
    if kind == "appended":
        load = Transactional(cursor="at", key=("id",), lag=timedelta(minutes=10))
    elif kind == "merged":
        load = Merge(cursor="at", key=("id",), lag=timedelta(minutes=10), deletes="remove")
        reconcile = "checksums"
    return CopySpec(
        source_schema="public",
        source_table="ledger",
        destination_table=DESTINATIONS[kind],
        load=load,
        reconcile=reconcile,
        reject_threshold=0 if kind == "strict" else 0.05,
    )


def table(folder: Path, kind: str) -> LocalTable:
    """The destination of a job."""
    return LocalWarehouse(folder / "warehouse").table("raw_data", DESTINATIONS[kind])


def copy(folder: Path, url: str, run_key: str) -> None:
    """Copy once; the run key begins with the kind of the job."""
    stage.PART_BYTES, plan.BATCH_BYTES = 1, 16 * 1024
    parts = urlsplit(url)
    postgresql = SOURCE_TYPES["postgresql"]
    parameters = postgresql.Parameters(
        host=parts.hostname,
        port=parts.port,
        database=parts.path[1:],
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        ssl_mode="disable",
    )
    kind = run_key.split("-")[0]
    with postgresql.open(parameters, lambda host, port: host) as source:
        warehouse, staging = LocalWarehouse(folder / "warehouse"), folder / "staging"
        copy_table(postgresql, source, spec(kind), warehouse, staging, run_key, Silent(), lambda: datetime.now(UTC))


def die_at(name: str, count: int) -> None:
    """Kill this process at the ``count``-th time it comes to the step."""
    left = count

    def hook(step: str) -> None:
        nonlocal left
        if step == name:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    faults.install(hook)
