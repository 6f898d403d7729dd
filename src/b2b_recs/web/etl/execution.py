"""Carries out one ETL run: in this process, or by a runner elsewhere when the operator has named one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db import connection

from b2b_recs.engine.etl.runner import CopyTask, run_copy
from b2b_recs.runtime.home import Home
from b2b_recs.web.connections.services import guard, note_use
from b2b_recs.web.etl.endings import after_etl
from b2b_recs.web.etl.models import ETLRun
from b2b_recs.web.etl.remote.assigning import task_of
from b2b_recs.web.etl.remote.launching import launch, runner_command
from b2b_recs.web.runs.attempts import perform
from b2b_recs.web.runs.outage import patiently
from b2b_recs.web.runs.recorder import RunRecorder
from b2b_recs.web.tenancy import scope


def execute(organization_id: int, run_id: int) -> int:
    """Take the next attempt at an ETL run; returns the exit code for the worker."""
    command = runner_command()
    if command:
        return launch(organization_id, run_id, command)
    return perform(
        ETLRun, organization_id, run_id, lambda recorder: _copy(organization_id, run_id, recorder), after=after_etl
    )


def _copy(organization_id: int, run_id: int, recorder: RunRecorder) -> dict[str, Any]:
    home = Home.current()
    task, connection_id = patiently(lambda: _task(organization_id, run_id))
    connection.close()  # copying takes long; the recorder has a connection of its own
    return run_copy(
        task,
        DatabaseGate(organization_id, connection_id),
        recorder,
        guard().for_organization(organization_id),
        home.model_warehouse(task.model_id),
        home.staging / f"etl-{task.job_id}",
        lambda: datetime.now(UTC),
    )


class DatabaseGate:
    """The gate of a run whose rows this process can write itself."""

    def __init__(self, organization_id: int, connection_id: int) -> None:
        self._connection = (organization_id, connection_id)

    def note_use(self, refusal: str = "") -> None:
        """Keep on the connection whether its source let us in just now."""
        try:
            patiently(lambda: note_use(*self._connection, refusal))
        finally:
            connection.close()


def _task(organization_id: int, run_id: int) -> tuple[CopyTask, int]:
    with scope(organization_id):
        run = ETLRun.objects.select_related("data_source").get(id=run_id)
        return task_of(run_id), run.data_source.connection_id
