"""Whether a job runs by itself now, and why not. Call inside the organization's scope."""

from __future__ import annotations

from django.db.models import QuerySet

from b2b_recs.web.etl.models import DataSource
from b2b_recs.web.projects.models import ModelEndpoint

_RESTING = {
    ModelEndpoint.Status.PAUSED: "The model is paused.",
    ModelEndpoint.Status.ARCHIVED: "The model is archived.",
}


def is_resting(why: str) -> bool:
    """Whether that is why a job does not run: its model is paused or archived."""
    return why in _RESTING.values()


def jobs_to_run(model: ModelEndpoint) -> QuerySet[DataSource]:
    """The jobs that running everything runs: finished, and neither they nor their connections switched off."""
    found: QuerySet[DataSource] = DataSource.objects.filter(
        configuration__model=model, enabled=True, draft=False, connection__enabled=True
    )
    return found.order_by("id")


def why_idle(job: DataSource, *, by_hand: bool, paused: bool) -> str:
    """Why no time of its schedule will start the job, the nearest reason first; empty when one will.

    ``by_hand``: it has no schedule. ``paused``: its schedule is kept and not followed.
    """
    if job.draft:
        return "The job is a draft."
    if by_hand:
        return "It runs by hand."
    if not job.enabled:
        return "The job is disabled."
    if paused:
        return "Its schedule is paused."
    if not job.connection.enabled:
        return "Its connection is switched off."
    if not job.configuration.enabled:
        return "Schedules are switched off for the whole model."
    return _RESTING.get(job.configuration.model.status, "")
