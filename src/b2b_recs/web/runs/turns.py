"""What holds a run that waits for its turn, told to the people who asked for it. Call inside the scope."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

from b2b_recs.engine.counting import counted
from b2b_recs.runtime.fetching import runs_per_organization
from b2b_recs.runtime.worker import STALLED_SECONDS
from b2b_recs.web.runs.presenting import RunView
from b2b_recs.web.tenancy import required

TASKS = {"etl": "execute_etl_run", "pipeline": "execute_pipeline_run"}
NO_WORKER = "Waits: no worker is running. Whoever runs the platform starts one; then this goes on by itself."
ORDINALS = ("next", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")

# Of other organizations no more is read than whether their runs keep every worker busy.
_STANDING = """
SELECT count(*) FILTER (WHERE mine AND task_name = 'execute_etl_run'),
       count(*) FILTER (WHERE mine AND task_name = 'execute_pipeline_run'),
       count(*),
       (SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => %(silent)s)),
       (SELECT coalesce(runs_at_once, %(most)s) FROM accounts_organization WHERE id = %(id)s)
FROM (SELECT task_name, args @> %(organization)s::jsonb AS mine FROM procrastinate_jobs WHERE status = 'doing') AS doing
"""
# The line of the organization as the queue hands it out, and of it the runs that are asked for.
_PLACES = """
SELECT task_name, run, place, held FROM (
    SELECT job.task_name, (job.args->>'run_id')::bigint AS run,
           row_number() OVER (ORDER BY job.priority DESC, job.id) AS place,
           EXISTS (SELECT 1 FROM procrastinate_jobs AS other
                   WHERE other.lock = job.lock AND (other.status = 'doing' OR other.status = 'todo' AND (
                       other.priority > job.priority OR other.priority = job.priority AND other.id < job.id))) AS held
    FROM procrastinate_jobs AS job
    WHERE job.status = 'todo' AND job.args @> %(organization)s::jsonb
      AND (job.scheduled_at IS NULL OR job.scheduled_at <= now())
) AS line WHERE run = ANY(%(runs)s)
"""


@dataclass(frozen=True)
class _Standing:
    """What is under way now: copies and trainings of the organization, runs of anybody, workers that live.

    ``most`` is how many of the organization's may be, 0 for any number.
    """

    copies: int
    trainings: int
    everybody: int
    workers: int
    most: int

    @property
    def own(self) -> str:
        """The organization's runs in words; empty when there are none."""
        parts = []
        if self.copies:
            parts.append(counted(self.copies, "copy", "copies"))
        if self.trainings:
            parts.append(counted(self.trainings, "training"))
        if not parts:
            return ""
        verb = "runs" if self.copies + self.trainings == 1 else "run"
        return f"{' and '.join(parts)} of your company {verb} now"


def tell_turns(views: Iterable[RunView]) -> None:
    """Say on every run that waits for its turn what it waits for; two queries, none when no run waits."""
    waiting = {(TASKS[view.kind], view.id): view for view in views if view.status == "pending" and not view.waits}
    if not waiting:
        return
    organization = json.dumps({"organization_id": required()})
    with connection.cursor() as cursor:
        cursor.execute(_PLACES, {"organization": organization, "runs": [number for _, number in waiting]})
        places = {(str(task), int(run)): (int(place), bool(held)) for task, run, place, held in cursor.fetchall()}
        if not places.keys() & waiting.keys():
            return
        asked = {"id": required(), "most": runs_per_organization(), "silent": STALLED_SECONDS}
        cursor.execute(_STANDING, {"organization": organization, **asked})
        standing = _Standing(*cursor.fetchone())
    for key in places.keys() & waiting.keys():
        waiting[key].waits = _words(standing, *places[key], kind=waiting[key].kind)


def _words(standing: _Standing, place: int, held: bool, kind: str) -> str:
    if not standing.workers:
        return NO_WORKER
    if held:
        return f"Waits: another {'copy of this job' if kind == 'etl' else 'training of this model'} comes first."
    line = f"this one is {_ordinal(place)}{'' if place == 1 else ' in line'}"
    if standing.own:
        full = standing.most and standing.copies + standing.trainings >= standing.most
        return f"Waits: {standing.own}{', as many as may at once' if full else ''}; {line}."
    if standing.everybody:
        return f"Waits: every worker is busy; {line}."
    return "Starts in a moment." if place == 1 else f"Waits: {line}."


def _ordinal(place: int) -> str:
    return ORDINALS[place - 1] if place <= len(ORDINALS) else f"number {place:,}"
