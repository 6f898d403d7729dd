"""How a run is told: who began it, what became of its rows, and where the rejected ones are."""

from __future__ import annotations

import pytest
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
