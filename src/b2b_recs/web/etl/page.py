"""What the ETL page shows: connections at the left, jobs at the right. Call inside the organization's scope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Window
from django.db.models.functions import RowNumber
from django.http import HttpRequest

from b2b_recs.engine.etl.reconcile import in_words
from b2b_recs.engine.etl.spec import CopyResult
from b2b_recs.web.accounts.access import allows
from b2b_recs.web.connections.models import Connection
from b2b_recs.web.connections.pages import Card, card_of, cards
from b2b_recs.web.datasets.tables import address_of
from b2b_recs.web.etl.models import DataSource, ETLConfiguration, ETLRun
from b2b_recs.web.etl.showing import ScheduleOut, schedule_out
from b2b_recs.web.projects.models import ModelEndpoint, Schedule
from b2b_recs.web.runs.models import RunStatus
from b2b_recs.web.runs.presenting import RunView, present_etl

PER_PAGE = 25
SPARK_RUNS, SPARK_HEIGHT = 14, 22.0
STATES = {
    "": "All states",
    "on": "Switched on",
    "off": "Switched off",
    "failing": "Last run failed",
    "draft": "Drafts",
}


@dataclass(frozen=True)
class Bar:
    """One past run in the small chart of a job, 100 wide and 22 high, and how it ended."""

    x: float
    y: float
    height: float
    look: str


@dataclass(frozen=True)
class JobCard:
    """A job as its card shows it."""

    id: int
    name: str
    draft: bool
    enabled: bool
    source: str
    destination: str
    connection: str
    connection_dot: str
    schedule: ScheduleOut
    step: int
    table_address: str = ""  # the page of the destination
    run: RunView | None = None
    counts: str = ""
    bars: list[Bar] = field(default_factory=list)

    @property
    def busy(self) -> bool:
        """Whether its newest run may still change."""
        return self.run is not None and not self.run.is_over

    @property
    def rhythm(self) -> str:
        """How often it runs, without the time zone."""
        zone = self.schedule.rule.get("time_zone")
        return self.schedule.words.removesuffix(f", {zone}")

    @property
    def next_at(self) -> datetime | None:
        """When it runs next by itself."""
        return next(iter(self.schedule.next_times), None)

    @property
    def bars_words(self) -> str:
        """The small chart in words."""
        failed = sum(bar.look == "bad" for bar in self.bars)
        return f"Last {len(self.bars)} runs: {failed} failed"


@dataclass(frozen=True)
class JobList:
    """One page of a model's jobs, narrowed by search and state."""

    page: Page[Any]
    query: str
    state: str
    total: int
    drafts: int

    @property
    def cards(self) -> list[JobCard]:
        """The jobs of this page."""
        return list(self.page.object_list)

    @property
    def busy(self) -> bool:
        """Whether a run of a job on this page may still change."""
        return any(card.busy for card in self.cards)

    @property
    def filtered(self) -> bool:
        """Whether jobs were left out."""
        return bool(self.query or self.state)

    @property
    def states(self) -> list[tuple[str, str]]:
        """The states to choose from."""
        return list(STATES.items())


@dataclass(frozen=True)
class EtlPage:
    """Everything the page shows at first."""

    connections: list[Card]
    jobs: JobList
    following: bool

    @property
    def headline(self) -> str:
        """The sentence under the title."""
        about = "Copies your tables into the warehouse, each on its own schedule."
        if not self.connections:
            return f"{about} Connect the first source."
        if not self.jobs.total:
            return f"{about} Choose the first table to copy."
        jobs = "1 job" if self.jobs.total == 1 else f"{self.jobs.total:,} jobs"
        return f"{about} {jobs}." if self.following else f"{about} {jobs}; schedules are paused."


def etl_page(request: HttpRequest, model: ModelEndpoint) -> EtlPage:
    """The page of a model."""
    following = ETLConfiguration.objects.filter(model=model).values_list("enabled", flat=True).first()
    return EtlPage(cards(model), job_list(request, model), following is not False)


def job_list(request: HttpRequest, model: ModelEndpoint) -> JobList:
    """The jobs the request asks for; five queries however many there are."""
    query, state = request.GET.get("q", "").strip().replace("\x00", ""), request.GET.get("state", "")
    everything = DataSource.objects.filter(configuration__model=model)
    totals = everything.aggregate(jobs=Count("id", filter=Q(draft=False)), drafts=Count("id", filter=Q(draft=True)))
    rows = _narrowed(everything.select_related("connection", "configuration__model", "table"), query, state)
    shown = Paginator(rows.order_by("draft", "name"), PER_PAGE).get_page(request.GET.get("page", "1"))
    shown.object_list = job_cards(list(shown.object_list), model.id)
    return JobList(shown, query, state if state in STATES else "", totals["jobs"], totals["drafts"])


