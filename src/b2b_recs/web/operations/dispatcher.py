"""What the worker does between runs: fires due schedules, keeps pointer files in step, collects traffic.

These look at every organization with the operator's role, then act inside the scope of one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from itertools import islice, takewhile
from typing import ParamSpec, TypeVar

from django.db import close_old_connections

from b2b_recs.engine.errors import BadInput, EngineError
from b2b_recs.runtime.home import Home
from b2b_recs.web.accounts.models import ApiKey
from b2b_recs.web.deployments.models import Deployment
from b2b_recs.web.deployments.pins import keep_versions
from b2b_recs.web.deployments.pointers import remake_pointers
from b2b_recs.web.etl.endings import after_etl
from b2b_recs.web.etl.models import DataSource, ETLRun
from b2b_recs.web.etl.services import start_scheduled
from b2b_recs.web.monitoring.services import collect
from b2b_recs.web.operations.lost_runs import LOST, in_hand, quiet_since, waits_for_copies
from b2b_recs.web.projects.models import ModelEndpoint, Schedule
from b2b_recs.web.projects.schedules import spec_of
from b2b_recs.web.runs.attempts import end_from_outside, fail_from_outside
from b2b_recs.web.runs.models import Run
from b2b_recs.web.runs.outage import OUTAGES, patiently
from b2b_recs.web.tenancy import scope, unscoped
from b2b_recs.web.training.models import PipelineRun
from b2b_recs.web.training.services import start_pipeline

AT_ONCE = 100
MOST_MISSED = 1000
RESTING = (ModelEndpoint.Status.PAUSED, ModelEndpoint.Status.ARCHIVED)
log = logging.getLogger(__name__)
Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def _on_fresh_connections(call: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """The worker's threads live long and the database may have restarted in between: keep no connection."""

    @wraps(call)
    def wrapped(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        close_old_connections()
        try:
            return call(*args, **kwargs)
        finally:
            close_old_connections()

    return wrapped


@_on_fresh_connections
def fire_due_schedules(now: datetime | None = None) -> int:
    """Queue a run for every schedule that is due; returns how many fired. Missed times fire once.

    Rows are claimed with SKIP LOCKED in the transaction that moves them on, so several workers fire each only once.
    One that fails is logged and stays due; it keeps no other from firing.
    """
    now = now or datetime.now(UTC)
    fired, last = 0, None
    while True:
        due = unscoped(Schedule).filter(enabled=True, next_at__lte=now, organization__suspended=False)
        page = list(
            (due.filter(id__gt=last) if last is not None else due)
            .order_by("id")
            .values_list("organization_id", "id")[:AT_ONCE]
        )
        for organization_id, schedule_id in page:
            try:
                fired += _fire(organization_id, schedule_id, now)
            except OUTAGES:
                raise
            except Exception:  # a fault in one schedule is no reason to hold up everybody's
                log.exception("schedule %s could not fire", schedule_id)
        if len(page) < AT_ONCE:
            return fired
        last = page[-1][1]


def _fire(organization_id: int, schedule_id: int, now: datetime) -> int:
    with scope(organization_id):
        schedule = (
            Schedule.objects.select_for_update(skip_locked=True)
            .filter(id=schedule_id, enabled=True, next_at__lte=now)
            .first()
        )
        if schedule is None:
            return 0
        due = schedule.next_at
        schedule.last_fired_at = now
        missed = 0
        try:
            schedule.next_at, missed = _following(schedule, now)
        except BadInput as refusal:  # saved before its rule or time zone was withdrawn: it fires no more
            log.warning("schedule %s has no next time: %s", schedule_id, refusal)
            schedule.next_at = None
        schedule.save(update_fields=["last_fired_at", "next_at"])
        return _start(schedule, due, missed)


def _following(schedule: Schedule, now: datetime) -> tuple[datetime | None, int]:
    """The first time after now, and how many more than the due one have passed (counted up to ``MOST_MISSED``)."""
    spec = spec_of(schedule)
    passed = list(islice(takewhile(lambda moment: moment <= now, spec.moments(schedule.next_at)), MOST_MISSED))
    return spec.next_time(now), len(passed)


@_on_fresh_connections
def keep_pointers() -> None:
    """Remake the pointer files of every organization; a kill between commit and write is mended here."""
    remake_pointers(_answering)


@_on_fresh_connections
def keep_pins() -> None:
    """Keep the table versions behind every model in service; a kill between commit and pin is mended here."""
    keep_versions(_answering()[0])


def _answering() -> tuple[list[Deployment], list[ApiKey]]:
    active = unscoped(Deployment).filter(status=Deployment.Status.ACTIVE, organization__suspended=False)
    return (
        list(active.select_related("model", "trained_model__dataset_version")),
        list(unscoped(ApiKey).filter(revoked_at=None)),
    )


@_on_fresh_connections
def collect_traffic() -> None:
    """Bring served requests into the hourly numbers."""
    collect(Home.current().traffic)


@_on_fresh_connections
def settle(kind: str, organization_id: int, run_id: int, outcome: str, message: str) -> None:
    """Write the end of a run whose own process could not."""
    run_type, after = _kind(kind)
    patiently(lambda: end_from_outside(run_type, organization_id, run_id, outcome, message, after))


@_on_fresh_connections
def again(kind: str, organization_id: int, run_id: int, message: str) -> float | None:
    """Seconds until a run whose process ended too early is tried again; None when it has ended."""
    run_type, after = _kind(kind)
    at = patiently(lambda: fail_from_outside(run_type, organization_id, run_id, message, after))
    return None if at is None else max(0.0, (at - datetime.now(UTC)).total_seconds())


def _kind(kind: str) -> tuple[type[Run], Callable[[Run], None]]:
    return (ETLRun, after_etl) if kind == ETLRun.KIND else (PipelineRun, _nothing)


@_on_fresh_connections
def end_lost_runs(now: datetime | None = None) -> int:
    """End the runs that no job of the queue stands for any more; returns how many ended as failed."""
    quiet = quiet_since(now or datetime.now(UTC))
    found = [
        (kind, task, organization_id, run_id)
        for kind, task, run_type in (
            (ETLRun.KIND, "execute_etl_run", ETLRun),
            (PipelineRun.KIND, "execute_pipeline_run", PipelineRun),
        )
        for organization_id, run_id in unscoped(run_type).filter(quiet).values_list("organization_id", "id")
    ]
    known = in_hand() if found else set()
    ended = 0
    for kind, task, organization_id, run_id in found:
        if (task, run_id) in known:
            continue
        if kind == PipelineRun.KIND and waits_for_copies(organization_id, run_id):
            continue
        log.warning("%s run %s of organization %s was lost", kind, run_id, organization_id)
        settle(kind, organization_id, run_id, "failed", LOST)
        ended += 1
    return ended


def _nothing(run: Run) -> None:
    """Nothing waits for a pipeline run."""


def _start(schedule: Schedule, due: datetime, missed: int) -> int:
    """Start what a schedule is for; 0 when it is paused, gone, under way already, or has nothing to run."""
    try:
        if schedule.target_kind == Schedule.Target.ETL:
            job = _scheduled_job(schedule.target_id)
            return int(job is not None and start_scheduled(job, due, missed))
        model = ModelEndpoint.objects.filter(id=schedule.target_id).exclude(status__in=RESTING).first()
        if model is None or PipelineRun.objects.filter(model=model, status__in=PipelineRun.ACTIVE).exists():
            return 0
        start_pipeline(model, trigger="schedule")
    except EngineError:  # nothing to run yet: the model's page says what is missing
        return 0
    return 1


def _scheduled_job(job_id: int) -> DataSource | None:
    """The job of a schedule, unless it, the scheduling of its model, or the model itself is switched off."""
    found: DataSource | None = (
        DataSource.objects.filter(id=job_id, enabled=True, draft=False, configuration__enabled=True)
        .exclude(configuration__model__status__in=RESTING)
        .first()
    )
    return found
