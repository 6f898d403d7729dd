"""Starting, cancelling and repeating runs of ETL jobs. Call inside the organization's scope."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from b2b_recs.engine.errors import BadInput
from b2b_recs.web.accounts.models import User
from b2b_recs.web.conflicts import ConnectionOff, ModelArchived
from b2b_recs.web.etl.models import DataSource, DataSourceTable, ETLRun
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.runs.attempts import CANCELLED, end_from_outside
from b2b_recs.web.runs.queueing import call_off, defer, hasten
from b2b_recs.web.training.models import PipelineRun

STAGES = ("connect", "read", "load", "reconcile")
TASK = "execute_etl_run"


def start_run(
    job: DataSource, user: User | None = None, trigger: str = "manual", pipeline_run: PipelineRun | None = None
) -> ETLRun:
    """A queued run of one job; the one already waiting when there is one, so that asking twice runs once.

    One that waits for its next attempt goes on at once when somebody asks.

    Raises BadInput for a job whose set-up was never finished, ModelArchived when nothing of its model runs,
    ConnectionOff when its connection is switched off.
    """
    if job.draft or not DataSourceTable.objects.filter(data_source=job).exists():
        raise BadInput(f"The job “{job.name}” is a draft.", field="job", advice="Finish setting it up, then run it.")
    with transaction.atomic():
        rows = DataSource.objects.select_related("configuration__model", "connection")
        locked = rows.select_for_update(of=("self",)).get(id=job.id)
        if locked.configuration.model.status == ModelEndpoint.Status.ARCHIVED:
            raise ModelArchived(locked.configuration.model.name)
        if not locked.connection.enabled:
            raise ConnectionOff(locked.connection.name)
        if pipeline_run is None:
            waiting = ETLRun.objects.filter(data_source_id=job.id, status__in=ETLRun.ACTIVE, pipeline_run=None).first()
            if waiting is not None:
                if waiting.next_attempt_at is not None and trigger != ETLRun.Trigger.SCHEDULE:
                    _go_on_now(waiting)
                return waiting
        run = ETLRun.objects.create(
            organization_id=job.organization_id,
            data_source=job,
            pipeline_run=pipeline_run,
            triggered_by=trigger,
            started_by=user,
            stages=waiting_stages(),
        )
        defer(TASK, job.organization_id, run.id, lock=lock_of(job.id))
        return run


def waiting_stages() -> list[dict[str, str]]:
    """The stages of a run that has not begun."""
    return [{"name": name, "state": "waiting", "detail": ""} for name in STAGES]


def lock_of(job_id: int) -> str:
    """What keeps two runs of a job apart: of jobs with the same lock the queue hands out one at a time."""
    return f"etl-{job_id}"


def _go_on_now(run: ETLRun) -> None:
    """Somebody asks for a run that waits for its next attempt: it waits no longer."""
    run.next_attempt_at = timezone.now()
    ETLRun.objects.filter(id=run.id, next_attempt_at__isnull=False).update(next_attempt_at=run.next_attempt_at)
    hasten(TASK, run.organization_id, run.id)


def cancel_run(run: ETLRun) -> None:
    """Stop a run: one that waits ends now, one that copies stops at the next batch."""
    from b2b_recs.web.etl.endings import after_etl  # what follows a copy may start the next one

    with transaction.atomic():
        ETLRun.objects.filter(id=run.id, status__in=ETLRun.ACTIVE).update(cancel_requested=True)
        if call_off(TASK, run.organization_id, run.id):
            end_from_outside(ETLRun, run.organization_id, run.id, "cancelled", CANCELLED, after_etl)
