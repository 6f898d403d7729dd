"""The small chart of a job's last runs."""

from __future__ import annotations

from b2b_recs.web.etl.spark import spark_of


def test_runs_of_one_look_are_one_shape_and_a_failed_one_stands_full_height() -> None:
    found = spark_of([("completed", 50), ("failed", 0), ("partial", 100), ("cancelled", 0)])
    assert dict(found.shapes) == {
        "ok": "M0.00 11.00h5V22h-5zM14.29 0.00h5V22h-5z",
        "bad": "M7.14 0.00h5V22h-5z",
        "none": "M21.43 19.36h5V22h-5z",
    }
    assert found.words == "Last 4 runs: 1 failed"


def test_a_job_that_never_ran_has_no_chart() -> None:
    assert spark_of([]).runs == 0
