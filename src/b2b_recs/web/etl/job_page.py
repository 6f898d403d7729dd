"""What the page of one job shows. Call inside the organization's scope."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.core.paginator import Page, Paginator

from b2b_recs.web.etl.facts import Fact, facts_of
from b2b_recs.web.etl.models import DataSource, ETLRun
from b2b_recs.web.etl.page import JobCard, job_cards
from b2b_recs.web.runs.presenting import RunView, present_etl

PER_PAGE = 20
FEWEST = 20  # runs that fill the width of the chart; fewer leave room for those to come
CHART_RUNS, CHART_WIDTH, CHART_HEIGHT, FLOOR = 60, 720.0, 120.0, 112.0
LOWEST, MARK = 0.03, 0.05  # shares of the height: the lowest bar, and the mark of a run that failed


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
    facts: list[Fact]
    runs: Page[Any]
    bars: list[RunBar]
    most: int
    next_times: list[datetime]
    changed_since: bool  # the newest run failed, and what the job copies was changed after it

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
        changed_since=_changed_since(job, card.run),
    )


def _changed_since(job: DataSource, run: RunView | None) -> bool:
    """Whether somebody changed what a job copies after its newest run had failed, as the audit has kept it."""
    if run is None or run.status != "failed" or run.finished_at is None:
        return False
    changes = apps.get_model("etl", "DataSourceTableEvent").objects.filter(pgh_obj_id=job.table.id)
    return bool(changes.filter(pgh_created_at__gt=run.finished_at).exists())


def _bars(runs: list[RunView], most: int) -> list[RunBar]:
    step = CHART_WIDTH / max(len(runs), FEWEST)
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
