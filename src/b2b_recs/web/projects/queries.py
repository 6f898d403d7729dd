"""What the dashboard and the model page read. Call inside the organization's scope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Case, Count, Exists, F, Max, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce, Lower

from b2b_recs.web.deployments.models import Deployment
from b2b_recs.web.etl.models import DataSourceTable, ETLRun
from b2b_recs.web.monitoring.models import PredictionLog
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.runs.presenting import RunView, present_etl, present_pipeline
from b2b_recs.web.runs.queries import newest
from b2b_recs.web.training.models import PipelineRun
from b2b_recs.web.ui import formats

PER_PAGE = 20
ACTIVITY = 8
DAY = timedelta(hours=24)
STATUSES = [(value, formats.state_of(value)[1]) for value in ModelEndpoint.Status.values]


@dataclass(frozen=True)
class Summary:
    """The numbers above the list; the last 24 hours where a time is meant."""

    models: int
    active: int
    answered: int  # models of which a version was ever in service
    requests: int
    errors: int
    runs: int
    failed: int
    rows: int
    loaded_at: datetime | None


@dataclass(frozen=True)
class Event:
    """One line of recent activity."""

    what: str
    model_name: str
    status: str
    status_word: str
    words: str
    at: datetime
    address: str


@dataclass(frozen=True)
class Board:
    """The dashboard of an organization."""

    summary: Summary
    page: Page[Any]
    activity: list[Event]
    query: str
    status: str
    sort: str
    statuses: Sequence[tuple[str, str]]

    @property
    def nothing_yet(self) -> bool:
        """Whether the organization has no model at all."""
        return self.summary.models == 0


def board(query: str, status: str, sort: str, page: str) -> Board:
    """The dashboard of the organization in scope; ten queries whatever the number of models."""
    sort = sort if sort in ("name", "requests") else ""
    return Board(
        summary=_summary(),
        page=Paginator(_rows(query, status, sort), PER_PAGE).get_page(page),
        activity=_activity(),
        query=query,
        status=status,
        sort=sort,
        statuses=STATUSES,
    )


def _summary() -> Summary:
    since = datetime.now(UTC) - DAY
    models = ModelEndpoint.objects.order_by().aggregate(
        all=Count("id"),
        active=Count("id", filter=Q(endpoint_active=True)),
        answered=Count("id", filter=Exists(Deployment.objects.filter(model=OuterRef("id")))),
    )
    traffic = (
        PredictionLog.objects.filter(window_end__gt=since)
        .order_by()
        .aggregate(requests=Coalesce(Sum("requests"), 0), errors=Coalesce(Sum("errors"), 0))
    )
    data = DataSourceTable.objects.order_by().aggregate(
        rows=Coalesce(Sum("last_row_count"), 0), at=Max("last_synced_at")
    )
    counts = [
        kind.objects.filter(created_at__gte=since)
        .order_by()
        .aggregate(all=Count("id"), failed=Count("id", filter=Q(status="failed")))
        for kind in (ETLRun, PipelineRun)
    ]
    return Summary(
        models=models["all"],
        active=models["active"],
        answered=models["answered"],
        requests=traffic["requests"],
        errors=traffic["errors"],
        runs=sum(found["all"] for found in counts),
        failed=sum(found["failed"] for found in counts),
        rows=data["rows"],
        loaded_at=data["at"],
    )


def _rows(query: str, status: str, sort: str) -> QuerySet[ModelEndpoint]:
    since = datetime.now(UTC) - DAY
    requests = (
        PredictionLog.objects.filter(model=OuterRef("id"), window_end__gt=since)
        .order_by()
        .values("model")
        .annotate(total=Sum("requests"))
        .values("total")
    )
    loaded = (
        DataSourceTable.objects.filter(data_source__configuration__model=OuterRef("id"))
        .order_by()
        .values("data_source__configuration__model")
        .annotate(at=Max("last_synced_at"))
        .values("at")
    )
    last = PipelineRun.objects.filter(model=OuterRef("id")).order_by("-id")
    rows: QuerySet[ModelEndpoint] = ModelEndpoint.objects.annotate(
        requests=Coalesce(Subquery(requests), 0),
        loaded_at=Subquery(loaded),
        run_status=Subquery(last.values(shown=_shown_status())[:1]),
        run_at=Subquery(last.values(at=Coalesce("finished_at", "started_at", "created_at"))[:1]),
    )
    if query:
        rows = rows.filter(Q(name__icontains=query) | Q(description__icontains=query))
    if status in ModelEndpoint.Status.values:
        rows = rows.filter(status=status)
    return rows.order_by(*{"name": (Lower("name"), "id"), "requests": ("-requests", "id")}.get(sort, ("-id",)))


def _shown_status() -> Case:
    """The status of a training as a list tells it: under way too while a copy that it waits for is."""
    copying = ETLRun.objects.filter(pipeline_run=OuterRef("id"), status=ETLRun.Status.RUNNING)
    under_way = Value(PipelineRun.Status.RUNNING.value)
    return Case(When(Exists(copying), status=PipelineRun.Status.PENDING, then=under_way), default=F("status"))


def _activity() -> list[Event]:
    copies = newest(ETLRun.objects.select_related("data_source__configuration__model", "started_by"), ACTIVITY)
    trainings = newest(PipelineRun.objects.select_related("model", "started_by"), ACTIVITY)
    events = [
        _event(present_etl(run, run.data_source.configuration.model_id), run.data_source.configuration.model.name)
        for run in copies
    ]
    events += [_event(present_pipeline(run), run.model.name) for run in trainings]
    return sorted(events, key=lambda event: event.at, reverse=True)[:ACTIVITY]


def _event(view: RunView, model_name: str) -> Event:
    return Event(view.what, model_name, view.status, view.status_word, view.words, view.at, view.address)
