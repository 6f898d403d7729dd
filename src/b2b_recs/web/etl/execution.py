"""Carries out one ETL run in its own process: opens the source, copies, writes what happened."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from b2b_recs.engine.etl.copy import copy_table
from b2b_recs.engine.etl.spec import CopyResult, CopySpec
from b2b_recs.engine.sources.registry import SOURCE_TYPES
from b2b_recs.engine.warehouse.local import LocalWarehouse
from b2b_recs.runtime.home import Home
from b2b_recs.web.connections.services import opener
from b2b_recs.web.etl.endings import after_etl
from b2b_recs.web.etl.models import ETLRun
from b2b_recs.web.runs.attempts import DONE, carry_out, claim
from b2b_recs.web.runs.recorder import RunRecorder
from b2b_recs.web.tenancy import scope


def execute(organization_id: int, run_id: int) -> int:
    """Take the next attempt at an ETL run; returns the exit code for the worker."""
    attempt = claim(ETLRun, organization_id, run_id, after=after_etl)
    if attempt is None:
        return DONE
    return carry_out(ETLRun, attempt, lambda recorder: _copy(organization_id, run_id, recorder), after=after_etl)


def _copy(organization_id: int, run_id: int, recorder: RunRecorder) -> dict[str, Any]:
    home = Home.current()
    with scope(organization_id):
        run = ETLRun.objects.select_related("data_source__connection", "data_source__table").get(id=run_id)
        job = run.data_source
        connection = job.connection
        spec = CopySpec.model_validate(job.table.spec)
        model_id = job.configuration.model_id
        open_source = opener(connection)
    recorder.stage("connect", "running", f"Connecting to {connection.name}")
    with open_source() as source:
        recorder.stage("connect", "done")
        result = copy_table(
            SOURCE_TYPES[connection.source_type],
            source,
            spec,
            LocalWarehouse(home.model_warehouse(model_id)),
            home.staging / f"etl-{job.id}",
            f"etl-run-{run_id}",
            recorder,
            lambda: datetime.now(UTC),
        )
    return _ending(result)


def _ending(result: CopyResult) -> dict[str, Any]:
    rejected = result.rows_rejected > 0
    return {
        "status": ETLRun.Status.PARTIAL if rejected else ETLRun.Status.COMPLETED,
        "rows_read": result.rows_read,
        "rows_loaded": result.rows_loaded,
        "rows_rejected": result.rows_rejected,
        "bytes": result.bytes,
        "results": result.model_dump(mode="json"),
    }
