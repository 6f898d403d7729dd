"""What the worker does between runs: keeps pointer files in step, collects traffic, ends what was lost.

These look at every organization with the operator's role, then act inside the scope of one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from django.db.models import Q, QuerySet

from b2b_recs.runtime.home import Home
from b2b_recs.web.accounts.models import ApiKey
from b2b_recs.web.deployments.models import Deployment
from b2b_recs.web.deployments.pins import keep_versions
from b2b_recs.web.deployments.pointers import remake_pointers
from b2b_recs.web.etl.endings import after_etl
from b2b_recs.web.etl.models import ETLRun
from b2b_recs.web.experiments.models import TrainedModel
from b2b_recs.web.monitoring.services import collect
from b2b_recs.web.operations.fresh_connections import on_fresh_connections
from b2b_recs.web.operations.lost_runs import LOST, in_hand, quiet_since, waits_for_copies
from b2b_recs.web.projects.models import ModelEndpoint, Removal
from b2b_recs.web.projects.removing import clear
from b2b_recs.web.runs.attempts import end_from_outside, fail_from_outside
from b2b_recs.web.runs.models import Run
from b2b_recs.web.runs.outage import patiently
from b2b_recs.web.tenancy import scope, unscoped
from b2b_recs.web.training.models import PipelineRun

REMOVALS = 20  # at most so many in one sweep
log = logging.getLogger(__name__)


@on_fresh_connections
def keep_pointers() -> None:
    """Remake the pointer files of every organization; a kill between commit and write is mended here."""
    remake_pointers(_answering)


@on_fresh_connections
def keep_pins() -> None:
    """Keep the table versions behind every model in service; a kill between commit and pin is mended here."""
    keep_versions(_in_service())


def _answering() -> tuple[list[Deployment], list[ApiKey]]:
    return (
        list(_in_service()),
        list(unscoped(ApiKey).filter(revoked_at=None)),
    )


def _in_service() -> QuerySet[Deployment]:
    """The versions in service, also one that was stopped and may be started again at any time."""
    active = unscoped(Deployment).filter(status=Deployment.Status.ACTIVE, organization__suspended=False)
    active = active.exclude(model__status=ModelEndpoint.Status.ARCHIVED)
    return active.select_related("model", "trained_model__dataset_version")


@on_fresh_connections
def remove_files() -> None:
    """Take off the disk what was deleted in the database; what a kill left behind is finished here."""
    for removal in unscoped(Removal).filter(done_at=None).order_by("id")[:REMOVALS]:
        if clear(removal, _is_artifact_used):
            with scope(removal.organization_id):
                Removal.objects.filter(id=removal.id).update(done_at=datetime.now(UTC))


def _is_artifact_used(artifact: str) -> bool:
    """Whether a version of any organization still needs an artifact: the same content has one folder for all."""
    wanted = Q(artifact_id=artifact) | Q(metrics__evaluation_artifact_id=artifact)
    return unscoped(TrainedModel).filter(wanted).exists()


@on_fresh_connections
def collect_traffic() -> None:
    """Bring served requests into the hourly numbers."""
    collect(Home.current().traffic)


@on_fresh_connections
def settle(kind: str, organization_id: int, run_id: int, outcome: str, message: str) -> None:
    """Write the end of a run whose own process could not."""
    run_type, after = _kind(kind)
    patiently(lambda: end_from_outside(run_type, organization_id, run_id, outcome, message, after))


@on_fresh_connections
def again(kind: str, organization_id: int, run_id: int, message: str) -> float | None:
    """Seconds until a run whose process ended too early is tried again; None when it has ended."""
    run_type, after = _kind(kind)
    at = patiently(lambda: fail_from_outside(run_type, organization_id, run_id, message, after))
    return None if at is None else max(0.0, (at - datetime.now(UTC)).total_seconds())


def _kind(kind: str) -> tuple[type[Run], Callable[[Run], None]]:
    return (ETLRun, after_etl) if kind == ETLRun.KIND else (PipelineRun, _nothing)


@on_fresh_connections
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
