"""The operations of the API on models."""

from datetime import datetime
from typing import Literal

from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from ninja import Router
from pydantic import BaseModel, Field

from b2b_recs.web.accounts.access import model_or_404
from b2b_recs.web.accounts.acting import acting, user_of
from b2b_recs.web.api.door import needs
from b2b_recs.web.api.schemas import TAKES_JSON, Given, Id, PageNumber, PageOf, PerPage, Search, answers, page_of
from b2b_recs.web.projects.deleting import delete_model
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.projects.states import change_status

router = Router(tags=["Models"])


class ModelOut(BaseModel):
    """A recommendation project."""

    id: int
    name: str
    description: str
    status: str
    currency: str
    time_zone: str
    connections: int
    jobs: int
    etl_enabled: bool
    created_at: datetime
    updated_at: datetime
    last_trained_at: datetime | None
    last_deployed_at: datetime | None


class Models(PageOf):
    """One page of models."""

    items: list[ModelOut]


class StatusGiven(Given):
    """The status a model shall have."""

    status: Literal["active", "paused", "archived"]


class NameGiven(Given):
    """The name of what shall be deleted."""

    name: str = Field(max_length=400)


class ModelDeleted(BaseModel):
    """The model that was deleted."""

    id: int
    name: str


@router.get("/models/", response=answers(200, Models))
@needs("viewer")
def models(request: HttpRequest, page: PageNumber, per_page: PerPage, q: Search) -> Models:
    """The models of the organization, by name; a key of one model sees that one."""
    with acting(request):
        rows = _counted(ModelEndpoint.objects.filter(name__icontains=q))
        key = getattr(request, "api_key", None)
        if key is not None and key.model_id is not None:
            rows = rows.filter(id=key.model_id)
        return Models(**page_of(rows.order_by("name", "id"), page, per_page, _show))


@router.get("/models/{int:model_id}/", response=answers(200, ModelOut))
@needs("viewer")
def model(request: HttpRequest, model_id: Id) -> ModelOut:
    """One model."""
    with acting(request):
        found = model_or_404(request, model_id)
        return _show(_counted(ModelEndpoint.objects.filter(id=found.id)).get())


@router.post("/models/{int:model_id}/status/", response=answers(200, ModelOut, 409, *TAKES_JSON))
@needs("editor")
def change(request: HttpRequest, model_id: Id, body: StatusGiven) -> ModelOut:
    """Pause, resume, archive or restore a model; a draft becomes active by its first deployment.

    Paused, its schedules rest and its endpoint goes on answering. Archived, nothing of it runs and its endpoint is off;
    pausing it restores it.
    """
    with acting(request):
        found = change_status(model_or_404(request, model_id, "editor").id, body.status)
        return _show(_counted(ModelEndpoint.objects.filter(id=found.id)).get())


@router.post("/models/{int:model_id}/delete/", response=answers(200, ModelDeleted, 409, *TAKES_JSON))
@needs("admin")
def delete(request: HttpRequest, model_id: Id, body: NameGiven) -> ModelDeleted:
    """Delete an archived model with everything it has; `name` repeats its name. No API key may do this."""
    with acting(request):
        found = model_or_404(request, model_id, "admin")
        return ModelDeleted(id=found.id, name=delete_model(found.id, body.name, user_of(request)))


def _counted(rows: QuerySet[ModelEndpoint]) -> QuerySet[ModelEndpoint]:
    jobs = Count("etl__jobs", filter=Q(etl__jobs__draft=False), distinct=True)
    return rows.select_related("etl").annotate(of_connections=Count("connections", distinct=True), of_jobs=jobs)


def _show(row: ModelEndpoint) -> ModelOut:
    etl = getattr(row, "etl", None)
    counted = {"connections", "jobs", "etl_enabled"}
    return ModelOut(
        **{name: getattr(row, name) for name in ModelOut.model_fields if name not in counted},
        connections=row.of_connections,  # type: ignore[attr-defined]
        jobs=row.of_jobs,  # type: ignore[attr-defined]
        etl_enabled=etl.enabled if etl is not None else True,
    )
