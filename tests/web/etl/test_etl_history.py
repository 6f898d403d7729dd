"""The history of copies: numbers of one run, its attempts and log, and a model's last 30 days in few queries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from run_rows import Shop, make_shop
from web_support import TestDatabase

from b2b_recs.engine.errors import AddressForbidden, ConnectionLost
from b2b_recs.web.etl.history import attempts_of, log_of, numbers_of, statistics
from b2b_recs.web.etl.models import ETLRun
from b2b_recs.web.etl.services import start_run
from b2b_recs.web.runs.attempts import perform
from b2b_recs.web.runs.faults import fault_of
from b2b_recs.web.runs.recorder import RunRecorder
from b2b_recs.web.tenancy import scope

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)


@pytest.fixture
def shop(platform_database: TestDatabase) -> Shop:
    return make_shop()


def ran(shop: Shop, status: str, days_ago: float = 1, seconds: int = 10, **fields: object) -> ETLRun:
    started = NOW - timedelta(days=days_ago)
    with scope(shop.id):
        return ETLRun.objects.create(
            organization_id=shop.id,
            data_source=shop.jobs[0],
            status=status,
            created_at=started,
            started_at=started,
            finished_at=started + timedelta(seconds=seconds),
            **fields,
        )


def test_a_model_s_last_thirty_days(shop: Shop) -> None:
    ran(shop, "completed", 1, 10, rows_read=1000, rows_loaded=900, bytes=5)
    ran(shop, "partial", 1, 30, rows_read=3000, rows_loaded=100, rows_rejected=7)
    ran(shop, "failed", 2, 5, error_code="connection_lost", rows_read=9)
    ran(shop, "failed", 2.1, 5, error_code="connection_lost")
    ran(shop, "failed", 3, 5, error_code="table_missing")
    ran(shop, "cancelled", 4)
    ran(shop, "completed", 31, rows_loaded=5000)
    rival = make_shop("Rival")
    ran(rival, "completed", 1, rows_loaded=777)
    with scope(shop.id), CaptureQueriesContext(connection) as queries:
        found = statistics(shop.model.id, NOW)
    assert len([query for query in queries if "SELECT" in query["sql"] and "etl_etlrun" in query["sql"]]) == 3
    assert (found.runs, found.good, found.failed, found.cancelled) == (6, 2, 3, 1)
    assert found.success_rate == pytest.approx(0.4)
    assert (found.rows_read, found.rows_loaded, found.rows_rejected, found.bytes) == (4009, 1000, 7, 5)
    assert (found.mean_seconds, found.rows_per_second) == (20.0, 100.0)
    assert [(day.day.day, day.runs, day.good, day.failed) for day in found.days] == [
        (27, 1, 0, 0), (28, 1, 0, 1), (29, 2, 0, 2), (30, 2, 2, 0),
    ]  # fmt: skip
    assert found.faults == ((fault_of("connection_lost"), 2), (fault_of("table_missing"), 1))


def test_a_model_without_runs_has_no_rates(shop: Shop) -> None:
    with scope(shop.id):
        found = statistics(shop.model.id, NOW)
    assert (found.runs, found.success_rate, found.mean_seconds, found.rows_per_second, found.days) == (
        0, None, None, None, (),
    )  # fmt: skip


def test_one_run_in_numbers(shop: Shop) -> None:
    stages = [{"name": "connect", "state": "done", "seconds": 0.5}, {"name": "read", "state": "done", "seconds": 4.0}]
    results = {"rows_known": 3, "rows_replaced": 2, "rows_deleted": 1, "seconds": 9.0}
    run = ran(shop, "completed", rows_read=1000, rows_loaded=995, bytes=8, stages=stages, results=results)
    numbers = numbers_of(run)
    assert (numbers.rows_read, numbers.rows_loaded, numbers.rows_known) == (1000, 995, 3)
    assert (numbers.rows_replaced, numbers.rows_deleted, numbers.rows_repeated) == (2, 1, 0)
    assert (numbers.rows_per_second, numbers.seconds, numbers.bytes) == (250.0, 10.0, 8)
    assert numbers.stage_seconds == {"connect": 0.5, "read": 4.0}


def test_attempts_and_log_of_a_run(shop: Shop) -> None:
    with scope(shop.id):
        run = start_run(shop.jobs[0])

    def lost(recorder: RunRecorder) -> dict[str, object]:
        recorder.log("reading")
        raise ConnectionLost("The connection broke.", advice="Look at the network.")

    perform(ETLRun, shop.id, run.id, lost, lambda ended: None)
    perform(ETLRun, shop.id, run.id, lambda recorder: {}, lambda ended: None)
    with scope(shop.id):
        run.refresh_from_db()
        lines = log_of(run)
        assert log_of(run, after_id=lines[-1].id) == []
    first, second = attempts_of(run)
    assert (first.outcome, first.error_code, first.error) == ("failed", "connection_lost", "The connection broke.")
    assert first.finished_at is not None and first.again_at is not None and first.again_at > first.finished_at
    assert (second.number, second.outcome, second.error) == (2, "completed", "")
    assert lines[0].message == "reading"


def test_a_refusal_of_the_guard_reads_as_advice_in_the_history(shop: Shop) -> None:
    with scope(shop.id):
        run = start_run(shop.jobs[0])
    refusal = AddressForbidden(
        "The address of db.example.com is not public and may not be reached from here.",
        advice="Use a public address, or ask the operator of this installation to allow it.",
        field="host",
    )

    def refused(recorder: RunRecorder) -> dict[str, object]:
        recorder.stage("connect", "running")
        raise refusal

    assert perform(ETLRun, shop.id, run.id, refused, lambda ended: None) == 0
    with scope(shop.id):
        run.refresh_from_db()
        assert [line.message for line in log_of(run)] == [str(refusal)]
    assert (run.status, run.error_code, run.error, run.advice) == (
        "failed", "address_forbidden", refusal.message, refusal.advice,
    )  # fmt: skip
    assert run.stages[0]["detail"] == refusal.message
    fault = fault_of(run.error_code)
    assert fault is not None and fault.whose == "settings"
