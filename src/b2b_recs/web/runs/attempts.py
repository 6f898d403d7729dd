"""Claiming a run and ending it: each attempt has a number, and only the newest one may write."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from b2b_recs.engine.errors import Cancelled, EngineError, Fenced
from b2b_recs.web.runs.documents import storable
from b2b_recs.web.runs.models import Run, RunLogLine
from b2b_recs.web.runs.outage import OUTAGES, patiently
from b2b_recs.web.runs.recorder import TRY_AGAIN, RunRecorder
from b2b_recs.web.tenancy import scope

MOST_ATTEMPTS = 20  # as many workers as the queue lets one job outlive
CANCELLED = "The run was cancelled."
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

    A run that died ``MOST_ATTEMPTS`` times is ended as failed instead of being tried for ever.
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
        if run.attempt >= MOST_ATTEMPTS:
            _close(
                run,
                status=Run.Status.FAILED,
                error_code="died",
                error=f"The run stopped {run.attempt} times without an answer.",
                advice="Look at the log and at the machine's free memory, then run again.",
            )
            after(run)
            return None
        run.attempt += 1
        run.status = Run.Status.RUNNING
        run.started_at = run.started_at or now
        run.heartbeat_at = now
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
            ending = storable(_ending_of(recorder, work))
    except Fenced:
        return DONE
    transient = ending.pop("transient", False) and attempt.number < MOST_ATTEMPTS
    patiently(lambda: _end_attempt(run_type, attempt, ending, transient, after))
    return TRY_AGAIN if transient else DONE


def _ending_of(recorder: RunRecorder, work: Callable[[RunRecorder], dict[str, Any]]) -> dict[str, Any]:
    """The fields that say how the work ended. Raises Fenced, and what the database raises when it is away."""
    try:
        return {"status": Run.Status.COMPLETED, **work(recorder)}
    except Cancelled:
        recorder.fail_open_stages("cancelled")
        return {"status": Run.Status.CANCELLED, "error_code": Cancelled.code, "error": CANCELLED}
    except (Fenced, *OUTAGES):
        raise
    except EngineError as error:
        recorder.log(str(error), "error")
        recorder.fail_open_stages(error.message)
        if error.transient:
            recorder.log("The cause may pass; trying again shortly.", "warning")
        return _refusal(error)
    except Exception:  # a fault of ours: the run must still end, and the trace belongs in the worker's log
        log.exception("run %s of %s failed", recorder.run_id, recorder.run_type.__name__)
        recorder.fail_open_stages("stopped by a fault")
        return dict(UNEXPECTED)


def _end_attempt(
    run_type: type[Run], attempt: Attempt, ending: dict[str, Any], transient: bool, after: Callable[[Run], None]
) -> None:
    with scope(attempt.organization_id):
        run = run_type.objects.select_for_update().filter(id=attempt.run_id, attempt=attempt.number).first()
        if run is None or run.is_over:
            return
        if transient:  # kept in case there is no next attempt, so that the run can say why
            for name in ("error_code", "error", "advice"):
                setattr(run, name, ending[name])
            run.save(update_fields=["error_code", "error", "advice"])
            return
        _close(run, **ending)
        after(run)


UNEXPECTED = {
    "status": Run.Status.FAILED,
    "error_code": "unexpected",
    "error": "The run stopped at a fault of the platform. Nothing half-done was kept.",
    "advice": "Run it again. When it stops again, the operator finds the cause in the worker's log.",
}


def _refusal(error: EngineError) -> dict[str, Any]:
    return {
        "status": Run.Status.FAILED,
        "error_code": error.code,
        "error": error.message,
        "advice": error.advice,
        "transient": error.transient,
    }


def _waiting_again(stage: dict[str, Any]) -> dict[str, Any]:
    """The stage as a new attempt finds it: what was under way begins anew, with its own clock."""
    if stage.get("state") not in ("running", "failed"):
        return stage
    return {"name": stage["name"], "state": "waiting", "detail": ""}


def _close(run: Run, **fields: Any) -> None:
    now = datetime.now(UTC)
    run.finished_at = now
    for name, value in fields.items():
        setattr(run, name, value)
    for stage in run.stages:
        if stage.get("state") == "running":  # a process that was killed could not say so itself
            stage |= {"state": "failed", "finished_at": now.isoformat()}
    run.save()


def _say(run: Run, message: str) -> None:
    RunLogLine.objects.create(
        organization_id=run.organization_id, run_kind=run.KIND, run_id=run.id, at=datetime.now(UTC), message=message
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
