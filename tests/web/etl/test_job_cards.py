"""What the card of a job, its history and the page of its run say of the last copy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from run_rows import Shop, make_shop
from web_support import TestDatabase

from b2b_recs.engine.errors import TooManyRejected
from b2b_recs.web.etl.counts import counts_on_card
from b2b_recs.web.etl.models import DataSourceTable, ETLRun
from b2b_recs.web.projects.schedules import ScheduleSpec, set_schedule
from b2b_recs.web.tenancy import scope

NOW = datetime.now(UTC)
LEFT_OUT = {
    "source_count": 1_000, "warehouse_count": 980, "rows_rejected": 20, "reconciled": True,
    "rejected_example": "d1: n/a is not a date", "warnings": ["20 rows were rejected; the reason is kept."],
}  # fmt: skip


@pytest.fixture
def shop(platform_database: TestDatabase) -> Shop:
    return make_shop()


def page(shop: Shop, path: str) -> str:
    client = Client()
    client.force_login(shop.user, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get(f"/models/{shop.model.id}/{path}")
    assert answer.status_code == 200
    return answer.content.decode().replace("\N{NO-BREAK SPACE}", " ")


def ran(shop: Shop, **fields: Any) -> ETLRun:
    """A run of the first job that took 1.2 s and ended six hours ago."""
    ended = NOW - timedelta(hours=6, minutes=1)
    times = {"created_at": ended, "started_at": ended - timedelta(seconds=1.2), "finished_at": ended}
    given = {"status": "completed", **times, **fields}
    with scope(shop.id):
        return ETLRun.objects.create(organization=shop.organization, data_source=shop.jobs[0], **given)


def test_a_job_with_a_schedule_shows_its_last_run_too(shop: Shop) -> None:
    ran(shop)
    with scope(shop.id):
        set_schedule(shop.id, "etl", shop.jobs[0].id, ScheduleSpec(kind="hourly", minute=15), True, NOW)
    card = page(shop, "etl/").split('class="job-card"')[1]
    assert "next <time" in card and "last <time" in card
    assert ">6h ago</time>, 1.2 s</p>" in card


@pytest.mark.parametrize(
    ("ages", "words"),
    [
        ((None, None), "2 jobs."),
        ((5, 46.5), "2 jobs, all data fresh within 47 minutes."),
        ((5, 60 * 5), "2 jobs, all data fresh within 5 hours."),
        ((5, 60 * 24 * 9 - 1), "2 jobs, the oldest data is 9 days old."),
        ((5, None), "2 jobs, 1 loaded within 5 minutes, 1 not loaded yet."),
    ],
)
def test_the_page_says_how_fresh_all_data_is(shop: Shop, ages: tuple[float | None, ...], words: str) -> None:
    with scope(shop.id):
        for job, age in zip(shop.jobs, ages, strict=True):
            at = None if age is None else datetime.now(UTC) - timedelta(minutes=age - 0.1)
            DataSourceTable.objects.filter(data_source=job).update(last_synced_at=at)
    assert f"each on its own schedule. {words}" in page(shop, "etl/")


def test_a_card_says_why_rows_were_rejected_and_leads_to_them(shop: Shop) -> None:
    ran(shop, status="partial", results=LEFT_OUT, rows_read=1_000, rows_loaded=980, rows_rejected=20)
    card = page(shop, "etl/").split('class="job-card"')[1]
    assert ">980 of 1,000</span>" in card and "1,000 = 980 + 20 rejected: rows of" in card
    assert ">d1: n/a is not a date</span>" in card
    assert f'href="/models/{shop.model.id}/data/bq_orders/rejected/"' in card


def test_the_history_of_a_job_tells_rows_read_loaded_and_rejected(shop: Shop) -> None:
    ran(shop, status="partial", results=LEFT_OUT, rows_read=1_000, rows_loaded=980, rows_rejected=20)
    history = page(shop, f"etl/jobs/{shop.jobs[0].id}/").split('id="history-title"')[1]
    for label, number in (("Read", "1,000"), ("Loaded", "980"), ("Rejected", "20")):
        assert f'<td class="num" data-label="{label}">{number}</td>' in history


def test_the_history_of_a_job_tells_rows_that_were_there_already_so_that_its_sums_are_right(shop: Shop) -> None:
    known = {**LEFT_OUT, "rows_known": 3}
    ran(shop, status="partial", results=known, rows_read=105, rows_loaded=100, rows_rejected=2)
    ran(shop, status="completed", rows_read=7, rows_loaded=7)
    history = page(shop, f"etl/jobs/{shop.jobs[0].id}/").split('id="history-title"')[1]
    assert history.count("there already") == 1
    loaded = 'data-label="Loaded">100<p class="small faint">+3 there already</p></td>'
    assert loaded in history and 'data-label="Loaded">7</td>' in history


def test_the_notice_on_the_page_of_a_run_leads_to_the_rejected_rows(shop: Shop) -> None:
    address = f"/models/{shop.model.id}/data/bq_orders/rejected/"
    run = ran(shop, status="partial", results=LEFT_OUT, rows_rejected=20)
    notice = page(shop, f"runs/copies/{run.id}/").split("notice-warn")[1].split("</div>")[0]
    assert f'href="{address}"' in notice
    run = ran(shop, status="failed", error="Too many.", error_code=TooManyRejected.code, rows_rejected=20)
    notice = page(shop, f"runs/copies/{run.id}/").split("notice-bad")[1].split("</div>")[0]
    assert f'href="{address}?stopped=1"' in notice


@pytest.mark.parametrize(
    ("results", "words"),
    [
        ({"source_count": 5, "warehouse_count": 5}, "5 = 5"),
        ({"source_count": 5, "warehouse_count": 3}, "5 ≠ 3"),
        ({"source_count": 5, "warehouse_count": 3, "rows_repeated": 2}, "3 of 5"),
        ({"source_count": 5, "warehouse_count": 3, "rows_rejected": 1}, "5 ≠ 3"),
        ({"source_count": 5}, ""),
    ],
)
def test_the_counts_of_a_card_are_short(results: dict[str, int], words: str) -> None:
    assert counts_on_card(results) == words
