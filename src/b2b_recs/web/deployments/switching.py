"""What people do with a model's versions: put one into service, go back, stop, start again.

Each may be asked twice and is done once. Call inside the organization's scope.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction

from b2b_recs.engine.artifacts.bundle import open_bundle
from b2b_recs.engine.artifacts.store import ArtifactStore
from b2b_recs.engine.errors import EngineError
from b2b_recs.runtime.home import Home
from b2b_recs.web.accounts.models import User
from b2b_recs.web.conflicts import Conflict, ModelArchived
from b2b_recs.web.deployments.models import Deployment
from b2b_recs.web.deployments.pointers import sync_pointers
from b2b_recs.web.deployments.services import active_deployment, deploy
from b2b_recs.web.experiments.models import TrainedModel
from b2b_recs.web.projects.models import ModelEndpoint


class ServiceRefused(Conflict):
    """What answers cannot be changed that way now."""

    code = "service_refused"


class GateDisagrees(Conflict):
    """The gate did not pass the version, and nobody said that it shall answer all the same."""

    code = "gate_not_passed"


def verdict_of(trained: TrainedModel) -> tuple[bool, tuple[str, ...]]:
    """Whether the gate passed a version, and its sentences; a version without a verdict has not passed."""
    gate = trained.metrics.get("gate") if isinstance(trained.metrics, dict) else None
    gate = gate if isinstance(gate, dict) else {}
    reasons = tuple(str(reason) for reason in gate.get("reasons") or ())
    return bool(gate.get("passed")), reasons or ("The gate gave no verdict.",)


def put_into_service(trained: TrainedModel, user: User | None = None, *, despite_gate: bool = False) -> Deployment:
    """Let a version answer from now on, whatever answered before; nothing happens when it does already.

    Raises GateDisagrees unless the gate passed it or ``despite_gate`` says to do it all the same, and ServiceRefused
    for a version that cannot be opened, or when the model is paused. Raises ModelArchived.
    """
    with transaction.atomic():
        model = _locked(trained.model_id)
        _refuse_resting(model)
        current = active_deployment(model)
        if current is not None and current.trained_model_id == trained.id:
            return _serve(model, current)
        passed, reasons = verdict_of(trained)
        if not passed and not despite_gate:
            raise GateDisagrees(
                f"The gate did not pass v{trained.number}: {' '.join(reasons)}",
                field="despite_gate",
                advice="Say that it shall go into service all the same, or choose another version.",
            )
        _refuse_unreadable(trained)
        return deploy(trained, user, gate=_gate(trained))


def roll_back(model: ModelEndpoint, from_version: int, user: User | None = None) -> Deployment:
    """Let the version answer that did before ``from_version``, which answers now; asked twice it goes back once.

    Raises ServiceRefused when another version answers by now, there is none before it, or the model is paused.
    Raises ModelArchived.
    """
    with transaction.atomic():
        model = _locked(model.id)
        _refuse_resting(model)
        current = _in_service(model)
        if current.trained_model.number != from_version:
            if _went_back(model, current, from_version):
                return current
            raise ServiceRefused(
                f"v{current.trained_model.number} is in service by now, not v{from_version}.",
                field="from_version",
                advice="Look at the versions again, then decide.",
            )
        before = before_current(model)
        if before is None:
            raise ServiceRefused(
                f"No other version was in service before v{from_version}.",
                field="from_version",
                advice="Put a version of the list into service instead.",
            )
        _refuse_unreadable(before.trained_model)
        return deploy(before.trained_model, user, gate=_gate(before.trained_model), restores=before)


def stop_serving(model: ModelEndpoint) -> Deployment:
    """Let the endpoint answer nothing until somebody starts it again; nothing happens when it was stopped.

    Raises ServiceRefused when nothing is in service, ModelArchived.
    """
    with transaction.atomic():
        model = _locked(model.id)
        _refuse_archived(model)
        current = _in_service(model)
        if not current.stopped:
            current.traffic_share = 0.0
            current.save(update_fields=["traffic_share"])
            _note_answering(model, answers=False)
        # also when it was stopped already: the file may say otherwise after a kill
        transaction.on_commit(lambda: sync_pointers(model.organization_id), robust=True)
    return current


def start_serving(model: ModelEndpoint) -> Deployment:
    """Let the version that was stopped answer again; nothing happens when it answers.

    Raises ServiceRefused when nothing is in service, ModelArchived.
    """
    with transaction.atomic():
        model = _locked(model.id)
        _refuse_archived(model)
        return _serve(model, _in_service(model))


def before_current(model: ModelEndpoint) -> Deployment | None:
    """The deployment a roll back would bring back; None when nothing is in service, or nothing was before it.

    What a roll back brought back stands where it stood at first: the next one goes further back, not forth again.
    """
    current = active_deployment(model)
    if current is None:
        return None
    served = Deployment.objects.filter(model=model, id__lte=current.id).exclude(status=Deployment.Status.FAILED)
    rows = list(served.order_by("id").values_list("id", "trained_model_id", "restores_id"))
    place = {number: at for at, (number, _, _) in enumerate(rows)}
    at = place[current.id]
    version = rows[at][1]
    while rows[at][2] in place:
        at = place[rows[at][2]]
    while at > 0:
        at -= 1
        if rows[at][1] != version:
            return Deployment.objects.select_related("trained_model__dataset_version").get(id=rows[at][0])
    return None


def _went_back(model: ModelEndpoint, current: Deployment, from_version: int) -> bool:
    """Whether what answers now came by rolling back from that version."""
    if current.restores_id is None:
        return False
    earlier = Deployment.objects.filter(model=model, id__lt=current.id).select_related("trained_model").first()
    return earlier is not None and earlier.trained_model.number == from_version


def _serve(model: ModelEndpoint, deployment: Deployment) -> Deployment:
    if deployment.stopped:
        deployment.traffic_share = 1.0
        deployment.save(update_fields=["traffic_share"])
        _note_answering(model, answers=True)
    transaction.on_commit(lambda: sync_pointers(model.organization_id), robust=True)
    return deployment


def _note_answering(model: ModelEndpoint, *, answers: bool) -> None:
    model.endpoint_active = answers
    model.save(update_fields=["endpoint_active", "updated_at"])


def _locked(model_id: int) -> ModelEndpoint:
    found: ModelEndpoint = ModelEndpoint.objects.select_for_update().get(id=model_id)
    return found


def _in_service(model: ModelEndpoint) -> Deployment:
    current = active_deployment(model)
    if current is None:
        raise ServiceRefused(
            f"Nothing of “{model.name}” is in service.", field="model", advice="Put one of its versions into service."
        )
    return current


def _refuse_archived(model: ModelEndpoint) -> None:
    if model.status == ModelEndpoint.Status.ARCHIVED:
        raise ModelArchived(model.name)


def _refuse_resting(model: ModelEndpoint) -> None:
    _refuse_archived(model)
    if model.status == ModelEndpoint.Status.PAUSED:
        raise ServiceRefused(
            f"“{model.name}” is paused, so the version in service stays.", field="model", advice="Resume it first."
        )


def _refuse_unreadable(trained: TrainedModel) -> None:
    try:
        open_bundle(ArtifactStore(Home.current().artifacts), trained.artifact_id)
    except EngineError as refusal:
        raise ServiceRefused(
            f"v{trained.number} cannot be opened: {refusal.message}", field="version", advice="Train the model again."
        ) from refusal


def _gate(trained: TrainedModel) -> dict[str, Any]:
    passed, reasons = verdict_of(trained)
    return {"passed": passed, "reasons": list(reasons)}
