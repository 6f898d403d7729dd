"""How the work of an attempt ended, as the fields a run keeps of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from b2b_recs.engine.errors import Cancelled, EngineError, Fenced
from b2b_recs.runtime.recording import Recorder

CANCELLED = "The run was cancelled."
UNEXPECTED = {
    "status": "failed",
    "error_code": "unexpected",
    "error": "The run stopped at a fault of the platform. Nothing half-done was kept.",
    "advice": "Run it again. When it stops again, the operator finds the cause in the worker's log.",
}
log = logging.getLogger(__name__)


def ending_of(
    recorder: Recorder, work: Callable[[], dict[str, Any]], passed_on: tuple[type[Exception], ...] = ()
) -> dict[str, Any]:
    """The fields that say how the work ended; ``transient`` is among them when another try may do better.

    ``work`` returns the fields of a good end. Raises Fenced, and what ``passed_on`` lists.
    """
    try:
        return {"status": "completed", **work()}
    except Cancelled:
        recorder.fail_open_stages("cancelled")
        return {"status": "cancelled", "error_code": Cancelled.code, "error": CANCELLED}
    except (Fenced, *passed_on):
        raise
    except EngineError as error:
        recorder.log(str(error), "error")
        recorder.fail_open_stages(error.message)
        return {
            "status": "failed",
            "error_code": error.code,
            "error": error.message,
            "advice": error.advice,
            "transient": error.transient,
        }
    except Exception:  # a fault of ours: the run must still end, and the trace belongs in the worker's log
        log.exception("the work of a run failed")
        recorder.fail_open_stages("stopped by a fault")
        return dict(UNEXPECTED)
