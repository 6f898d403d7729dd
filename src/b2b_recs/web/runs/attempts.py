"""Claiming a run and ending it: each attempt has a number, and only the newest one may write."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from b2b_recs.engine.counting import counted
from b2b_recs.engine.errors import Cancelled, Fenced
from b2b_recs.runtime.endings import CANCELLED, ending_of
from b2b_recs.web.runs.documents import storable
from b2b_recs.web.runs.models import Run, RunLogLine
from b2b_recs.web.runs.outage import OUTAGES, patiently
from b2b_recs.web.runs.recorder import TRY_AGAIN, RunRecorder
from b2b_recs.web.runs.retries import HANDED_BACK, given_up_words, next_attempt
from b2b_recs.web.tenancy import scope

MOST_DEATHS = 20  # as many workers as the queue lets one job outlive
# What became of an attempt, beside the states a run ends in.
UNDER_WAY, INTERRUPTED, LOST = "running", "interrupted", "lost"
SOON = timedelta(seconds=5)
JUST_NOW = timedelta(seconds=15)  # so long a process takes to end after it has written what became of its attempt
GIVEN_BACK = {
    "error_code": "handed_back",
    "error": "The process of this run ended before it could do its work.",
    "advice": "The worker's log says why; often the control database is away or takes no more connections.",
}
DIED_ADVICE = "What was committed before stays. Look at the machine's free memory."
log = logging.getLogger(__name__)
DONE = 0


@dataclass(frozen=True, slots=True)
class Attempt:
    """A claimed run: which one, and the number of this attempt."""

    organization_id: int
    run_id: int
    number: int
    stages: list[dict[str, Any]]


def perform(
    run_type: type[Run],
    organization_id: int,
    run_id: int,
    work: Callable[[RunRecorder], dict[str, Any]],
    after: Callable[[Run], None],
) -> int:
    """Take the next attempt at a run and carry it out; returns the exit code of the child process.

    While the database is away the work waits; when it stays away the run is handed back to the queue.
    """
    try:
        attempt = patiently(lambda: claim(run_type, organization_id, run_id, after))
        if attempt is None:
            return DONE
        return carry_out(run_type, attempt, work, after)
    except OUTAGES:
        log.exception("run %s of %s: the database went away", run_id, run_type.__name__)
        return TRY_AGAIN


def claim(run_type: type[Run], organization_id: int, run_id: int, after: Callable[[Run], None]) -> Attempt | None:
    """The next attempt at a run, or None when there is nothing left to do (``after`` is then called if it ended here).

    A run whose process died ``MOST_DEATHS`` times without a word is ended as failed instead of being tried for ever.
    """
    now = datetime.now(UTC)
    with scope(organization_id):
        run = run_type.objects.select_for_update().filter(id=run_id).first()
        if run is None or run.is_over:
            return None
        if run.cancel_requested:
            _close(run, status=Run.Status.CANCELLED, error_code=Cancelled.code, error=CANCELLED)
            after(run)
            return None
        _conclude(run, LOST, now)
        deaths = sum(attempt["outcome"] == LOST for attempt in run.attempts)
        if deaths >= MOST_DEATHS:
            _close(
                run,
                status=Run.Status.FAILED,
                error_code="died",
                error=f"The run stopped {deaths} times without an answer.",
                advice="Look at the log and at the machine's free memory, then run again.",
            )
            after(run)
            return None
        run.attempt += 1
        run.attempts.append({"number": run.attempt, "started_at": now.isoformat(), "outcome": UNDER_WAY})
        run.status = Run.Status.RUNNING
        run.started_at = run.started_at or now
        run.heartbeat_at, run.next_attempt_at = now, None
        run.error_code = run.error = run.advice = ""  # what made the attempt before this one stop
        if run.attempt > 1:
            run.stages = [_waiting_again(stage) for stage in run.stages]
        run.save()
        if run.attempt > 1:
            _say(run, f"Attempt {run.attempt}: going on where the last one stopped.")
        return Attempt(organization_id, run_id, run.attempt, run.stages)


def carry_out(
    run_type: type[Run],
    attempt: Attempt,
    work: Callable[[RunRecorder], dict[str, Any]],
    after: Callable[[Run], None],
) -> int:
    """Do the work of one attempt and write how it ended; returns the exit code of the child process.

    ``work`` returns the fields to set on the finished row; ``after`` runs in the transaction that ends the run.
    """
    recorder = RunRecorder(run_type, attempt.organization_id, attempt.run_id, attempt.number, attempt.stages)
    try:
        with recorder:
            ending = ending_of(recorder, lambda: work(recorder), OUTAGES)
    except Fenced:
        return DONE
    again = patiently(lambda: end_attempt(run_type, attempt, ending, after))
    return TRY_AGAIN if again else DONE


def end_attempt(
    run_type: type[Run], attempt: Attempt, ending: dict[str, Any], after: Callable[[Run], None]
) -> datetime | None:
    """Write how an attempt ended; returns when the run is tried again, None when that was the end of it.

    An attempt that is not the newest, or whose run has ended, changes nothing.
    """
    now = datetime.now(UTC)
    fields = storable(ending)
    transient = fields.pop("transient", False)
    with scope(attempt.organization_id):
        run = run_type.objects.select_for_update().filter(id=attempt.run_id, attempt=attempt.number).first()
        if run is None or run.is_over:
            return None
        if run.next_attempt_at is not None:  # written already, when the answer did not arrive
            return run.next_attempt_at
        if not transient:
            _conclude(run, str(fields["status"]), now, fields)
            _close(run, **fields)
            after(run)
            return None
        again = _fail(run, now, fields)
        if again is None:
            after(run)
        return again


def fail_from_outside(
    run_type: type[Run], organization_id: int, run_id: int, message: str, after: Callable[[Run], None]
) -> datetime | None:
    """When a run is tried again whose process ended without writing why; None when it has ended.

    ``message`` says what became of the process; empty when it handed the run back itself. One that was interrupted
    goes on soon, and that is no try; one whose process could not do its work is given up like any other in the end.
    """
    now = datetime.now(UTC)
    with scope(organization_id):
        run = run_type.objects.select_for_update().filter(id=run_id).first()
        if run is None or run.is_over:
            return None
        # a moment longer ago was that of another process: this one did not get as far as taking the run
        if run.next_attempt_at is not None and now - run.next_attempt_at < JUST_NOW:
            return run.next_attempt_at
        if not message and _was_just_interrupted(run, now):
            return now + SOON
        if not run.attempts or run.attempts[-1]["outcome"] != UNDER_WAY:
            run.attempt += 1
            run.attempts.append({"number": run.attempt, "started_at": now.isoformat(), "outcome": UNDER_WAY})
        if message:
            again = _fail(run, now, {"error_code": "died", "error": message, "advice": DIED_ADVICE})
        else:
            again = _fail(run, now, GIVEN_BACK, HANDED_BACK)
        if again is None:
            after(run)
        return again


def _was_just_interrupted(run: Run, now: datetime) -> bool:
    last = run.attempts[-1] if run.attempts else {}
    return last.get("outcome") == INTERRUPTED and now - datetime.fromisoformat(last["finished_at"]) < JUST_NOW


def interrupt(run_type: type[Run], organization_id: int, run_id: int, number: int) -> None:
    """Note that the process of this attempt ends because it was told to; that is not a try."""
    with scope(organization_id):
        run = run_type.objects.select_for_update().filter(id=run_id, attempt=number).first()
        if run is not None and not run.is_over:
            _conclude(run, INTERRUPTED, datetime.now(UTC))
            run.save(update_fields=["attempts"])


def _fail(run: Run, now: datetime, fields: dict[str, Any], outcome: str = "failed") -> datetime | None:
    """Note a try that came to nothing: the run waits for the next one, or is given up and closed."""
    _conclude(run, outcome, now, fields)
    again = next_attempt(run, now)
    if again is None:
        words = given_up_words(run, now)
        _say(run, words, "error")
        advice = f"{fields.get('advice', '')} {words}".strip()
        _close(run, **{**fields, "status": Run.Status.FAILED, "advice": advice})
        return None
    run.attempts[-1]["again_at"] = again.isoformat()
    run.status, run.next_attempt_at = Run.Status.PENDING, again
    for name in ("error_code", "error", "advice"):  # kept in case there is no next attempt, so that the run can say why
        setattr(run, name, fields.get(name, ""))
    for stage in run.stages:
        if stage.get("state") == "running":
            stage |= {"state": "failed", "finished_at": now.isoformat()}
    run.save()
    seconds = (again - now).total_seconds()
    _say(run, f"{fields['error']} The cause may pass; trying again in {counted(round(seconds), 'second')}.", "warning")
    return again


def _conclude(run: Run, outcome: str, now: datetime, fields: dict[str, Any] | None = None) -> None:
    """Say of the attempt under way what became of it; nothing when none is."""
    last = run.attempts[-1] if run.attempts else None
    if last is not None and last["outcome"] == UNDER_WAY:
        last |= {"outcome": outcome, "finished_at": now.isoformat()}
        last |= {name: fields[name] for name in ("error_code", "error") if fields and fields.get(name)}


def _waiting_again(stage: dict[str, Any]) -> dict[str, Any]:
    """The stage as a new attempt finds it: what was under way begins anew, with its own clock."""
    if stage.get("state") not in ("running", "failed"):
        return stage
    return {"name": stage["name"], "state": "waiting", "detail": ""}


def _close(run: Run, **fields: Any) -> None:
    now = datetime.now(UTC)
    run.finished_at, run.next_attempt_at = now, None
    _conclude(run, str(fields["status"]), now, fields)
    for name, value in fields.items():
        setattr(run, name, value)
    for stage in run.stages:
        if stage.get("state") == "running":  # a process that was killed could not say so itself
            stage |= {"state": "failed", "finished_at": now.isoformat()}
    run.save()


def _say(run: Run, message: str, level: str = "info") -> None:
    RunLogLine.objects.create(
        organization_id=run.organization_id,
        run_kind=run.KIND,
        run_id=run.id,
        at=datetime.now(UTC),
        level=level,
        message=message,
    )


def end_from_outside(
    run_type: type[Run], organization_id: int, run_id: int, outcome: str, message: str, after: Callable[[Run], None]
) -> None:
    """End a run whose own process cannot: ``outcome`` is failed or cancelled. A run that has ended stays as it is.

    A run whose last attempt said why it stopped keeps that reason and its advice; ``message`` goes to its log.
    """
    with scope(organization_id):
        run = run_type.objects.select_for_update().filter(id=run_id).first()
        if run is None or run.is_over:
            return
        if outcome == "cancelled":
            _close(run, status=Run.Status.CANCELLED, error_code=Cancelled.code, error=message, advice="")
        elif run.error:
            _say(run, message)
            _close(run, status=Run.Status.FAILED)
        else:
            advice = "Run it again; what was committed before stays."
            _close(run, status=Run.Status.FAILED, error_code="died", error=message, advice=advice)
        after(run)
