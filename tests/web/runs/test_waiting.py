"""A run that does not go on says why: the next attempt, or its organization's other runs."""

from __future__ import annotations

import pytest
from django.db import connection
from run_rows import Shop, make_shop
from web_support import TestDatabase

from b2b_recs.engine.errors import ConnectionLost
from b2b_recs.web.etl.models import ETLRun
from b2b_recs.web.etl.services import start_run
from b2b_recs.web.runs.attempts import perform
from b2b_recs.web.runs.presenting import RunView
from b2b_recs.web.runs.queries import etl_run_view
from b2b_recs.web.runs.recorder import RunRecorder
from b2b_recs.web.tenancy import scope


@pytest.fixture
def shop(platform_database: TestDatabase) -> Shop:
    return make_shop()


def view_of(shop: Shop, run: ETLRun) -> RunView:
    with scope(shop.id):
        return etl_run_view(ETLRun.objects.select_related("data_source").get(id=run.id), shop.model.id)


def test_a_run_waits_for_others_of_its_organization_and_says_so(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    with scope(shop.id):
        first, second = start_run(shop.jobs[0]), start_run(shop.jobs[1])
        ETLRun.objects.filter(id=first.id).update(status="running")
    assert view_of(shop, second).words == "Waits for its turn"
    monkeypatch.setenv("B2B_RECS_RUNS_PER_ORGANIZATION", "2")
    assert view_of(shop, second).words == "Waits for its turn"
    monkeypatch.setenv("B2B_RECS_RUNS_PER_ORGANIZATION", "1")
    view = view_of(shop, second)
    assert view.words == "Waits: 1 run of this organization is under way, as many as may be at once."
    assert view.words in view.sentence
    rival = make_shop("Rival")
    with scope(rival.id):
        foreign = start_run(rival.jobs[0])
    assert view_of(rival, foreign).words == "Waits for its turn"


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
