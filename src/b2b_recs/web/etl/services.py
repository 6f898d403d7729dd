"""Starting, cancelling and repeating runs of ETL jobs. Call inside the organization's scope."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from b2b_recs.engine.errors import BadInput
from b2b_recs.web.accounts.models import User
from b2b_recs.web.etl.models import DataSource, DataSourceTable, ETLRun
from b2b_recs.web.runs.attempts import CANCELLED, end_from_outside
from b2b_recs.web.runs.models import RunLogLine
from b2b_recs.web.runs.queueing import call_off, defer, hasten
from b2b_recs.web.training.models import PipelineRun

STAGES = ("connect", "read", "load", "reconcile")


def start_run(
    job: DataSource, user: User | None = None, trigger: str = "manual", pipeline_run: PipelineRun | None = None
) -> ETLRun:
    """A queued run of one job; the one already waiting when there is one, so that asking twice runs once.

    One that waits for its next attempt goes on at once when somebody asks.

    Raises BadInput for a job whose set-up was never finished.
    """
    if job.draft or not DataSourceTable.objects.filter(data_source=job).exists():
        raise BadInput(f"The job “{job.name}” is a draft.", field="job", advice="Finish setting it up, then run it.")
    with transaction.atomic():
        DataSource.objects.select_for_update().get(id=job.id)
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
            stages=[{"name": name, "state": "waiting", "detail": ""} for name in STAGES],
        )
        # one run of a job at a time: the queue hands out only one job per lock
        defer("execute_etl_run", job.organization_id, run.id, lock=f"etl-{job.id}")
        return run


def _go_on_now(run: ETLRun) -> None:
    """Somebody asks for a run that waits for its next attempt: it waits no longer."""
    run.next_attempt_at = timezone.now()
    ETLRun.objects.filter(id=run.id, next_attempt_at__isnull=False).update(next_attempt_at=run.next_attempt_at)
    hasten("execute_etl_run", run.organization_id, run.id)


def start_scheduled(job: DataSource, due: datetime, missed: int) -> bool:
    """Queue the run of a job whose time has come; whether one was queued.

    A job is never run twice at the same time: when one of its runs waits or is under way, the time is noted there and
    passed over. ``missed`` counts further times that passed while nobody looked; they are noted on the run as well.
    """
    with transaction.atomic():
        DataSource.objects.select_for_update().get(id=job.id)
        active = ETLRun.objects.filter(data_source_id=job.id, status__in=ETLRun.ACTIVE).order_by("id").first()
        run = active or start_run(job, trigger=ETLRun.Trigger.SCHEDULE)
        passed_over = missed + (1 if active else 0)
        if passed_over:
            ETLRun.objects.filter(id=run.id).update(coalesced=F("coalesced") + passed_over)
            RunLogLine.objects.create(
                organization_id=run.organization_id,
                run_kind=ETLRun.KIND,
                run_id=run.id,
                message=_passed_over(due, missed, active is not None),
            )
        return active is None


def _passed_over(due: datetime, missed: int, under_way: bool) -> str:
    if under_way:
        others = f" and {missed} earlier" if missed else ""
        return f"The scheduled time {due:%d %B %H:%M} UTC{others} came before this run had ended; no second run starts."
    times = "1 earlier scheduled time was" if missed == 1 else f"{missed:,} earlier scheduled times were"
    return f"{times} missed; this run stands for all of them."


def cancel_run(run: ETLRun) -> None:
    """Stop a run: one that waits ends now, one that copies stops at the next batch."""
    from b2b_recs.web.etl.endings import after_etl  # what follows a copy may start the next one

    with transaction.atomic():
        ETLRun.objects.filter(id=run.id, status__in=ETLRun.ACTIVE).update(cancel_requested=True)
        if call_off("execute_etl_run", run.organization_id, run.id):
            end_from_outside(ETLRun, run.organization_id, run.id, "cancelled", CANCELLED, after_etl)
