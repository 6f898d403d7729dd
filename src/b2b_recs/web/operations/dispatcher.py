"""What the worker does between runs: fires due schedules, keeps pointer files in step, collects traffic.

These look at every organization with the operator's role, then act inside the scope of one.
"""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import transaction

from b2b_recs.engine.errors import EngineError
from b2b_recs.runtime.home import Home
from b2b_recs.web.accounts.models import Organization
from b2b_recs.web.deployments.pointers import sync_pointers
from b2b_recs.web.etl.endings import after_etl
from b2b_recs.web.etl.models import DataSource, ETLRun
from b2b_recs.web.etl.services import start_run
from b2b_recs.web.monitoring.services import collect
from b2b_recs.web.projects.models import ModelEndpoint, Schedule
from b2b_recs.web.projects.schedules import next_time
from b2b_recs.web.runs.attempts import end_from_outside
from b2b_recs.web.runs.models import Run
from b2b_recs.web.tenancy import scope, unscoped
from b2b_recs.web.training.models import PipelineRun
from b2b_recs.web.training.services import start_pipeline

AT_ONCE = 100


def fire_due_schedules(now: datetime | None = None) -> int:
    """Queue a run for every schedule that is due; returns how many fired. Missed times fire once.

    Rows are claimed with SKIP LOCKED in the transaction that moves them on, so several workers fire each only once.
    """
    now = now or datetime.now(UTC)
    fired = 0
    due = list(
        unscoped(Schedule)
        .filter(enabled=True, next_at__lte=now, organization__suspended=False)
        .order_by("next_at")
        .values_list("organization_id", "id")[:AT_ONCE]
    )
    for organization_id, schedule_id in due:
        with scope(organization_id), transaction.atomic():
            schedule = (
                Schedule.objects.select_for_update(skip_locked=True)
                .filter(id=schedule_id, enabled=True, next_at__lte=now)
                .first()
            )
            if schedule is None:
                continue
            schedule.last_fired_at = now
            schedule.next_at = next_time(schedule.cron, schedule.time_zone, now)
            schedule.save(update_fields=["last_fired_at", "next_at"])
            fired += _start(schedule)
    return fired


def keep_pointers() -> None:
    """Remake the pointer files of every organization; a kill between commit and write is mended here."""
    for organization_id in unscoped(Organization).values_list("id", flat=True):
        sync_pointers(organization_id)


def collect_traffic() -> None:
    """Bring served requests into the hourly numbers."""
    collect(Home.current().traffic)


def settle(kind: str, organization_id: int, run_id: int, outcome: str, message: str) -> None:
    """Write the end of a run whose own process could not."""
    run_type: type[Run] = ETLRun if kind == ETLRun.KIND else PipelineRun
    end_from_outside(run_type, organization_id, run_id, outcome, message, after_etl if run_type is ETLRun else _nothing)


def _nothing(run: Run) -> None:
    """Nothing waits for a pipeline run."""


def _start(schedule: Schedule) -> int:
    try:
        if schedule.target_kind == Schedule.Target.ETL:
            job = DataSource.objects.filter(id=schedule.target_id, enabled=True).first()
            if job is None:
                return 0
            start_run(job, trigger="schedule")
        else:
            model = ModelEndpoint.objects.filter(id=schedule.target_id).first()
            if model is None:
                return 0
            start_pipeline(model, trigger="schedule")
    except EngineError:  # nothing to run yet: the model's page says what is missing
        return 0
    return 1
