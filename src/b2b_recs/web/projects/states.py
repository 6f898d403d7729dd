"""How a model becomes active, paused or archived, and why not. Call inside the organization's scope.

A draft has put nothing into service yet; its first deployment makes it active. Paused, its schedules rest and its
endpoint goes on answering. Archived, nothing of it runs and its endpoint is switched off; everything it has is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.db import transaction

from b2b_recs.engine.counting import counted
from b2b_recs.web.conflicts import Conflict
from b2b_recs.web.deployments.models import Deployment
from b2b_recs.web.deployments.pointers import sync_pointers, withdraw_pointer
from b2b_recs.web.etl.models import ETLRun
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.training.models import PipelineRun

Status = ModelEndpoint.Status


class StatusRefused(Conflict):
    """The model cannot go to that status now."""

    code = "status_refused"


@dataclass(frozen=True)
class Move:
    """A way to another status as its button offers it."""

    to: str
    verb: str
    icon: str
    message: str
    kind: str = "warning"  # of the dialog that asks


@dataclass(frozen=True)
class NoWay:
    """What is said of a model that cannot go there, after its name, and what to do instead."""

    words: str
    advice: str


_PAUSE = Move(
    Status.PAUSED,
    "Pause",
    "pause",
    "Its jobs and trainings no longer start by themselves; they can still be started by hand. The endpoint goes on "
    "answering with the version in service.",
)
_PAUSE_STOPPED = replace(
    _PAUSE,
    message="Its jobs and trainings no longer start by themselves; they can still be started by hand. Serving stays "
    "stopped until it is started again.",
)
_RESUME = Move(Status.ACTIVE, "Resume", "play", "Its jobs and trainings follow their schedules again.", "info")
_ARCHIVE = Move(
    Status.ARCHIVED,
    "Archive",
    "archive",
    "Its endpoint stops answering and nothing of it runs any more. Connections, tables, versions and runs are kept, "
    "and it can be restored.",
    "danger",
)
_RESTORE = Move(
    Status.PAUSED,
    "Restore",
    "rotate-cw",
    "The version that was in service answers again, unless it was stopped before. Its schedules rest until it is "
    "resumed.",
    "info",
)
_NO_DRAFT = NoWay("cannot become a draft again.", "Pause it, or archive it and create another model.")
# From each status to each other: the way there, or why there is none.
WAYS: dict[Status, dict[Status, Move | NoWay]] = {
    Status.DRAFT: {
        Status.ACTIVE: NoWay("has nothing to answer with yet.", "Train and deploy it; that makes it active."),
        Status.PAUSED: NoWay("is a draft and has nothing in service.", "Pause the schedules of its jobs instead."),
        Status.ARCHIVED: _ARCHIVE,
    },
    Status.ACTIVE: {
        Status.DRAFT: _NO_DRAFT,
        Status.PAUSED: _PAUSE,
        Status.ARCHIVED: NoWay(
            "is active.", "Pause it first, so that its schedules rest, then archive it, so that nothing answers."
        ),
    },
    Status.PAUSED: {Status.DRAFT: _NO_DRAFT, Status.ACTIVE: _RESUME, Status.ARCHIVED: _ARCHIVE},
    Status.ARCHIVED: {
        Status.DRAFT: _NO_DRAFT,
        Status.ACTIVE: NoWay("is archived.", "Restore it first by pausing it, then resume it."),
        Status.PAUSED: _RESTORE,
    },
}


def moves_of(model: ModelEndpoint) -> tuple[Move, ...]:
    """Where the model can go from where it is."""
    ways = [way for way in WAYS[Status(model.status)].values() if isinstance(way, Move)]
    return tuple(_PAUSE_STOPPED if way is _PAUSE and not model.endpoint_active else way for way in ways)


def change_status(model_id: int, to: str) -> ModelEndpoint:
    """The model in its new status; nothing happens when it has that one already. Raises StatusRefused."""
    with transaction.atomic():
        model = ModelEndpoint.objects.select_for_update().get(id=model_id)
        before, wanted = Status(model.status), Status(to)
        if before == wanted:
            return model
        in_service = Deployment.objects.filter(model=model, status=Deployment.Status.ACTIVE).first()
        deployed = in_service is not None
        refusal = _refusal(model, before, wanted, deployed)
        if refusal is not None:
            raise refusal
        model.status = _reached(before, wanted, deployed)
        model.endpoint_active = in_service is not None and not in_service.stopped and wanted != Status.ARCHIVED
        model.save(update_fields=["status", "endpoint_active", "updated_at"])
        _serve(model, wanted)
    return model


def _reached(before: Status, wanted: Status, deployed: bool) -> Status:
    """What was archived as a draft comes back as one."""
    return Status.DRAFT if before == Status.ARCHIVED and not deployed else wanted


def _serve(model: ModelEndpoint, status: Status) -> None:
    """Let the endpoint follow; the worker's sweep does the same after a kill between the commit and here."""
    organization_id, model_id = model.organization_id, model.id
    if status == Status.ARCHIVED:
        transaction.on_commit(lambda: withdraw_pointer(model_id), robust=True)
    else:
        transaction.on_commit(lambda: sync_pointers(organization_id), robust=True)


def _refusal(model: ModelEndpoint, before: Status, wanted: Status, deployed: bool) -> StatusRefused | None:
    """Why there is no way, or what the way there still needs."""
    way = WAYS[before][wanted]
    if isinstance(way, NoWay):
        return _refused(f"“{model.name}” {way.words}", way.advice)
    if wanted == Status.ARCHIVED and (runs := runs_under_way(model)):
        have = "has" if runs == 1 else "have"
        words = f"{counted(runs, 'run')} of “{model.name}” {have} not ended."
        return _refused(words, "Wait for the end or stop them first.")
    if wanted == Status.ACTIVE and not deployed:
        return _refused(f"“{model.name}” has nothing in service.", "Train and deploy it; that makes it active.")
    return None


def _refused(message: str, advice: str) -> StatusRefused:
    return StatusRefused(message, field="status", advice=advice)


def runs_under_way(model: ModelEndpoint) -> int:
    """How many copies and trainings of the model have not ended."""
    copies = ETLRun.objects.filter(data_source__configuration__model=model, status__in=ETLRun.ACTIVE)
    return copies.count() + PipelineRun.objects.filter(model=model, status__in=PipelineRun.ACTIVE).count()
