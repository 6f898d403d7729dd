"""Carries out one ETL run in its own process: opens the source, copies, writes what happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from b2b_recs.engine.errors import SourceRefused
from b2b_recs.engine.etl.copy import copy_table
from b2b_recs.engine.etl.spec import CopyResult, CopySpec
from b2b_recs.engine.sources.contract import Source
from b2b_recs.engine.sources.registry import SOURCE_TYPES
from b2b_recs.engine.warehouse.local import LocalWarehouse
from b2b_recs.runtime.home import Home
from b2b_recs.web.connections.services import note_use, opener
from b2b_recs.web.etl.endings import after_etl
from b2b_recs.web.etl.models import ETLRun
from b2b_recs.web.runs.attempts import perform
from b2b_recs.web.runs.documents import parsed
from b2b_recs.web.runs.outage import patiently
from b2b_recs.web.runs.recorder import RunRecorder
from b2b_recs.web.tenancy import scope


def execute(organization_id: int, run_id: int) -> int:
    """Take the next attempt at an ETL run; returns the exit code for the worker."""
    return perform(
        ETLRun, organization_id, run_id, lambda recorder: _copy(organization_id, run_id, recorder), after=after_etl
    )


def _copy(organization_id: int, run_id: int, recorder: RunRecorder) -> dict[str, Any]:
    home = Home.current()
    task = patiently(lambda: _task(organization_id, run_id))
    connection.close()  # copying takes long; the recorder has a connection of its own
    recorder.stage("connect", "running", f"Connecting to {task.connection_name}")
    with _opened(organization_id, task) as source:
        recorder.stage("connect", "running", f"Connected to {task.connection_name}")
        recorder.log(f"Connected to {task.connection_name}.")
        result = copy_table(
            SOURCE_TYPES[task.source_type],
            source,
            task.spec,
            LocalWarehouse(home.model_warehouse(task.model_id)),
            home.staging / f"etl-{task.job_id}",
            f"etl-run-{run_id}",
            recorder,
            lambda: datetime.now(UTC),
        )
    return _ending(result)


def _opened(organization_id: int, task: _Task) -> Source:
    """The open source; whether it let us in is noted on the connection, as a test would."""
    try:
        source = task.open_source()
    except SourceRefused as refusal:
        message = str(refusal)
        patiently(lambda: note_use(organization_id, task.connection_id, message))
        raise
    finally:
        connection.close()
    patiently(lambda: note_use(organization_id, task.connection_id))
    connection.close()
    return source


@dataclass(frozen=True, slots=True)
class _Task:
    """What a copy needs to know, read in one go so that no transaction stays open meanwhile."""

    job_id: int
    model_id: int
    connection_id: int
    connection_name: str
    source_type: str
    spec: CopySpec
    open_source: Callable[[], Source]


def _task(organization_id: int, run_id: int) -> _Task:
    with scope(organization_id):
        run = ETLRun.objects.select_related(
            "data_source__connection", "data_source__configuration", "data_source__table"
        ).get(id=run_id)
        job = run.data_source
        return _Task(
            job.id,
            job.configuration.model_id,
            job.connection_id,
            job.connection.name,
            job.connection.source_type,
            parsed(CopySpec, job.table.spec, f"the job “{job.name}”"),
            opener(job.connection),
        )


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
