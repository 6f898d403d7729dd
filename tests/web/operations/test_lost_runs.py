"""A run that no job stands for any more is brought to an end; all others are left alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from run_rows import Shop, begin, make_shop, queued
from web_support import TestDatabase

from b2b_recs.web.etl.models import DataSource, ETLRun
from b2b_recs.web.etl.services import start_run
from b2b_recs.web.operations.upkeep import end_lost_runs
from b2b_recs.web.runs.attempts import claim
from b2b_recs.web.tenancy import scope
from b2b_recs.web.training.models import PipelineRun
from b2b_recs.web.training.services import start_pipeline


@pytest.fixture
def shop(platform_database: TestDatabase) -> Shop:
    return make_shop()


def later() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=10)


def lose_jobs(database: TestDatabase) -> None:
    with database.superuser() as server:
        server.execute("UPDATE procrastinate_jobs SET status = 'failed'")


def test_a_run_whose_job_ended_without_a_last_word_ends_as_failed(shop: Shop, platform_database: TestDatabase) -> None:
    with scope(shop.id):
        run = start_run(shop.jobs[0])
    claim(ETLRun, shop.id, run.id, lambda ended: None)
    lose_jobs(platform_database)
    assert end_lost_runs() == 0
    assert [end_lost_runs(later()), end_lost_runs(later())] == [1, 0]
    with scope(shop.id):
        run.refresh_from_db()
    assert (run.status, run.error_code) == ("failed", "died")
    assert run.advice


def test_runs_that_wait_or_are_worked_on_are_left_alone(shop: Shop) -> None:
    with scope(shop.id):
        first = start_run(shop.jobs[0])
        start_run(shop.jobs[1])
        begin("execute_etl_run", first.id)
    assert end_lost_runs(later()) == 0
    with scope(shop.id):
        assert {run.status for run in ETLRun.objects.all()} == {"pending"}


def test_a_pipeline_that_waits_for_its_copies_is_left_alone(shop: Shop) -> None:
    with scope(shop.id):
        start_pipeline(shop.model)
    assert end_lost_runs(later()) == 0
    assert queued("execute_pipeline_run") == []
    with scope(shop.id):
        assert PipelineRun.objects.get().status == "pending"


def test_a_pipeline_goes_on_when_the_last_copy_it_waited_for_was_deleted(shop: Shop) -> None:
    with scope(shop.id):
        run = start_pipeline(shop.model)
    with scope(shop.id):
        DataSource.objects.all().delete()
    assert end_lost_runs(later()) == 0
    assert queued("execute_pipeline_run") == [("execute_pipeline_run", run.id, "todo")]


def test_a_lost_pipeline_fails_with_its_copies_untouched(shop: Shop, platform_database: TestDatabase) -> None:
    with scope(shop.id):
        run = start_pipeline(shop.model, with_jobs=False)
    claim(PipelineRun, shop.id, run.id, lambda ended: None)
    lose_jobs(platform_database)
    assert end_lost_runs(later()) == 1
    with scope(shop.id):
        assert PipelineRun.objects.get().status == "failed"
