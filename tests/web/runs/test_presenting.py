"""How a run is told: who began it, what became of its rows, and where the rejected ones are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from run_rows import Shop, make_shop
from web_support import TestDatabase

from b2b_recs.web.etl.models import ETLRun
from b2b_recs.web.runs.presenting import present_etl
from b2b_recs.web.tenancy import scope


@pytest.fixture
def shop(platform_database: TestDatabase) -> Shop:
    return make_shop()


@pytest.mark.parametrize(
    ("trigger", "words"),
    [
        ("schedule", "Started by its schedule."),
        ("pipeline", "Started by a training."),
        ("command", "Started by the command line."),
    ],
)
def test_who_began_a_run_is_said_in_words(shop: Shop, trigger: str, words: str) -> None:
    with scope(shop.id):
        run = ETLRun.objects.create(
            organization=shop.organization, data_source=shop.jobs[0], status="completed", triggered_by=trigger
        )
        assert present_etl(run, shop.model.id).sentence.endswith(words)


@pytest.mark.parametrize(("stages", "beside"), [([0.4, 0.322], 0.578), ([1.0, 0.29], None), ([], 1.3)])
def test_the_time_of_a_run_that_no_stage_took_is_told(shop: Shop, stages: list[float], beside: float | None) -> None:
    begun = datetime(2026, 11, 28, 12, tzinfo=UTC)
    told = []
    for number, seconds in enumerate(stages):
        ended = begun + timedelta(seconds=seconds)
        times = {"started_at": begun.isoformat(), "finished_at": ended.isoformat()}
        told.append({"name": f"stage {number}", "state": "done", **times})
    with scope(shop.id):
        run = ETLRun.objects.create(
            organization=shop.organization,
            data_source=shop.jobs[0],
            status="completed",
            stages=told,
            started_at=begun,
            finished_at=begun + timedelta(seconds=1.3),
        )
        assert present_etl(run, shop.model.id).beside == pytest.approx(beside, abs=1e-6)
    client = Client()
    client.force_login(shop.user, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(f"/models/{shop.model.id}/runs/copies/{run.id}/").content.decode()
    assert ("of it lay outside the stages: starting, ending and what is between." in page) == (beside is not None)
