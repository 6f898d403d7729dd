"""What the page of one job shows. Call inside the organization's scope."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.paginator import Page, Paginator
from pydantic import TypeAdapter

from b2b_recs.web.etl.models import DataSource, ETLRun
from b2b_recs.web.etl.page import JobCard, job_cards
from b2b_recs.web.etl.wizard.schema_form import USUAL_REJECTS
from b2b_recs.web.runs.presenting import RunView, present_etl
from b2b_recs.web.ui import formats

PER_PAGE = 20
CHART_RUNS, CHART_WIDTH, CHART_HEIGHT, FLOOR = 60, 720.0, 120.0, 112.0
LOWEST, MARK = 0.03, 0.05  # shares of the height: the lowest bar, and the mark of a run that failed
_LAG = TypeAdapter(timedelta)


@dataclass(frozen=True)
class RunBar:
    """A run in the chart: rows loaded as height; one that failed is a small red mark at the foot."""

    x: float
    y: float
    width: float
    height: float
    look: str
    words: str
    address: str


@dataclass(frozen=True)
class JobPage:
    """A job with its settings in words, its runs, and its chart."""

    card: JobCard
    facts: list[tuple[str, str, bool]]
    runs: Page[Any]
    bars: list[RunBar]
    most: int
    next_times: list[datetime]

    @property
    def zone(self) -> str:
        """The time zone of its schedule, in which its next times are shown."""
        return str(self.card.schedule.rule.get("time_zone") or "UTC")

    @property
    def busy(self) -> bool:
        """Whether the newest run may still change."""
        return self.card.busy


def job_page(job: DataSource, page: str) -> JobPage:
    """The page of a job; its connection, table and configuration are loaded."""
    model_id = job.configuration.model_id
    runs = ETLRun.objects.filter(data_source=job).select_related("data_source", "started_by").order_by("-id")
    listed = Paginator(runs, PER_PAGE).get_page(page)
    listed.object_list = [present_etl(run, model_id) for run in listed.object_list]
    past = [present_etl(run, model_id) for run in runs[:CHART_RUNS]]
    most = max((run.rows or 0 for run in past if run.status != "failed"), default=0)
    card = job_cards([job], model_id, times=5)[0]
    return JobPage(
        card=card,
        facts=facts_of(job.table.spec),
        runs=listed,
        bars=_bars([run for run in reversed(past) if run.is_over], most or 1),
        most=most,
        next_times=card.schedule.next_times,
    )


def facts_of(settings: Mapping[str, Any]) -> list[tuple[str, str, bool]]:
    """A job's copy in words: name, value, whether it is set in the type of code."""
    load = settings.get("load") or {}
    facts = [("Load", _load_words(load), False)]
    if load.get("cursor"):
        facts.append(("New by", str(load["cursor"]), True))
    if load.get("key"):
        facts.append(("Key", ", ".join(load["key"]), True))
    if load.get("backfill") not in (None, "all"):
        first = load["backfill"]
        facts.append(("First run reads", f"{first} days" if isinstance(first, int) else f"since {first}", False))
    if load.get("lag"):
        lag = _LAG.validate_python(load["lag"]).total_seconds()
        if lag:
            facts.append(("Looks back", formats.duration(lag), False))
    columns = settings.get("columns") or ()
    facts.append(("Columns", f"{len(columns):,} chosen" if columns else "all", False))
    if settings.get("row_limit"):
        facts.append(("At most", f"{settings['row_limit']:,} rows a run", False))
    share = settings.get("reject_threshold", USUAL_REJECTS)
    if share != USUAL_REJECTS:
        facts.append(("May be rejected", f"{share * 100:g} % of rows", False))
    if settings.get("partition_by"):
        facts.append(("Partitioned by day of", str(settings["partition_by"]), True))
    if settings.get("cluster_by"):
        facts.append(("Clustered by", ", ".join(settings["cluster_by"]), True))
    return facts


def _load_words(load: Mapping[str, Any]) -> str:
    words = {
        "transactional": "appends new rows",
        "merge": "takes over new and changed rows",
        "catalog": "replaces the whole table",
        "files": "each file once, and again when it changed",
    }
    return words.get(str(load.get("strategy")), "")


def _bars(runs: list[RunView], most: int) -> list[RunBar]:
    step = CHART_WIDTH / CHART_RUNS
    bars = []
    for at, run in enumerate(runs):
        failed, rows = run.status == "failed", run.rows or 0
        height = round(FLOOR * (MARK if failed else max(LOWEST, rows / most)), 2)
        what = "failed" if failed else f"{rows:,} rows, {run.status_word or run.status}"
        bars.append(
            RunBar(
                x=round(at * step + 1.5, 2),
                y=round(FLOOR - height + 2, 2),
                width=round(step - 3, 2),
                height=height,
                look="bad" if failed else "good" if run.status in ("completed", "partial") else "none",
                words=f"{run.at:%d %b %H:%M} UTC: {what}",
                address=run.address,
            )
        )
    return bars
