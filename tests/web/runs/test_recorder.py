"""The recorder of a run: progress, heartbeat and log lines arrive, also across a restart of the database."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
from run_rows import make_shop, without_pool
from web_support import TestDatabase

from b2b_recs.engine.errors import Cancelled, Fenced
from b2b_recs.runtime import recording
from b2b_recs.web.etl.models import ETLRun
from b2b_recs.web.etl.services import start_run
from b2b_recs.web.runs.attempts import claim
from b2b_recs.web.runs.documents import storable_text
from b2b_recs.web.runs.models import RunLogLine
from b2b_recs.web.runs.outage import patiently
from b2b_recs.web.runs.recorder import RunRecorder
from b2b_recs.web.tenancy import scope


@pytest.fixture
def run(platform_database: TestDatabase) -> ETLRun:
    shop = make_shop(jobs=("orders",))
    with scope(shop.id):
        run = start_run(shop.jobs[0])
    claim(ETLRun, shop.id, run.id, lambda ended: None)
    return run


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Flushes often; no pool of connections, as in the worker's children."""
    monkeypatch.setattr(recording, "FLUSH_SECONDS", 0.02)
    with without_pool():
        yield


def recorder_of(run: ETLRun, attempt: int = 1) -> RunRecorder:
    return RunRecorder(ETLRun, run.organization_id, run.id, attempt, list(run.stages))


def now_of(run: ETLRun) -> ETLRun:
    def read() -> ETLRun:
        with scope(run.organization_id):
            found: ETLRun = ETLRun.objects.get(id=run.id)
            return found

    return patiently(read)


def lines_of(run: ETLRun) -> list[tuple[str, str]]:
    with scope(run.organization_id):
        return list(RunLogLine.objects.filter(run_id=run.id).order_by("id").values_list("level", "message"))


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_what_was_noted_is_written_when_the_work_leaves_the_recorder(run: ETLRun) -> None:
    with recorder_of(run) as recorder:
        recorder.stage("connect", "running", "Connecting")
        recorder.stage("connect", "done")
        recorder.update(rows_read=10, fraction=0.5)
        recorder.log("first")
        recorder.log("second", "warning")
    row = now_of(run)
    assert (row.rows_read, row.fraction) == (10, 0.5)
    assert [(stage["name"], stage["state"]) for stage in row.stages] == [
        ("connect", "done"), ("read", "waiting"), ("load", "waiting"), ("reconcile", "waiting"),
    ]  # fmt: skip
    assert row.stages[0]["detail"] == "Connecting"
    assert row.stages[0]["seconds"] >= 0
    assert lines_of(run) == [("info", "first"), ("warning", "second")]


def test_the_heartbeat_goes_on_while_the_work_says_nothing(run: ETLRun) -> None:
    def beat() -> datetime | None:
        at: datetime | None = now_of(run).heartbeat_at
        return at

    with recorder_of(run):
        first = beat()
        wait_for(lambda: beat() != first)
    assert beat() != first


def test_a_counter_nobody_knows_is_refused(run: ETLRun) -> None:
    with recorder_of(run) as recorder, pytest.raises(TypeError, match="rows_red"):
        recorder.update(rows_red=1)


def test_progress_and_lines_survive_a_restart_of_the_database(run: ETLRun, platform_database: TestDatabase) -> None:
    with recorder_of(run) as recorder:
        recorder.log("before")
        wait_for(lambda: lines_of(run) == [("info", "before")])
        with platform_database.superuser() as server:
            server.execute("ALTER ROLE b2b_recs_web NOLOGIN")
            try:
                server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'b2b_recs_web'")
                recorder.log("meanwhile")
                recorder.update(rows_read=7)
                recorder.stage("read", "running")
                wait_for(lambda: recorder._in_trouble)
                recorder.log("still away")
            finally:
                server.execute("ALTER ROLE b2b_recs_web LOGIN")
        wait_for(lambda: now_of(run).rows_read == 7)
    assert [message for _, message in lines_of(run)] == ["before", "meanwhile", "still away"]


def test_the_last_words_wait_for_a_database_that_is_away_at_the_end(
    run: ETLRun, platform_database: TestDatabase
) -> None:
    with platform_database.superuser() as server:
        recorder = recorder_of(run)
        with recorder:
            server.execute("ALTER ROLE b2b_recs_web NOLOGIN")
            server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'b2b_recs_web'")
            wait_for(lambda: recorder._in_trouble)
            recorder.log("last words")
            threading.Timer(0.3, lambda: allow(platform_database)).start()
    assert now_of(run).status == "running"
    assert lines_of(run) == [("info", "last words")]


def allow(database: TestDatabase) -> None:
    with database.superuser() as server:
        server.execute("ALTER ROLE b2b_recs_web LOGIN")


def test_a_wish_to_stop_reaches_the_work_at_its_next_call(run: ETLRun) -> None:
    with recorder_of(run) as recorder:
        assert recorder.cancelled() is False
        with scope(run.organization_id):
            ETLRun.objects.update(cancel_requested=True)
        wait_for(recorder.cancelled)
        with pytest.raises(Cancelled):
            recorder.update(rows_read=1)
        with pytest.raises(Cancelled):
            recorder.stage("read", "running")


def test_a_newer_attempt_fences_the_older_one_off_and_its_lines_are_dropped(run: ETLRun) -> None:
    with recorder_of(run) as recorder:
        claim(ETLRun, run.organization_id, run.id, lambda ended: None)
        wait_for(lambda: recorder._fenced)
        recorder.log("too late")
        with pytest.raises(Fenced):
            recorder.update(rows_read=99)
        with pytest.raises(Fenced):
            recorder.cancelled()
    assert now_of(run).rows_read == 0
    assert "too late" not in [message for _, message in lines_of(run)]


def test_text_the_database_cannot_keep_does_not_stop_the_heartbeat(run: ETLRun) -> None:
    with recorder_of(run) as recorder:
        recorder.log("zero \0 and half \ud800")
        recorder.stage("read", "running", "zero \0")
    assert [message for _, message in lines_of(run)] == [storable_text("zero \0 and half \ud800")]
    assert "\0" not in now_of(run).stages[1]["detail"]


def test_stages_left_open_are_marked_with_the_time_they_took(run: ETLRun) -> None:
    with recorder_of(run) as recorder:
        recorder.stage("connect", "done")
        recorder.stage("read", "running")
        recorder.fail_open_stages("the table is gone")
    stages = {stage["name"]: stage for stage in now_of(run).stages}
    assert (stages["connect"]["state"], stages["read"]["state"], stages["load"]["state"]) == (
        "done", "failed", "waiting",
    )  # fmt: skip
    assert stages["read"]["detail"] == "the table is gone"
    assert stages["read"]["seconds"] >= 0
