"""A run that does not go on says why: the next attempt, no worker, or the runs before it."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from run_rows import Shop, begin, finish_all, make_shop
from web_support import TestDatabase

from b2b_recs.engine.errors import ConnectionLost
from b2b_recs.web.accounts.models import Organization
from b2b_recs.web.etl.models import ETLRun
from b2b_recs.web.etl.services import start_run
from b2b_recs.web.projects.model_queries import overview
from b2b_recs.web.runs.attempts import perform
from b2b_recs.web.runs.presenting import RunView, present_etl
from b2b_recs.web.runs.queries import etl_run_view
from b2b_recs.web.runs.recorder import RunRecorder
from b2b_recs.web.runs.turns import NO_WORKER, tell_turns
from b2b_recs.web.tenancy import operating, scope
from b2b_recs.web.training.models import PipelineRun
from b2b_recs.web.training.services import start_pipeline


@pytest.fixture
def shop(platform_database: TestDatabase) -> Shop:
    return make_shop()


def view_of(shop: Shop, run: ETLRun) -> RunView:
    with scope(shop.id):
        return etl_run_view(ETLRun.objects.select_related("data_source").get(id=run.id), shop.model.id)


def worker(seconds_ago: int = 0) -> None:
    """A worker that gave its last sign of life so long ago."""
    with connection.cursor() as cursor:
        beat = "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - make_interval(secs => %s))"
        cursor.execute(beat, [seconds_ago])


def begun(task: str, *runs: ETLRun | PipelineRun) -> None:
    """Runs that a worker has in hand."""
    for run in runs:
        begin(task, run.id)


def words_of(shop: Shop, run: ETLRun) -> str:
    view = view_of(shop, run)
    assert view.words in view.sentence
    return view.words


def test_a_run_waits_because_no_worker_is_running_and_says_so(shop: Shop) -> None:
    with scope(shop.id):
        run = start_run(shop.jobs[0])
    assert words_of(shop, run) == NO_WORKER
    worker(seconds_ago=60)
    assert words_of(shop, run) == NO_WORKER
    worker()
    assert words_of(shop, run) == "Starts in a moment."


def test_a_run_tells_what_its_company_has_under_way_and_its_place_in_line(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker()
    with scope(shop.id):
        jobs = [*shop.jobs, *(shop.add_job(f"more {number}") for number in range(12))]
        runs = [start_run(job) for job in jobs]
        training = start_pipeline(shop.model, with_jobs=False)
    begun("execute_etl_run", *runs[:2])
    assert words_of(shop, runs[2]) == "Waits: 2 copies of your company run now; this one is next."
    assert words_of(shop, runs[4]) == "Waits: 2 copies of your company run now; this one is third in line."
    begun("execute_pipeline_run", training)
    monkeypatch.setenv("B2B_RECS_RUNS_PER_ORGANIZATION", "3")
    assert words_of(shop, runs[13]) == (
        "Waits: 2 copies and 1 training of your company run now, as many as may at once; this one is number 12 in line."
    )
    with operating():
        Organization.objects.filter(id=shop.id).update(runs_at_once=0)
    assert "as many as may at once" not in words_of(shop, runs[13])
    with operating():
        Organization.objects.filter(id=shop.id).update(runs_at_once=2)
    monkeypatch.delenv("B2B_RECS_RUNS_PER_ORGANIZATION")
    assert "as many as may at once" in words_of(shop, runs[13])
    finish_all()
    begun("execute_etl_run", runs[2])
    assert words_of(shop, runs[3]) == "Waits: 1 copy of your company runs now; this one is next."


def test_of_other_companies_a_waiting_run_tells_no_more_than_that_workers_are_busy(shop: Shop) -> None:
    worker()
    rival = make_shop("Rival")
    with scope(rival.id):
        theirs = [start_run(job) for job in rival.jobs]
    begun("execute_etl_run", theirs[0])
    with scope(shop.id):
        run = start_run(shop.jobs[0])
    assert words_of(shop, run) == "Waits: every worker is busy; this one is next."


def test_a_run_of_the_same_job_comes_first_and_is_named(shop: Shop) -> None:
    worker()
    with scope(shop.id):
        whole = start_pipeline(shop.model)
        within = ETLRun.objects.get(pipeline_run=whole, data_source=shop.jobs[0])
        alone = start_run(shop.jobs[0])
    begun("execute_etl_run", within)
    assert words_of(shop, alone) == "Waits: another copy of this job comes first."


def test_lists_tell_it_too_with_two_queries_however_many_wait(shop: Shop) -> None:
    worker()
    with scope(shop.id):
        runs = [start_run(job) for job in shop.jobs]
        begun("execute_etl_run", runs[0])
        views = [present_etl(run, shop.model.id) for run in runs]
        with CaptureQueriesContext(connection) as captured:
            tell_turns(views)
        assert len(captured) == 2
        assert views[1].words == "Waits: 1 copy of your company runs now; this one is next."
        shown = overview(shop.model)
        assert [view.words for view in shown.recent if view.id == runs[1].id] == [views[1].words]
        with CaptureQueriesContext(connection) as captured:
            tell_turns([])
        assert len(captured) == 0


def test_a_run_between_two_attempts_says_when_it_goes_on_and_what_failed(shop: Shop) -> None:
    with scope(shop.id):
        run = start_run(shop.jobs[0])

    def lost(recorder: RunRecorder) -> dict[str, object]:
        raise ConnectionLost("The connection broke.", advice="Look at the network.")

    perform(ETLRun, shop.id, run.id, lost, lambda ended: None)
    view = view_of(shop, run)
    assert view.words.startswith("Tried again in ") and view.words.endswith("s. The connection broke.")
    assert not view.is_running
    assert ("Kind of failure", "The connection broke while reading.") in [(f.name, f.value) for f in view.facts]
    perform(ETLRun, shop.id, run.id, lambda recorder: {}, lambda ended: None)
    facts = [(fact.name, fact.value, fact.note) for fact in view_of(shop, run).facts]
    assert ("Attempt 1", "Failed", "The connection broke.") in facts
    assert ("Attempt 2", "Completed", "") in facts


def test_asking_for_a_run_that_waits_for_its_next_attempt_lets_it_go_on_at_once(shop: Shop) -> None:
    with scope(shop.id):
        run = start_run(shop.jobs[0])

    def lost(recorder: RunRecorder) -> dict[str, object]:
        raise ConnectionLost("The connection broke.", advice="Look at the network.")

    perform(ETLRun, shop.id, run.id, lost, lambda ended: None)
    with connection.cursor() as cursor:  # as the worker puts it back
        cursor.execute("UPDATE procrastinate_jobs SET scheduled_at = now() + interval '30 seconds'")
    with scope(shop.id):
        assert start_run(shop.jobs[0], trigger="schedule").id == run.id
    assert waits_for_its_time() == 1
    with scope(shop.id):
        assert start_run(shop.jobs[0], shop.user).id == run.id
    assert waits_for_its_time() == 0
    assert view_of(shop, run).words == "Tried again now. The connection broke."


def waits_for_its_time() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE scheduled_at > now()")
        return int(cursor.fetchone()[0])
