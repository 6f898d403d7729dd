"""Attempts at a run: only the newest may write, each ending is told, and an absent database ends nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError
from run_rows import Shop, make_shop, queued, without_pool
from web_support import TestDatabase

from b2b_recs.engine.errors import BadInput, Cancelled, ConnectionLost, Fenced
from b2b_recs.runtime.errors import SettingRefused
from b2b_recs.web.etl.models import ETLRun
from b2b_recs.web.etl.services import start_run
from b2b_recs.web.projects.schedules import ScheduleSpec, set_schedule
from b2b_recs.web.runs import attempts, outage
from b2b_recs.web.runs.attempts import (
    DONE,
    carry_out,
    claim,
    end_attempt,
    end_from_outside,
    fail_from_outside,
    interrupt,
    perform,
)
from b2b_recs.web.runs.models import Run, RunLogLine
from b2b_recs.web.runs.recorder import TRY_AGAIN, RunRecorder
from b2b_recs.web.runs.retries import RetryPolicy
from b2b_recs.web.tenancy import scope

Work = Callable[[RunRecorder], dict[str, Any]]


@pytest.fixture
def shop(platform_database: TestDatabase) -> Shop:
    return make_shop()


@pytest.fixture
def run(shop: Shop) -> ETLRun:
    with scope(shop.id):
        return start_run(shop.jobs[0], shop.user)


def nothing(run: Run) -> None:
    """Nothing follows."""


def now_of(run: ETLRun) -> ETLRun:
    with scope(run.organization_id):
        return ETLRun.objects.get(id=run.id)


def lines_of(run: ETLRun) -> list[str]:
    with scope(run.organization_id):
        return list(RunLogLine.objects.filter(run_kind="etl", run_id=run.id).values_list("message", flat=True))


def do(run: ETLRun, work: Work, after: Callable[[Run], None] = nothing) -> int:
    return perform(ETLRun, run.organization_id, run.id, work, after)


def raising(error: Exception) -> Work:
    def work(recorder: RunRecorder) -> dict[str, Any]:
        recorder.stage("read", "running")
        raise error

    return work


def test_each_claim_is_the_next_attempt_and_begins_its_open_stages_anew(run: ETLRun) -> None:
    first = claim(ETLRun, run.organization_id, run.id, nothing)
    with scope(run.organization_id):
        ETLRun.objects.update(
            stages=[
                {"name": "connect", "state": "done", "detail": "", "started_at": "2020-01-01T00:00:00+00:00"},
                {"name": "read", "state": "running", "detail": "", "started_at": "2020-01-01T00:00:00+00:00"},
            ]
        )
    second = claim(ETLRun, run.organization_id, run.id, nothing)
    assert first is not None
    assert second is not None
    assert (first.number, second.number) == (1, 2)
    assert [stage["state"] for stage in second.stages] == ["done", "waiting"]
    assert now_of(run).status == "running"
    assert lines_of(run) == ["Attempt 2: going on where the last one stopped."]


def test_a_stale_attempt_cannot_write_and_ends_nothing(run: ETLRun) -> None:
    stale = claim(ETLRun, run.organization_id, run.id, nothing)
    newer = claim(ETLRun, run.organization_id, run.id, nothing)
    assert stale is not None
    assert newer is not None

    def work(recorder: RunRecorder) -> dict[str, Any]:
        recorder.update(rows_read=999)
        recorder._write()
        recorder.log("said by the stale attempt")
        recorder.update(rows_read=1000)
        raise AssertionError("the stale attempt went on")

    assert carry_out(ETLRun, stale, work, nothing) == DONE
    assert (now_of(run).status, now_of(run).rows_read) == ("running", 0)
    assert "said by the stale attempt" not in lines_of(run)
    assert carry_out(ETLRun, newer, lambda recorder: {"rows_loaded": 5}, nothing) == DONE
    assert (now_of(run).status, now_of(run).rows_loaded) == ("completed", 5)


def test_a_stale_attempt_that_noticed_nothing_cannot_end_the_run(run: ETLRun) -> None:
    stale = claim(ETLRun, run.organization_id, run.id, nothing)
    assert stale is not None

    def overtaken(recorder: RunRecorder) -> dict[str, Any]:
        claim(ETLRun, run.organization_id, run.id, nothing)
        return {"rows_loaded": 7}

    assert carry_out(ETLRun, stale, overtaken, nothing) == DONE
    assert (now_of(run).status, now_of(run).rows_loaded, now_of(run).attempt) == ("running", 0, 2)


def test_a_finished_run_is_not_done_again(run: ETLRun) -> None:
    done: list[int] = []
    assert do(run, lambda recorder: done.append(1) or {}) == DONE  # type: ignore[func-returns-value]
    assert do(run, lambda recorder: done.append(2) or {}) == DONE  # type: ignore[func-returns-value]
    assert (done, now_of(run).attempt) == ([1], 1)


@pytest.mark.parametrize(
    ("work", "status", "code"),
    [
        (lambda recorder: {"rows_loaded": 3}, "completed", ""),
        (lambda recorder: {"status": ETLRun.Status.PARTIAL, "rows_rejected": 1}, "partial", ""),
        (raising(BadInput("The cursor is text.", advice="Choose a time.")), "failed", "bad_input"),
        (raising(Cancelled("stop")), "cancelled", "cancelled"),
        (raising(ZeroDivisionError("ours")), "failed", "unexpected"),
    ],
)
def test_every_way_to_end_is_written_with_its_time_and_what_follows_happens_once(
    run: ETLRun, work: Work, status: str, code: str
) -> None:
    followed: list[str] = []
    assert do(run, work, lambda ended: followed.append(ended.status)) == DONE
    ended = now_of(run)
    assert (ended.status, ended.error_code, followed) == (status, code, [status])
    assert ended.finished_at is not None
    assert not [stage for stage in ended.stages if stage["state"] == "running"]


def test_a_refusal_keeps_the_words_of_the_source_and_its_advice(run: ETLRun) -> None:
    do(run, raising(BadInput("There is no table\0 orders.", advice="Choose another.")))
    ended = now_of(run)
    assert (ended.error, ended.advice) == ("There is no table\N{REPLACEMENT CHARACTER} orders.", "Choose another.")
    assert [stage["detail"] for stage in ended.stages if stage["state"] == "failed"] == [ended.error]
    assert lines_of(run) == [f"{ended.error} Choose another."]


def test_an_unexpected_fault_says_nothing_of_the_inside(run: ETLRun) -> None:
    do(run, raising(RuntimeError("secret internals")))
    ended = now_of(run)
    assert "internals" not in f"{ended.error} {ended.advice} {ended.stages} {lines_of(run)}"
    assert ended.advice


LOST = ConnectionLost("The connection broke.", advice="Look at the network.")


def policy(monkeypatch: pytest.MonkeyPatch, waits: str) -> None:
    monkeypatch.setenv("B2B_RECS_RETRY_WAITS", waits)


def outcomes(run: ETLRun) -> list[str]:
    return [attempt["outcome"] for attempt in now_of(run).attempts]


def test_a_passing_cause_is_tried_again_and_the_next_attempt_completes(run: ETLRun) -> None:
    before = datetime.now(UTC)
    assert do(run, raising(LOST)) == TRY_AGAIN
    between = now_of(run)
    assert (between.status, between.error, between.finished_at) == ("pending", "The connection broke.", None)
    assert between.next_attempt_at is not None
    assert 24 <= (between.next_attempt_at - before).total_seconds() <= 37
    assert between.attempts[0]["error"] == "The connection broke."
    assert do(run, lambda recorder: {"rows_loaded": 4}) == DONE
    ended = now_of(run)
    assert (ended.status, ended.error, ended.advice, ended.attempt) == ("completed", "", "", 2)
    assert ended.next_attempt_at is None
    assert outcomes(run) == ["failed", "completed"]
    assert any("trying again in" in line for line in lines_of(run))


def test_waits_grow_by_the_policy_and_the_end_says_how_often_how_long_and_what_comes_next(
    run: ETLRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy(monkeypatch, "30,120,600")
    with scope(run.organization_id):
        spec = ScheduleSpec.parse({"kind": "daily", "time": "02:00", "time_zone": "Europe/London"})
        set_schedule(run.organization_id, "etl", run.data_source_id, spec, True, datetime(2030, 1, 9, 12, tzinfo=UTC))
    waits = []
    for _ in range(3):
        before = datetime.now(UTC)
        assert do(run, raising(LOST)) == TRY_AGAIN
        again = now_of(run).next_attempt_at
        assert again is not None
        waits.append((again - before).total_seconds())
    assert [24 <= waits[0] <= 37, 96 <= waits[1] <= 145, 480 <= waits[2] <= 721] == [True] * 3
    with scope(run.organization_id):
        ETLRun.objects.update(started_at=datetime.now(UTC) - timedelta(minutes=13))
    followed: list[str] = []
    assert do(run, raising(LOST), lambda ended: followed.append(ended.status)) == DONE
    ended = now_of(run)
    assert (ended.status, ended.error_code, ended.error) == ("failed", "connection_lost", "The connection broke.")
    said = "Given up after 4 attempts over 13 minutes. The next scheduled run is at 02:00 on 10 January, Europe/London."
    assert ended.advice == f"Look at the network. {said}"
    assert lines_of(run)[-1] == said
    assert (outcomes(run), followed) == (["failed"] * 4, ["failed"])


def test_a_permanent_cause_is_not_tried_again(run: ETLRun) -> None:
    assert do(run, raising(BadInput("The cursor is text."))) == DONE
    assert (now_of(run).status, outcomes(run)) == ("failed", ["failed"])


def test_a_shutdown_is_no_try(run: ETLRun, monkeypatch: pytest.MonkeyPatch) -> None:
    policy(monkeypatch, "0")
    for _ in range(5):
        attempt = claim(ETLRun, run.organization_id, run.id, nothing)
        assert attempt is not None
        interrupt(ETLRun, run.organization_id, run.id, attempt.number)
        assert fail_from_outside(ETLRun, run.organization_id, run.id, "", nothing) is not None
    assert do(run, raising(LOST)) == TRY_AGAIN
    assert outcomes(run) == ["interrupted"] * 5 + ["failed"]
    assert do(run, raising(LOST)) == DONE
    assert "Given up after 2 attempts" in now_of(run).advice


def test_a_killed_process_is_a_try_and_the_last_one_ends_the_run(run: ETLRun, monkeypatch: pytest.MonkeyPatch) -> None:
    policy(monkeypatch, "0")
    followed: list[str] = []

    def killed() -> datetime | None:
        claim(ETLRun, run.organization_id, run.id, nothing)
        return fail_from_outside(
            ETLRun, run.organization_id, run.id, "It was killed.", lambda ended: followed.append(ended.status)
        )

    assert killed() is not None
    assert now_of(run).status == "pending"
    assert killed() is None
    ended = now_of(run)
    assert (ended.status, ended.error_code, ended.error, followed) == ("failed", "died", "It was killed.", ["failed"])
    assert "Given up after 2 attempts" in ended.advice
    assert fail_from_outside(ETLRun, run.organization_id, run.id, "again", nothing) is None


def come_to_nothing(run: ETLRun, message: str = "", after: Callable[[Run], None] = nothing) -> float | None:
    """Seconds until the next start of a run whose process was started when its time had come, and never took it."""
    with scope(run.organization_id):
        due = datetime.now(UTC) - timedelta(minutes=1)
        ETLRun.objects.filter(next_attempt_at__isnull=False).update(next_attempt_at=due)
    before = datetime.now(UTC)
    at = fail_from_outside(ETLRun, run.organization_id, run.id, message, after)
    return None if at is None else (at - before).total_seconds()


def test_a_run_whose_process_never_takes_it_waits_longer_each_time_and_is_given_up_with_a_reason(run: ETLRun) -> None:
    followed: list[str] = []
    waits = [come_to_nothing(run, after=lambda ended: followed.append(ended.status)) for _ in range(5)]
    assert waits.pop() is None
    asked = [5, 30, 120, 600]
    assert [0.79 * most <= wait <= 1.21 * most + 1 for wait, most in zip(waits, asked, strict=True)] == [True] * 4
    ended = now_of(run)
    assert (ended.status, ended.error_code, followed) == ("failed", "handed_back", ["failed"])
    assert ended.error == "The process of this run ended before it could do its work."
    assert "The worker's log says why" in ended.advice and "Given up after 5 attempts" in ended.advice
    assert outcomes(run) == ["handed_back"] * 5
    assert [line for line in lines_of(run) if "trying again in" in line] == lines_of(run)[:4]


def test_a_run_given_back_once_goes_on_and_a_later_failure_has_all_its_tries(
    run: ETLRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy(monkeypatch, "0")
    assert come_to_nothing(run) is not None
    assert now_of(run).status == "pending"
    assert do(run, raising(LOST)) == TRY_AGAIN
    assert do(run, lambda recorder: {}) == DONE
    assert (now_of(run).status, outcomes(run)) == ("completed", ["handed_back", "failed", "completed"])


def test_a_process_killed_before_it_took_the_run_is_a_try(run: ETLRun, monkeypatch: pytest.MonkeyPatch) -> None:
    policy(monkeypatch, "30")
    assert come_to_nothing(run, "It was killed.") is not None
    assert come_to_nothing(run, "It was killed.") is None
    assert "Given up after 2 attempts" in now_of(run).advice


def test_an_answer_that_did_not_arrive_counts_no_try_twice(run: ETLRun) -> None:
    attempt = claim(ETLRun, run.organization_id, run.id, nothing)
    assert attempt is not None
    ending = {"status": "failed", "error_code": "connection_lost", "error": "x", "advice": "", "transient": True}
    first = end_attempt(ETLRun, attempt, ending, nothing)
    assert first is not None
    assert end_attempt(ETLRun, attempt, ending, nothing) == first
    assert outcomes(run) == ["failed"]


@pytest.mark.parametrize("waits", ["soon", "10,-1", "100000", "1.5"])
def test_a_policy_that_cannot_be_read_names_its_variable(monkeypatch: pytest.MonkeyPatch, waits: str) -> None:
    policy(monkeypatch, waits)
    with pytest.raises(SettingRefused, match="B2B_RECS_RETRY_WAITS"):
        RetryPolicy.from_environment()


def test_a_run_that_dies_again_and_again_is_given_up(run: ETLRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "MOST_DEATHS", 2)
    followed: list[str] = []
    for _ in range(2):
        assert claim(ETLRun, run.organization_id, run.id, nothing) is not None
    assert claim(ETLRun, run.organization_id, run.id, lambda ended: followed.append(ended.status)) is None
    assert (now_of(run).status, now_of(run).error_code, followed) == ("failed", "died", ["failed"])
    assert outcomes(run) == ["lost", "lost"]


def test_a_run_cancelled_before_its_attempt_is_not_begun(run: ETLRun) -> None:
    with scope(run.organization_id):
        ETLRun.objects.update(cancel_requested=True)
    assert do(run, raising(AssertionError("began"))) == DONE
    assert (now_of(run).status, now_of(run).attempt) == ("cancelled", 0)


def test_an_end_from_outside_marks_what_was_under_way_and_never_changes_a_finished_run(run: ETLRun) -> None:
    attempt = claim(ETLRun, run.organization_id, run.id, nothing)
    assert attempt is not None
    with RunRecorder(ETLRun, run.organization_id, run.id, 1, attempt.stages) as recorder:
        recorder.stage("read", "running")
    end_from_outside(ETLRun, run.organization_id, run.id, "failed", "The process was ended.", nothing)
    ended = now_of(run)
    assert (ended.status, ended.error_code, ended.error) == ("failed", "died", "The process was ended.")
    assert {stage["name"]: stage["state"] for stage in ended.stages}["read"] == "failed"
    followed: list[str] = []
    end_from_outside(ETLRun, run.organization_id, run.id, "cancelled", "later", lambda run: followed.append("x"))
    again = now_of(run)
    assert (again.status, again.error, again.finished_at, followed) == ("failed", ended.error, ended.finished_at, [])


def test_a_run_of_another_organization_is_never_touched(run: ETLRun) -> None:
    rival = make_shop("Rival")
    assert perform(ETLRun, rival.id, run.id, raising(AssertionError("began")), nothing) == DONE
    end_from_outside(ETLRun, rival.id, run.id, "failed", "x", nothing)
    assert now_of(run).status == "pending"


def test_an_absent_database_hands_the_run_back_instead_of_failing_it(
    run: ETLRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert do(run, raising(OperationalError("the server closed the connection"))) == TRY_AGAIN
    assert (now_of(run).status, now_of(run).error) == ("running", "")
    monkeypatch.setattr(outage, "WAIT_SECONDS", 0.0)
    monkeypatch.setattr(attempts, "claim", raising_always(OperationalError("away")))
    monkeypatch.setattr(attempts, "patiently", lambda call: outage.patiently(call, 0.0))
    assert do(run, lambda recorder: {}) == TRY_AGAIN


def raising_always(error: Exception) -> Callable[..., Any]:
    def fail(*args: Any) -> Any:
        raise error

    return fail


def test_the_end_of_a_run_is_written_once_the_database_is_back(run: ETLRun, platform_database: TestDatabase) -> None:
    def work(recorder: RunRecorder) -> dict[str, Any]:
        drop_connections(platform_database)
        return {"rows_loaded": 6}

    with without_pool():
        assert do(run, work) == DONE
    assert (now_of(run).status, now_of(run).rows_loaded) == ("completed", 6)


def drop_connections(database: TestDatabase) -> None:
    """What a restart of the server does to everybody."""
    with database.superuser() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_queueing_is_undone_with_its_transaction(shop: Shop) -> None:
    with pytest.raises(Fenced), scope(shop.id):
        start_run(shop.jobs[0])
        raise Fenced("undo")
    assert queued() == []
