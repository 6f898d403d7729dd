"""Claiming a run and ending it: each attempt has a number, and only the newest one may write."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from b2b_recs.engine.errors import Cancelled, EngineError, Fenced
from b2b_recs.web.runs.models import Run, RunLogLine
from b2b_recs.web.runs.recorder import TRY_AGAIN, RunRecorder
from b2b_recs.web.tenancy import scope

MOST_ATTEMPTS = 5
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
            _close(run, status=Run.Status.CANCELLED, error=CANCELLED)
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
        run.save(update_fields=["attempt", "status", "started_at", "heartbeat_at"])
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
    ending: dict[str, Any]
    try:
        with recorder:
            try:
                ending = {"status": Run.Status.COMPLETED, **work(recorder)}
            except Cancelled:
                recorder.fail_open_stages("cancelled")
                ending = {"status": Run.Status.CANCELLED, "error": CANCELLED}
            except Fenced:
                raise
            except EngineError as error:
                recorder.log(str(error), "error")
                recorder.fail_open_stages(error.message)
                ending = _refusal(error)
                if error.transient and attempt.number < MOST_ATTEMPTS:
                    recorder.log("The cause may pass; trying again shortly.", "warning")
                    return TRY_AGAIN
            except Exception:  # a fault of ours: the run must still end, and the trace belongs in the worker's log
                log.exception("run %s of %s failed", attempt.run_id, run_type.__name__)
                recorder.fail_open_stages("stopped by a fault")
                ending = UNEXPECTED
    except Fenced:
        return DONE
    with scope(attempt.organization_id):
        run = run_type.objects.select_for_update().filter(id=attempt.run_id, attempt=attempt.number).first()
        if run is None or run.is_over:
            return DONE
        _close(run, **ending)
        after(run)
    return DONE


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
    }


def _close(run: Run, **fields: Any) -> None:
    run.finished_at = datetime.now(UTC)
    for name, value in fields.items():
        setattr(run, name, value)
    run.save()


def _say(run: Run, message: str) -> None:
    RunLogLine.objects.create(
        organization_id=run.organization_id, run_kind=run.KIND, run_id=run.id, at=datetime.now(UTC), message=message
    )


def end_from_outside(
    run_type: type[Run], organization_id: int, run_id: int, outcome: str, message: str, after: Callable[[Run], None]
) -> None:
    """End a run whose own process cannot: ``outcome`` is failed or cancelled. A run that has ended stays as it is."""
    with scope(organization_id):
        run = run_type.objects.select_for_update().filter(id=run_id).first()
        if run is None or run.is_over:
            return
        _close(
            run,
            status=Run.Status.CANCELLED if outcome == "cancelled" else Run.Status.FAILED,
            error_code=outcome if outcome == "cancelled" else "died",
            error=message,
            advice="" if outcome == "cancelled" else "Run it again; what was committed before stays.",
        )
        after(run)
