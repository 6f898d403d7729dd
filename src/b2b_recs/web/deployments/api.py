"""The operations of the API on a model's versions and on what answers."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import BaseModel, Field

from b2b_recs.web.accounts.access import model_or_404, row_or_404
from b2b_recs.web.accounts.acting import acting, user_of
from b2b_recs.web.api.door import needs
from b2b_recs.web.api.idempotency import once
from b2b_recs.web.api.schemas import (
    TAKES_JSON,
    Given,
    Id,
    IdempotencyKey,
    PageNumber,
    PageOf,
    PerPage,
    Search,
    answers,
    page_of,
)
from b2b_recs.web.deployments.models import Deployment
from b2b_recs.web.deployments.switching import put_into_service, roll_back, start_serving, stop_serving
from b2b_recs.web.deployments.versions import Version, version_of, versions_of
from b2b_recs.web.experiments.models import TrainedModel

router = Router(tags=["Versions and deployments"])


class FigureOut(BaseModel):
    """The headline figure of a version with its 95 % interval."""

    metric: str
    value: float
    low: float
    high: float


class GateOut(BaseModel):
    """What the gate said of a version."""

    passed: bool
    reasons: list[str]


class TrainedVersionOut(BaseModel):
    """A trained version of a model."""

    id: int
    version: str = Field(description="As pages and answers name it, such as v3.")
    number: int
    algorithm: str
    trained_at: datetime
    dataset: str | None
    dataset_version: int | None
    table_versions: dict[str, int] = Field(description="The warehouse tables it learnt from, each with its version.")
    rows: int | None
    figure: FigureOut | None
    gate: GateOut
    in_service: bool
    in_service_until: datetime | None = Field(description="null while it is in service, and when it never was.")


class TrainedVersions(PageOf):
    """One page of versions, newest first."""

    items: list[TrainedVersionOut]


class DeploymentOut(BaseModel):
    """One time a version was in service."""

    id: int
    version: str
    status: str = Field(description="active, retired or failed; at most one of a model is active.")
    answers: bool = Field(
        description="Whether requests shall be answered by it; false also while it is stopped. "
        "The endpoint follows a change within a few seconds."
    )
    rolled_back: bool = Field(description="Whether a roll back brought it.")
    deployed_at: datetime
    deactivated_at: datetime | None


class Deployments(PageOf):
    """One page of deployments, newest first."""

    items: list[DeploymentOut]


class DeployGiven(Given):
    """How a version is put into service."""

    despite_gate: bool = Field(False, description="Put it into service although the gate did not pass it.")


class BackGiven(Given):
    """From where to roll back."""

    from_version: int = Field(
        ge=1, le=2**31 - 1, description="The number of the version in service; asked twice it goes back once."
    )


@router.get("/models/{int:model_id}/versions/", response=answers(200, TrainedVersions))
@needs("viewer")
def versions(request: HttpRequest, model_id: Id, page: PageNumber, per_page: PerPage, q: Search) -> TrainedVersions:
    """The trained versions of a model, newest first; `q` looks at number, algorithm and dataset."""
    with acting(request):
        found = versions_of(model_or_404(request, model_id), q, page, per_page)
        items = [_version(one) for one in found.page.object_list] if found.page.number == page else []
        return TrainedVersions(page=page, per_page=per_page, total=found.page.paginator.count, items=items)


@router.get("/versions/{int:version_id}/", response=answers(200, TrainedVersionOut))
@needs("viewer")
def version(request: HttpRequest, version_id: Id) -> TrainedVersionOut:
    """One version."""
    with acting(request):
        rows = TrainedModel.objects.select_related("model", "dataset_version__dataset")
        return _version(version_of(row_or_404(request, rows, id=version_id)))


@router.post("/versions/{int:version_id}/deploy/", response=answers(200, DeploymentOut, 409, *TAKES_JSON))
@needs("editor")
def put(request: HttpRequest, version_id: Id, body: DeployGiven, key: IdempotencyKey) -> HttpResponse:
    """Put a version into service; nothing happens when it is already.

    A version the gate did not pass is a 409 that says why, unless `despite_gate` is true.
    """

    def work() -> DeploymentOut:
        trained = row_or_404(request, TrainedModel, "editor", id=version_id)
        return _deployment(put_into_service(trained, user_of(request), despite_gate=body.despite_gate))

    return once(request, 200, work)


@router.get("/models/{int:model_id}/deployments/", response=answers(200, Deployments))
@needs("viewer")
def deployments(request: HttpRequest, model_id: Id, page: PageNumber, per_page: PerPage) -> Deployments:
    """What is in service and what was before, newest first."""
    with acting(request):
        model = model_or_404(request, model_id)
        rows = Deployment.objects.filter(model=model).select_related("trained_model", "model").order_by("-id")
        return Deployments(**page_of(rows, page, per_page, _deployment))


@router.post("/models/{int:model_id}/deployments/roll-back/", response=answers(200, DeploymentOut, 409, *TAKES_JSON))
@needs("editor")
def back(request: HttpRequest, model_id: Id, body: BackGiven, key: IdempotencyKey) -> HttpResponse:
    """Put the version into service that was there before the one named."""

    def work() -> DeploymentOut:
        model = model_or_404(request, model_id, "editor")
        return _deployment(roll_back(model, body.from_version, user_of(request)))

    return once(request, 200, work)


@router.post("/models/{int:model_id}/deployments/stop/", response=answers(200, DeploymentOut, 409, *TAKES_JSON))
@needs("editor")
def stop(request: HttpRequest, model_id: Id) -> DeploymentOut:
    """Let the endpoint answer nothing until it is started again; no training puts a version into service meanwhile.

    The endpoint follows within a few seconds, then it tells who asks with a key of the model a 503 `serving_stopped`.
    """
    with acting(request):
        return _deployment(stop_serving(model_or_404(request, model_id, "editor")))


@router.post("/models/{int:model_id}/deployments/start/", response=answers(200, DeploymentOut, 409, *TAKES_JSON))
@needs("editor")
def start(request: HttpRequest, model_id: Id) -> DeploymentOut:
    """Let the version that was stopped answer again; the endpoint follows within a few seconds."""
    with acting(request):
        return _deployment(start_serving(model_or_404(request, model_id, "editor")))


def _version(one: Version) -> TrainedVersionOut:
    data, figure = one.of.dataset_version, one.figure
    return TrainedVersionOut(
        id=one.of.id,
        version=one.name,
        number=one.of.number,
        algorithm=one.of.algorithm,
        trained_at=one.of.created_at,
        dataset=data.dataset.name if data else None,
        dataset_version=data.number if data else None,
        table_versions=data.table_versions if data else {},
        rows=data.rows if data else None,
        figure=FigureOut(metric=one.metric, value=figure.value, low=figure.low, high=figure.high) if figure else None,
        gate=GateOut(passed=one.passed, reasons=list(one.reasons)),
        in_service=one.in_service,
        in_service_until=None if one.in_service else one.served_until,
    )


def _deployment(row: Deployment) -> DeploymentOut:
    active = row.status == Deployment.Status.ACTIVE
    return DeploymentOut(
        id=row.id,
        version=f"v{row.trained_model.number}",
        status=row.status,
        answers=active and not row.stopped and row.model.status != row.model.Status.ARCHIVED,
        rolled_back=row.restores_id is not None,
        deployed_at=row.deployed_at,
        deactivated_at=row.deactivated_at,
    )
