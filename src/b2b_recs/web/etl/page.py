"""What the ETL page shows: connections at the left, jobs at the right. Call inside the organization's scope."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, F, Min, OuterRef, Q, QuerySet, Subquery, Window
from django.db.models.functions import RowNumber
from django.http import HttpRequest

from b2b_recs.engine.counting import counted
from b2b_recs.web.accounts.access import allows
from b2b_recs.web.connections.models import Connection
from b2b_recs.web.connections.pages import Card, card_of, cards, jobs_of
from b2b_recs.web.datasets.tables import address_of, rejected_address
from b2b_recs.web.etl.counts import counts_in_words, counts_on_card, counts_scope, counts_told
from b2b_recs.web.etl.following import is_resting
from b2b_recs.web.etl.mending import USUAL_STEP, mend_step
from b2b_recs.web.etl.models import DataSource, ETLConfiguration, ETLRun
from b2b_recs.web.etl.showing import ScheduleOut, schedule_out
from b2b_recs.web.etl.spark import RUNS, Ended, Spark, spark_of
from b2b_recs.web.projects.models import ModelEndpoint, Schedule
from b2b_recs.web.runs.models import RunStatus
from b2b_recs.web.runs.presenting import OVER, RunView, present_etl
from b2b_recs.web.runs.turns import tell_turns

PER_PAGE = 20
STATES = {
    "": "All states",
    "on": "Switched on",
    "off": "Switched off",
    "failing": "Last run failed",
    "draft": "Drafts",
}


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
    connection_on: bool
    schedule: ScheduleOut
    step: int
    edit_step: int = USUAL_STEP  # where editing opens: at what the last run failed of
    table_address: str = ""  # the page of the destination
    run: RunView | None = None
    counts: str = ""  # short; counts_words has them in full
    counts_words: str = ""
    counts_told: str = ""
    counts_scope: str = ""
    rejected_why: str = ""
    rejected_address: str = ""
    spark: Spark = field(default_factory=lambda: spark_of(()))

    @property
    def busy(self) -> bool:
        """Whether its newest run may still change."""
        return self.run is not None and not self.run.is_over

    @property
    def rhythm(self) -> str:
        """How often it runs, without the time zone."""
        return self.schedule.words.removesuffix(f", {self.zone}")

    @property
    def zone(self) -> str:
        """The time zone its times are in; empty where it names no time of day."""
        zone = str(self.schedule.rule.get("time_zone") or "")
        return zone if self.schedule.words.endswith(f", {zone}") else ""

    @property
    def rests(self) -> bool:
        """Whether its schedule would be followed if its model were neither paused nor archived."""
        return is_resting(self.schedule.why_none)

    @property
    def next_at(self) -> datetime | None:
        """When it runs next by itself."""
        return next(iter(self.schedule.next_times), None)


@dataclass(frozen=True)
class JobList:
    """One page of a model's jobs, narrowed by search and state."""

    page: Page[Any]
    query: str
    state: str
    total: int
    drafts: int
    loaded: int = 0  # of all jobs, those that have loaded rows
    oldest: datetime | None = None  # when the one of them did that has waited longest

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
        jobs = counted(self.jobs.total, "job") + freshness(self.jobs, datetime.now(UTC))
        return f"{about} {jobs}." if self.following else f"{about} {jobs}; schedules are paused."


def freshness(jobs: JobList, now: datetime) -> str:
    """How old the oldest data is, as the end of a sentence; nothing before anything was loaded."""
    if jobs.oldest is None:
        return ""
    minutes = max(1, math.ceil((now - jobs.oldest).total_seconds() / 60))
    hours, days = math.ceil(minutes / 60), math.ceil(minutes / 1440)
    age = counted(minutes, "minute") if minutes <= 90 else counted(hours, "hour") if hours <= 48 else f"{days:,} days"
    if jobs.loaded < jobs.total:
        return f", {jobs.loaded:,} loaded within {age}, {jobs.total - jobs.loaded:,} not loaded yet"
    if hours > 48:
        return f", the oldest data is {age} old"
    return f", all data fresh within {age}" if jobs.total > 1 else f", fresh within {age}"


def etl_page(request: HttpRequest, model: ModelEndpoint) -> EtlPage:
    """The page of a model."""
    following = ETLConfiguration.objects.filter(model=model).values_list("enabled", flat=True).first()
    return EtlPage(cards(model), job_list(request, model), following is not False)


