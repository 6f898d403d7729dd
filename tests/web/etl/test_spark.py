"""The charts of a job's last runs: rows as height, a failed run as a mark."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from run_rows import make_shop
from web_support import TestDatabase

from b2b_recs.web.etl.chart import chart_of
from b2b_recs.web.etl.history import statistics
from b2b_recs.web.etl.job_page import CHART_WIDTH, FLOOR, _bars
from b2b_recs.web.etl.models import ETLRun
from b2b_recs.web.etl.spark import spark_of
from b2b_recs.web.tenancy import scope

RUNS = (("completed", 541_909), ("failed", 0))


def some_runs(*runs: tuple[str, int]) -> list[Any]:
    day = datetime(2026, 3, 1, tzinfo=UTC)
    return [SimpleNamespace(status=status, rows=rows, status_word=status, at=day, address="/") for status, rows in runs]


def test_runs_of_one_look_are_one_shape_and_a_failed_one_is_a_mark_at_the_foot() -> None:
    found = spark_of([("completed", 50), ("failed", 0), ("partial", 100), ("cancelled", 0)])
    assert dict(found.shapes) == {
        "ok": "M0.00 11.00h5V22h-5zM14.29 0.00h5V22h-5z",
        "bad": "M7.14 19.36h5V22h-5z",
        "none": "M21.43 19.36h5V22h-5z",
    }
    assert found.words == "Last 4 runs: 1 failed"


def test_a_failed_run_says_nothing_of_how_many_rows_the_others_loaded() -> None:
    assert dict(spark_of([("completed", 10), ("failed", 1_000)]).shapes)["ok"] == "M0.00 0.00h5V22h-5z"


def test_in_the_chart_of_a_job_a_failed_run_is_a_small_mark_beside_a_full_bar() -> None:
    good, bad = _bars(some_runs(*RUNS), 541_909)
    assert (good.height, good.look) == (FLOOR, "good")
    assert bad.look == "bad" and bad.height < FLOOR / 10
    assert bad.y + bad.height == pytest.approx(good.y + good.height)


def test_a_job_that_never_ran_has_no_chart() -> None:
    assert spark_of([]).runs == 0


@pytest.mark.parametrize("runs", [20, 30, 60])
def test_the_bars_of_a_job_fill_the_chart(runs: int) -> None:
    bars = _bars(some_runs(*[("completed", 5)] * runs), 5)
    assert CHART_WIDTH - 5 < bars[-1].x + bars[-1].width <= CHART_WIDTH
    assert bars[0].x < 5


def test_days_on_which_nothing_ended_have_no_chart(platform_database: TestDatabase) -> None:
    shop = make_shop()
    with scope(shop.id):
        own = {"organization": shop.organization, "data_source": shop.jobs[0]}
        ETLRun.objects.create(**own, status="cancelled")
        ETLRun.objects.create(**own, status="pending")
        assert chart_of(statistics(shop.model.id)) is None
        ETLRun.objects.create(**own, status="completed")
        chart = chart_of(statistics(shop.model.id))
    assert chart is not None and chart.most == 1
