"""Fires the schedules that are due: each once, however many look, and those of jobs many at a time.

What is due is found with the operator's role; it is claimed and started in the scope of its organization.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby, islice, takewhile

from django.db import connection

from b2b_recs.engine.errors import BadInput, EngineError
from b2b_recs.web.etl.scheduled import RESTING, Time, start_scheduled
from b2b_recs.web.operations.fresh_connections import on_fresh_connections
from b2b_recs.web.projects.models import ModelEndpoint, Schedule
from b2b_recs.web.projects.schedules import spec_of
from b2b_recs.web.runs.outage import OUTAGES
from b2b_recs.web.tenancy import scope, unscoped
from b2b_recs.web.training.models import PipelineRun
from b2b_recs.web.training.services import start_pipeline

TOGETHER = 50
MOST_MISSED = 1000
log = logging.getLogger(__name__)

_MOVE_ON = """
UPDATE projects_schedule AS schedule SET last_fired_at = %s, next_at = moved.next_at
FROM unnest(%s::bigint[], %s::timestamptz[]) AS moved (id, next_at) WHERE schedule.id = moved.id
"""


@on_fresh_connections
def fire_due_schedules(now: datetime | None = None) -> int:
    """Queue a run for every schedule that is due; returns how many fired. Missed times fire once.

    Rows are claimed with SKIP LOCKED in the transaction that moves them on, so several workers share them out and
    fire each only once. One that fails is logged and stays due; it keeps no other from firing.
    """
    now = now or datetime.now(UTC)
    fired = 0
    for organization_id, ids in _due(Schedule.Target.ETL, now):
        together, left = _fire_together(organization_id, ids, now)
        fired += together + sum(_fire_alone(organization_id, one, now) for one in left)
    for organization_id, ids in _due(Schedule.Target.PIPELINE, now):
        fired += sum(_fire_alone(organization_id, one, now) for one in ids)
    return fired


def _due(kind: str, now: datetime) -> Iterator[tuple[int, list[int]]]:
    """What is due of a kind: an organization and up to ``TOGETHER`` of its schedules, again and again."""
    due = unscoped(Schedule).filter(target_kind=kind, enabled=True, next_at__lte=now, organization__suspended=False)
    found = list(due.order_by("organization_id", "id").values_list("organization_id", "id"))
    for organization_id, rows in groupby(found, key=lambda row: int(row[0])):
        ids = [int(row[1]) for row in rows]
        for start in range(0, len(ids), TOGETHER):
            yield organization_id, ids[start : start + TOGETHER]


def _fire_together(organization_id: int, ids: Sequence[int], now: datetime) -> tuple[int, list[int]]:
    """Fire the schedules of jobs that nobody else has claimed, in one transaction that waits for nobody.

    Returns how many runs were queued, and the schedules that have to be fired alone.
    """
    try:
        with scope(organization_id):
            claimed = _claim(ids, now)
            started = start_scheduled({row.target_id: time for row, time in claimed}, wait=False)
            _move_on([row for row, _ in claimed if row.target_id not in started.busy], now)
        return len(started.jobs), [row.id for row, _ in claimed if row.target_id in started.busy]
    except OUTAGES:
        raise
    except Exception:  # alone the others fire, and the one at fault is named
        log.exception("schedules of organization %s could not fire together", organization_id)
        return 0, list(ids)


def _fire_alone(organization_id: int, schedule_id: int, now: datetime) -> int:
    """Fire one schedule, waiting for whoever has its job or model in hand; returns how many runs were queued."""
    try:
        with scope(organization_id):
            for row, time in _claim([schedule_id], now):
                _move_on([row], now)
                if row.target_kind == Schedule.Target.ETL:
                    return len(start_scheduled({row.target_id: time}).jobs)
                return _start_pipeline(row.target_id)
    except OUTAGES:
        raise
    except Exception:  # a fault in one schedule is no reason to hold up everybody's
        log.exception("schedule %s could not fire", schedule_id)
    return 0


def _claim(ids: Sequence[int], now: datetime) -> list[tuple[Schedule, Time]]:
    """The schedules that are still due and that nobody else has claimed, each with its time.

    They have their next time in memory; ``_move_on`` writes it, in the same transaction.
    """
    free = Schedule.objects.select_for_update(skip_locked=True)
    rows = free.filter(id__in=ids, enabled=True, next_at__lte=now).order_by("id")
    known: dict[str, tuple[Time, datetime | None]] = {}  # many jobs follow the same rule
    claimed = []
    for row in rows:
        rule = repr((row.kind, row.cron, row.rule, row.time_zone, row.next_at))
        if rule not in known:
            known[rule] = _times(row, now)
        time, row.next_at = known[rule]
        claimed.append((row, time))
    return claimed


def _times(schedule: Schedule, now: datetime) -> tuple[Time, datetime | None]:
    """The time that has come, with those missed after it (counted up to ``MOST_MISSED``), and the next one."""
    due = schedule.next_at
    try:
        spec = spec_of(schedule)
        missed = sum(1 for _ in islice(takewhile(lambda moment: moment <= now, spec.moments(due)), MOST_MISSED))
        return Time(due, missed), spec.next_time(now)
    except BadInput as refusal:  # saved before its rule or time zone was withdrawn: it fires no more
        log.warning("schedule %s has no next time: %s", schedule.id, refusal)
        return Time(due), None


def _move_on(schedules: Sequence[Schedule], now: datetime) -> None:
    """Write that these have fired, and when they come next."""
    with connection.cursor() as cursor:
        cursor.execute(_MOVE_ON, [now, [row.id for row in schedules], [row.next_at for row in schedules]])


def _start_pipeline(model_id: int) -> int:
    """Start the pipeline of a model; 0 when it is paused, gone, under way already, or has nothing to run."""
    model = ModelEndpoint.objects.filter(id=model_id).exclude(status__in=RESTING).first()
    if model is None or PipelineRun.objects.filter(model=model, status__in=PipelineRun.ACTIVE).exists():
        return 0
    try:
        start_pipeline(model, trigger="schedule")
    except EngineError:  # nothing to run yet: the model's page says what is missing
        return 0
    return 1
