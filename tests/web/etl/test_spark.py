"""The charts of a job's last runs: rows as height, a failed run as a mark."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from b2b_recs.web.etl.job_page import FLOOR, _bars
from b2b_recs.web.etl.spark import spark_of

RUNS = (("completed", 541_909), ("failed", 0))


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
    day = datetime(2026, 3, 1, tzinfo=UTC)
    runs = [SimpleNamespace(status=status, rows=rows, status_word=status, at=day, address="/") for status, rows in RUNS]
    good, bad = _bars(runs, 541_909)
    assert (good.height, good.look) == (FLOOR, "good")
    assert bad.look == "bad" and bad.height < FLOOR / 10
    assert bad.y + bad.height == pytest.approx(good.y + good.height)


def test_a_job_that_never_ran_has_no_chart() -> None:
    assert spark_of([]).runs == 0