def job_list(request: HttpRequest, model: ModelEndpoint) -> JobList:
    """The jobs the request asks for; seven queries however many there are."""
    query, state = request.GET.get("q", "").strip(), request.GET.get("state", "")
    everything = DataSource.objects.filter(configuration__model=model)
    totals = everything.aggregate(
        jobs=Count("id", filter=Q(draft=False)),
        drafts=Count("id", filter=Q(draft=True)),
        loaded=Count("table__last_synced_at", filter=Q(draft=False)),
        oldest=Min("table__last_synced_at", filter=Q(draft=False)),
    )
    rows = _narrowed(everything, query, state).order_by("draft", "name", "id")
    shown = Paginator(rows.values_list("id", flat=True), PER_PAGE).get_page(request.GET.get("page", "1"))
    jobs = DataSource.objects.select_related("connection", "configuration__model", "table")
    found = {job.id: job for job in jobs.filter(id__in=list(shown.object_list))}
    shown.object_list = job_cards([found[number] for number in shown.object_list if number in found], model.id)
    state = state if state in STATES else ""
    return JobList(shown, query, state, totals["jobs"], totals["drafts"], totals["loaded"], totals["oldest"])


def job_cards(jobs: Sequence[DataSource], model_id: int, times: int = 1) -> list[JobCard]:
    """Jobs with the next ``times`` of their schedules and their past runs; three queries however many, and two more
    while a run waits for its turn."""
    ids = [job.id for job in jobs]
    rows = Schedule.objects.filter(target_kind=Schedule.Target.ETL, target_id__in=ids)
    schedules = {row.target_id: row for row in rows}
    newest, ended = _past_runs(ids)
    found = [
        _card(job, schedules.get(job.id), newest.get(job.id), ended.get(job.id, []), model_id, times) for job in jobs
    ]
    tell_turns(card.run for card in found if card.run is not None)
    return found


def card_context(request: HttpRequest, model_id: int, connection_id: int) -> dict[str, Any]:
    """What the card of one connection needs."""
    row = Connection.objects.select_related("model").get(model_id=model_id, id=connection_id)
    card = card_of(row, jobs_of([row])[row.id], datetime.now(UTC))
    return {"card": card, "model": row.model, "may_edit": allows(request, "editor")}


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


def _past_runs(ids: Sequence[int]) -> tuple[dict[int, ETLRun], dict[int, list[Ended]]]:
    """The newest run of each job, and how its last ones ended, oldest first."""
    place = Window(RowNumber(), partition_by=F("data_source_id"), order_by=F("id").desc())
    runs = ETLRun.objects.filter(data_source_id__in=ids).order_by().annotate(place=place)
    last = runs.filter(place__lte=RUNS).values_list("data_source_id", "id", "status", "rows_loaded")
    newest: dict[int, int] = {}
    ended: dict[int, list[Ended]] = {}
    for job, run, status, rows in sorted(last, key=lambda row: row[1]):
        newest[job] = run
        if status in OVER:
            ended.setdefault(job, []).append((status, rows))
    found = ETLRun.objects.filter(id__in=newest.values()).select_related("data_source", "started_by")
    return {run.data_source_id: run for run in found}, ended


def _card(
    job: DataSource, row: Schedule | None, run: ETLRun | None, ended: Sequence[Ended], model_id: int, times: int
) -> JobCard:
    table = getattr(job, "table", None)
    values = table.spec if table else {}
    results = (run.results or {}) if run else {}
    return JobCard(
        id=job.id,
        name=job.name,
        draft=job.draft,
        enabled=job.enabled,
        source=table.source if table else "",
        destination=str(values.get("destination_table") or ""),
        connection=job.connection.name,
        connection_dot=job.connection.dot,
        connection_on=job.connection.enabled,
        schedule=schedule_out(job, row, times),
        step=job.wizard_step,
        edit_step=(mend_step(run) if run else 0) or USUAL_STEP,
        table_address="" if job.draft else address_of(model_id, values),
        run=present_etl(run, model_id) if run else None,
        counts=counts_on_card(results),
        counts_words=counts_in_words(results),
        counts_told=counts_told(results),
        counts_scope=counts_scope(results),
        rejected_why=str(results.get("rejected_example") or ""),
        rejected_address=rejected_address(model_id, run, values) if run else "",
        spark=spark_of(ended),
    )
