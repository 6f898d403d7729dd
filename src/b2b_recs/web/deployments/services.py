"""Putting a trained model into service, taking it back, and asking it. Call inside the organization's scope."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction

from b2b_recs.engine.errors import BadInput, EngineError
from b2b_recs.web.accounts.models import User
from b2b_recs.web.conflicts import ModelArchived
from b2b_recs.web.deployments.models import Deployment
from b2b_recs.web.deployments.pins import keep_versions
from b2b_recs.web.deployments.pointers import own_key, sync_pointers
from b2b_recs.web.experiments.models import TrainedModel
from b2b_recs.web.projects.models import ModelEndpoint

if TYPE_CHECKING:
    import httpx

ANSWER_SECONDS = 10.0


class ServingSilent(EngineError):
    """The serving process did not answer."""

    code = "serving_silent"
    default_transient = True


def active_deployment(model: ModelEndpoint) -> Deployment | None:
    """The deployment that answers now, None before the first."""
    found: Deployment | None = (
        Deployment.objects.filter(model=model, status=Deployment.Status.ACTIVE)
        .select_related("trained_model__dataset_version", "model")
        .first()
    )
    return found


def deploy(
    trained: TrainedModel,
    user: User | None = None,
    gate: dict[str, Any] | None = None,
    restores: Deployment | None = None,
) -> Deployment:
    """Put a trained model into service and retire the one before; doing it twice changes nothing.

    A draft becomes active by it. ``restores`` is the earlier deployment that a roll back brings back. Raises
    ModelArchived.
    """
    now = datetime.now(UTC)
    with transaction.atomic():
        model = ModelEndpoint.objects.select_for_update().get(id=trained.model_id)
        if model.status == ModelEndpoint.Status.ARCHIVED:
            raise ModelArchived(model.name)
        current = active_deployment(model)
        if current is not None and current.trained_model_id == trained.id:
            deployment = current
        else:
            if current is not None:
                current.status = Deployment.Status.RETIRED
                current.deactivated_at = now
                current.save(update_fields=["status", "deactivated_at"])
                TrainedModel.objects.filter(id=current.trained_model_id).update(status=TrainedModel.Status.RETIRED)
            deployment = Deployment.objects.create(
                organization_id=model.organization_id,
                model=model,
                # with its dataset: after the commit, outside the scope, it could not be read any more
                trained_model=TrainedModel.objects.select_related("dataset_version").get(id=trained.id),
                artifact_id=trained.artifact_id,
                status=Deployment.Status.ACTIVE,
                address=settings.SERVING_URL,
                deployed_at=now,
                deployed_by=user,
                gate=gate or {},
                restores=restores,
            )
            TrainedModel.objects.filter(id=trained.id).update(status=TrainedModel.Status.DEPLOYED)
            if model.status == ModelEndpoint.Status.DRAFT:
                model.status = ModelEndpoint.Status.ACTIVE
            model.last_deployed_at = now
            model.endpoint_address = settings.SERVING_URL
            model.endpoint_active = True
            model.save()
    # after a kill or a full disk between the commit and here, the worker's sweep writes the pointer
    transaction.on_commit(lambda: sync_pointers(deployment.organization_id), robust=True)
    transaction.on_commit(lambda: keep_versions([deployment]), robust=True)
    return deployment


def ask(model: ModelEndpoint, customer_id: str, k: int = 10, **options: Any) -> dict[str, Any]:
    """The answer of the deployed model, as ``POST /recommend`` gives it.

    Raises BadInput when nothing is deployed or a value is refused, ServingSilent when nobody answers.
    """
    import httpx

    deployment = active_deployment(model)
    if deployment is None:
        raise BadInput(
            f"{model.name} has no deployed model yet.", advice="Run its pipeline first: b2b-recs run MODEL --wait"
        )
    if deployment.stopped:
        raise BadInput(
            f"{model.name} was stopped: its endpoint answers nothing.", advice="Start it again on its page Versions."
        )
    key = own_key(model.organization_id, model.id)
    body = {"customer_id": customer_id, "k": k, **options}
    address = f"{settings.SERVING_URL}/models/{model.id}/recommend"
    try:
        answer = httpx.post(
            address, json=body, headers={"Authorization": f"Bearer {key}"}, timeout=ANSWER_SECONDS, trust_env=False
        )
    except httpx.HTTPError as error:
        raise ServingSilent(
            f"The endpoint at {settings.SERVING_URL} did not answer.", advice="Start it with: b2b-recs up"
        ) from error
    if answer.status_code != 200:
        raise _refused(answer)
    try:
        result: dict[str, Any] = answer.json()
    except ValueError as error:
        raise ServingSilent(
            f"Something else than the endpoint answers at {settings.SERVING_URL}.",
            advice="Start it on a free port with: b2b-recs up --serving-port PORT",
        ) from error
    return result


def wait_until_serving(
    model: ModelEndpoint, version: str, stopped: Callable[[], bool], seconds: float = 30.0, key: str | None = None
) -> bool:
    """Whether the serving process answers with that version within so many seconds; False at once when none runs.

    ``key`` waits until that key is accepted instead of the platform's own.
    """
    import httpx

    key = key or own_key(model.organization_id, model.id)
    until = time.monotonic() + seconds
    while time.monotonic() < until and not stopped():
        try:
            answer = httpx.get(
                f"{settings.SERVING_URL}/models/{model.id}/model-info",
                headers={"Authorization": f"Bearer {key}"},
                timeout=2.0,
                trust_env=False,
            )
        except httpx.ConnectError:
            return False
        except httpx.HTTPError:
            answer = None
        if answer is not None and answer.status_code == 200 and _version(answer) == version:
            return True
        time.sleep(0.1)
    return False


def _version(answer: httpx.Response) -> str | None:
    """The version an answer speaks of; None when something else than our endpoint answered."""
    try:
        document = answer.json()
    except ValueError:
        return None
    return document.get("version") if isinstance(document, dict) else None


def _refused(answer: httpx.Response) -> EngineError:
    try:
        detail = answer.json()
    except ValueError:
        detail = {}
    problem = detail.get("error", detail)
    if not isinstance(problem, dict):
        problem = {"message": str(problem)}
    kind = BadInput if answer.status_code == 422 else ServingSilent
    return kind(
        problem.get("message") or f"The endpoint answered with status {answer.status_code}.",
        field=problem.get("field"),
        advice=problem.get("advice", ""),
    )
