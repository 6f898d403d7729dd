"""What the pages about runs read. Call inside the organization's scope."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from django.core.paginator import Page, Paginator
from django.db.models import CharField, Count, Q, QuerySet, Value
from django.urls import reverse

from b2b_recs.web.datasets.tables import address_of, rejected_address
from b2b_recs.web.etl.filled import filled_by
from b2b_recs.web.etl.models import DataSource, DataSourceTable, ETLRun
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.runs.models import RunLogLine
from b2b_recs.web.runs.presenting import (
    Fact,
    RunView,
    etl_facts,
    pipeline_facts,
    present_etl,
    present_pipeline,
)
from b2b_recs.web.runs.turns import tell_turns
from b2b_recs.web.training.models import PipelineRun
from b2b_recs.web.ui import formats

AnyRun = TypeVar("AnyRun", ETLRun, PipelineRun)

PER_PAGE = 20
LOG_LINES = 500
STATUSES = [
    (name, formats.state_of(name)[1]) for name in ("pending", "running", "completed", "partial", "failed", "cancelled")
]


@dataclass(frozen=True)
class Listing:
    """One page of a model's runs, newest first, with what it was narrowed by."""

    page: Page[Any]
    query: str
    kind: str
    status: str
    headline: str
    statuses: list[tuple[str, str]]

    @property
    def busy(self) -> bool:
        """Whether a run on this page may still change."""
        return any(not run.is_over for run in self.page.object_list)

    @property
    def filtered(self) -> bool:
        """Whether runs were left out."""
        return bool(self.query or self.kind or self.status)


def etl_runs(model_id: int) -> QuerySet[ETLRun]:
    """Copies of one model's jobs, with what presenting them needs."""
    jobs = DataSource.objects.filter(configuration__model_id=model_id)
    found: QuerySet[ETLRun] = ETLRun.objects.filter(data_source__in=jobs).select_related("data_source", "started_by")
    return found


def pipeline_runs(model_id: int) -> QuerySet[PipelineRun]:
    """Pipeline runs of one model, with what presenting them needs."""
    found: QuerySet[PipelineRun] = PipelineRun.objects.filter(model_id=model_id).select_related("started_by")
    return found


def newest(runs: QuerySet[AnyRun], count: int) -> list[AnyRun]:
    """The newest runs, newest first.

    Their ids are found first: with everything that presenting needs, the database would carry every run to its sort.
    """
    ids = list(runs.order_by("-created_at", "-id").values_list("id", flat=True)[:count])
    found = {run.id: run for run in runs.filter(id__in=ids)}
    return [found[number] for number in ids if number in found]


def listing(model: ModelEndpoint, query: str, kind: str, status: str, page: str) -> Listing:
    """Runs of both kinds on one time line; four queries whatever the number of runs, two more while one waits."""
    copies, trainings = etl_runs(model.id), pipeline_runs(model.id)
    if status:
        copies, trainings = copies.filter(status=status), trainings.filter(status=status)
    if query:
        copies = copies.filter(data_source__name__icontains=query)
        if query.lower() not in "training":
            trainings = trainings.none()
    both = {"etl": copies, "pipeline": trainings}
    keys = [
        runs.order_by().annotate(kind=Value(name, output_field=CharField())).values_list("kind", "id", "created_at")
        for name, runs in both.items()
        if kind in ("", name)
    ]
    line = (
        keys[0].union(*keys[1:], all=True).order_by("-created_at", "-id") if len(keys) > 1 else keys[0].order_by("-id")
    )
    shown = Paginator(line, PER_PAGE).get_page(page)
    wanted: dict[str, list[int]] = {"etl": [], "pipeline": []}
    order = [(name, number) for name, number, _ in shown.object_list]
    for name, number in order:
        wanted[name].append(number)
    found: dict[tuple[str, int], RunView] = {}
    if wanted["etl"]:
        found |= {
            ("etl", run.id): present_etl(run, model.id) for run in etl_runs(model.id).filter(id__in=wanted["etl"])
        }
    if wanted["pipeline"]:
        rows = pipeline_runs(model.id).filter(id__in=wanted["pipeline"])
        found |= {("pipeline", run.id): present_pipeline(run) for run in rows}
    tell_turns(found.values())
    shown.object_list = [found[key] for key in order if key in found]
    return Listing(shown, query, kind, status, _headline(model), STATUSES)


def etl_run_view(run: ETLRun, model_id: int) -> RunView:
    """One copy with its facts and log."""
    view = present_etl(run, model_id)
    spec = (
        DataSourceTable.objects.filter(data_source_id=run.data_source_id).values_list("spec", flat=True).first() or {}
    )
    view.rejected_address = rejected_address(model_id, run, spec)
    view.facts = [*_belongings(run, model_id, spec), *etl_facts(run, view.rejected_address)]
    tell_turns([view])
    return _with_log(view, ETLRun.KIND)


def _belongings(run: ETLRun, model_id: int, spec: Mapping[str, Any]) -> list[Fact]:
    """The job of a run, the table it filled, and the training it belongs to."""
    now, spec = str(spec.get("destination_table") or ""), filled_by(run, spec)
    facts = [Fact("Job", run.data_source.name, address=reverse("job", args=[model_id, run.data_source_id]))]
    if address := address_of(model_id, spec):
        name = str(spec["destination_table"])
        moved = f"the job fills {now} now" if now != name else ""
        facts.append(Fact("Table", name, moved, address=address))
    if run.pipeline_run_id:
        parent = reverse("pipeline_run", args=[model_id, run.pipeline_run_id])
        facts.append(Fact("Part of", f"training run {run.pipeline_run_id}", address=parent))
    return facts


def pipeline_run_view(run: PipelineRun) -> RunView:
    """One pipeline run with its copies, what it made, and its log."""
    view = present_pipeline(run)
    copies = etl_runs(run.model_id).filter(pipeline_run=run).order_by("id")
    view.copies = [present_etl(copy, run.model_id) for copy in copies]
    if view.copies:
        view.rows = sum(copy.rows or 0 for copy in view.copies)
    view.facts = pipeline_facts(run)
    tell_turns([view, *view.copies])
    return _with_log(view, PipelineRun.KIND)


def _with_log(view: RunView, kind: str) -> RunView:
    lines = RunLogLine.objects.filter(run_kind=kind, run_id=view.id)
    view.log_total = lines.count()
    view.log = list(lines.order_by("-id")[:LOG_LINES])[::-1]
    return view


def _headline(model: ModelEndpoint) -> str:
    since = datetime.now(UTC) - timedelta(days=30)
    counts = dict.fromkeys(("all", "failed"), 0)
    for runs in (etl_runs(model.id), pipeline_runs(model.id)):
        found = (
            runs.filter(created_at__gte=since)
            .order_by()
            .aggregate(all=Count("id"), failed=Count("id", filter=Q(status="failed")))
        )
        counts = {name: counts[name] + found[name] for name in counts}
    if not counts["all"]:
        return "Copies of tables and trainings, newest first. None in the last 30 days."
    failed = f"{formats.grouped(counts['failed'])} failed" if counts["failed"] else "none failed"
    return f"{formats.grouped(counts['all'])} in the last 30 days, {failed}."
