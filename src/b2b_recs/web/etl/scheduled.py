"""Starting the jobs whose times have come, many in a few statements. Call inside the organization's scope."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import F

from b2b_recs.web.etl.models import DataSource, ETLRun
from b2b_recs.web.etl.services import TASK, lock_of, waiting_stages
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.runs.models import RunLogLine
from b2b_recs.web.runs.queueing import defer_all
from b2b_recs.web.tenancy import required

RESTING = (ModelEndpoint.Status.PAUSED, ModelEndpoint.Status.ARCHIVED)


@dataclass(frozen=True, slots=True)
class Time:
    """A time of a schedule that has come, and how many further ones passed while nobody looked."""

    due: datetime
    missed: int = 0


@dataclass(frozen=True, slots=True)
class Started:
    """The jobs for which a run was queued, and those that somebody else has in hand, for which nothing was done."""

    jobs: set[int] = field(default_factory=set)
    busy: set[int] = field(default_factory=set)


def start_scheduled(times: Mapping[int, Time], wait: bool = True) -> Started:
    """Queue the runs of the jobs whose times have come; a job that is switched off, unfinished or gone is passed over.

    A job is never run twice at the same time: when one of its runs waits or is under way, the time is noted there and
    passed over. Times that were missed are noted on the run as well. Without ``wait`` no job that somebody else has
    locked is waited for, so that many can be started at once without two callers standing in each other's way.
    """
    if not times:
        return Started()
    with transaction.atomic():
        wanted = _followed(times)
        mine = set(
            DataSource.objects.filter(id__in=wanted)
            .order_by("id")
            .select_for_update(skip_locked=not wait, no_key=True)
            .values_list("id", flat=True)
        )
        under_way: dict[int, int] = {}
        active = ETLRun.objects.filter(data_source_id__in=mine, status__in=ETLRun.ACTIVE).order_by("id")
        for job, run in active.values_list("data_source_id", "id"):
            under_way.setdefault(job, run)
        queued = _queue({job: times[job] for job in sorted(mine - under_way.keys())})
        _note(times, queued, under_way)
    return Started(set(queued), set() if wait else wanted - mine)


def _followed(times: Mapping[int, Time]) -> set[int]:
    """Those of the jobs that follow their schedules.

    Their set-up is finished, and neither they, nor their connection, nor the scheduling of their model, nor the model
    itself is switched off.
    """
    found = (
        DataSource.objects.filter(
            id__in=times, enabled=True, draft=False, configuration__enabled=True, connection__enabled=True
        )
        .exclude(configuration__model__status__in=RESTING)
        .exclude(table=None)
    )
    return set(found.values_list("id", flat=True))


def _queue(times: Mapping[int, Time]) -> dict[int, int]:
    """Make a run for each of the jobs and queue it; returns job → run."""
    runs = ETLRun.objects.bulk_create(
        ETLRun(
            organization_id=required(),
            data_source_id=job,
            triggered_by=ETLRun.Trigger.SCHEDULE,
            stages=waiting_stages(),
            coalesced=time.missed,
        )
        for job, time in times.items()
    )
    defer_all(TASK, required(), {run.id: lock_of(run.data_source_id) for run in runs})
    return {run.data_source_id: run.id for run in runs}


def _note(times: Mapping[int, Time], queued: Mapping[int, int], under_way: Mapping[int, int]) -> None:
    """Say on the runs for how many times they stand, beside their own."""
    said = {run: _missed(times[job].missed) for job, run in queued.items() if times[job].missed}
    for job, run in sorted(under_way.items(), key=lambda pair: pair[1]):
        time = times[job]
        ETLRun.objects.filter(id=run).update(coalesced=F("coalesced") + time.missed + 1)
        said[run] = _passed_over(time)
    RunLogLine.objects.bulk_create(
        RunLogLine(organization_id=required(), run_kind=ETLRun.KIND, run_id=run, message=message)
        for run, message in said.items()
    )


def _passed_over(time: Time) -> str:
    others = f" and {time.missed} earlier" if time.missed else ""
    return (
        f"The scheduled time {time.due:%d %B %H:%M} UTC{others} came before this run had ended; no second run starts."
    )


def _missed(count: int) -> str:
    times = "1 earlier scheduled time was" if count == 1 else f"{count:,} earlier scheduled times were"
    return f"{times} missed; this run stands for all of them."
