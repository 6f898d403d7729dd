"""Runs that nobody works on any more, although they have not ended: found and brought to an end.

The queue hands out every run until it has ended. What can still be lost is the last word: a database that was away
too long when it was to be written, or a job deleted together with a copy that a pipeline run waited for.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Q

from b2b_recs.web.etl.models import ETLRun
from b2b_recs.web.runs.models import Run
from b2b_recs.web.tenancy import scope
from b2b_recs.web.training.models import PipelineRun
from b2b_recs.web.training.services import continue_pipeline

QUIET = timedelta(minutes=2)
LOST = "The run was lost: no worker has it in hand."
_IN_HAND = "SELECT task_name, (args->>'run_id')::bigint FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
log = logging.getLogger(__name__)


def quiet_since(now: datetime) -> Q:
    """Runs that have not ended and have said nothing for a while."""
    before = now - QUIET
    return Q(status__in=Run.ACTIVE, created_at__lt=before) & (Q(heartbeat_at=None) | Q(heartbeat_at__lt=before))


def in_hand() -> set[tuple[str, int]]:
    """Task and run of every job that waits or is worked on. Ask after looking for quiet runs, not before."""
    with connection.cursor() as cursor:
        cursor.execute(_IN_HAND)
        return {(str(task), int(run)) for task, run in cursor.fetchall()}


def waits_for_copies(organization_id: int, run_id: int) -> bool:
    """Whether a pipeline run has not been queued yet; it is sent on its way when all its copies have ended."""
    with scope(organization_id):
        run = PipelineRun.objects.select_for_update().filter(id=run_id).first()
        if run is None or run.is_over or run.attempt or run.stages[0].get("state") != "running":
            return False
        if not ETLRun.objects.filter(pipeline_run_id=run_id, status__in=ETLRun.ACTIVE).exists():
            log.warning("pipeline run %s waited for copies that are gone; it goes on", run_id)
            continue_pipeline(run_id)
        return True