def job_cards(jobs: Sequence[DataSource], model_id: int) -> list[JobCard]:
    """Jobs with their schedules and past runs; two queries however many."""
    ids = [job.id for job in jobs]
    rows = Schedule.objects.filter(target_kind=Schedule.Target.ETL, target_id__in=ids)
    schedules = {row.target_id: row for row in rows}
    runs = _past_runs(ids)
    return [_card(job, schedules.get(job.id), runs.get(job.id, []), model_id) for job in jobs]


def card_context(request: HttpRequest, model_id: int, connection_id: int) -> dict[str, Any]:
    """What the card of one connection needs."""
    row = Connection.objects.prefetch_related("jobs").select_related("model").get(model_id=model_id, id=connection_id)
    return {"card": card_of(row, datetime.now(UTC)), "model": row.model, "may_edit": allows(request, "editor")}


def _narrowed(rows: QuerySet[DataSource], query: str, state: str) -> QuerySet[DataSource]:
    if query:
        rows = rows.filter(
            Q(name__icontains=query)
            | Q(connection__name__icontains=query)
            | Q(table__spec__source_table__icontains=query)
            | Q(table__spec__destination_table__icontains=query)
        )
    if state == "draft":
        return rows.filter(draft=True)
    if state in ("on", "off"):
        return rows.filter(draft=False, enabled=state == "on")
    if state == "failing":
        newest = ETLRun.objects.filter(data_source=OuterRef("id")).order_by("-id").values("status")[:1]
        return rows.annotate(last_status=Subquery(newest)).filter(last_status=RunStatus.FAILED)
    return rows


def _past_runs(ids: Sequence[int]) -> dict[int, list[ETLRun]]:
    """The newest runs of each job, newest first."""
    place = Window(RowNumber(), partition_by=F("data_source_id"), order_by=F("id").desc())
    found = ETLRun.objects.filter(data_source_id__in=ids).annotate(place=place).filter(place__lte=SPARK_RUNS)
    runs: dict[int, list[ETLRun]] = {}
    for run in found.select_related("data_source", "started_by").order_by("data_source_id", "-id"):
        runs.setdefault(run.data_source_id, []).append(run)
    return runs


def _card(job: DataSource, row: Schedule | None, runs: list[ETLRun], model_id: int) -> JobCard:
    table = getattr(job, "table", None)
    newest = present_etl(runs[0], model_id) if runs else None
    values = table.spec if table else {}
    return JobCard(
        id=job.id,
        name=job.name,
        draft=job.draft,
        enabled=job.enabled,
        source=table.source if table else "",
        destination=str(values.get("destination_table") or ""),
        connection=job.connection.name,
        connection_dot=job.connection.dot,
        schedule=schedule_out(job, row),
        step=job.wizard_step,
        table_address="" if job.draft else address_of(model_id, values),
        run=newest,
        counts=_counts(runs[0]) if runs else "",
        bars=_bars([run for run in reversed(runs) if run.is_over]),
    )


def _counts(run: ETLRun) -> str:
    """The reconciliation of a run: “41,203 = 41,203”."""
    results = run.results or {}
    if results.get("source_count") is None or results.get("warehouse_count") is None:
        return ""
    noted = {name: results[name] for name in CopyResult.model_fields if name in results}
    return in_words(CopyResult.model_validate({"rows_read": 0, "rows_loaded": 0, "rows_rejected": 0, **noted}))


def _bars(runs: Sequence[ETLRun]) -> list[Bar]:
    most = max((run.rows_loaded for run in runs), default=0) or 1
    looks = {"completed": "ok", "partial": "ok", "failed": "bad"}
    bars = []
    for at, run in enumerate(runs):
        share = 1.0 if run.status == RunStatus.FAILED else max(0.12, run.rows_loaded / most)
        height = round(SPARK_HEIGHT * share, 2)
        look = looks.get(run.status, "none")
        bars.append(Bar(round(100 / SPARK_RUNS * at, 2), round(SPARK_HEIGHT - height, 2), height, look))
    return bars
