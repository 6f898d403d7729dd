"""One copy from its task to its end, the same wherever it runs: beside the platform or on another machine."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, SecretStr

from b2b_recs.engine.errors import SourceRefused
from b2b_recs.engine.etl.copy import copy_table
from b2b_recs.engine.etl.place import placed
from b2b_recs.engine.etl.spec import CopyResult, CopySpec
from b2b_recs.engine.progress import Progress
from b2b_recs.engine.sources.contract import Dialer, Source
from b2b_recs.engine.sources.registry import open_source, source_type
from b2b_recs.engine.warehouse.local import LocalWarehouse

# Under which a run keeps, among its results, the table it fills.
FILLED = "filled"


class CopyTask(BaseModel):
    """All that a copy needs to know; ``secrets`` are those of its own connection and no others."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    run_id: int
    job_id: int
    organization_id: int
    model_id: int
    connection: str
    connection_id: int = 0
    source_type: str
    parameters: dict[str, Any]
    secrets: dict[str, SecretStr] = {}
    spec: CopySpec


class RunGate(Protocol):
    """The way back to whoever keeps the runs: the database itself, or the platform over HTTP."""

    def note_use(self, refusal: str = "") -> None:
        """Keep on the connection whether its source let us in just now; ``refusal`` is what it said when not."""


def run_copy(
    task: CopyTask,
    gate: RunGate,
    progress: Progress,
    dial: Dialer,
    warehouse: Path,
    staging: Path,
    clock: Callable[[], datetime],
) -> dict[str, Any]:
    """The fields a finished run keeps. ``warehouse`` is the folder of the model's tables, ``staging`` that of the job.

    Raises the classes of ``b2b_recs.engine.errors``.
    """
    progress.stage("connect", "running", f"Connecting to {task.connection}")
    with _opened(task, gate, dial) as source:
        progress.stage("connect", "running", f"Connected to {task.connection}")
        progress.log(f"Connected to {task.connection}.")
        declared = source_type(task.source_type)
        result = copy_table(
            declared,
            source,
            placed(declared, source, task.spec.through(str(task.connection_id))),
            LocalWarehouse(warehouse),
            staging,
            f"etl-run-{task.run_id}",
            progress,
            clock,
        )
    return ending(result, task.spec)


def _opened(task: CopyTask, gate: RunGate, dial: Dialer) -> Source:
    """The open source; whether it let us in is noted on the connection, as a test would."""
    try:
        source = open_source(task.source_type, {**task.parameters, **task.secrets}, dial)
    except SourceRefused as refusal:
        gate.note_use(str(refusal))
        raise
    gate.note_use()
    return source


def filled(spec: CopySpec) -> dict[str, str]:
    """The warehouse table of a copy, in its own words."""
    return {"destination_dataset": spec.destination_dataset, "destination_table": spec.destination_table}


def ending(result: CopyResult, spec: CopySpec) -> dict[str, Any]:
    """What a run keeps of the result of its copy, and the table it filled."""
    return {
        "status": "partial" if result.rows_rejected else "completed",
        "rows_read": result.rows_read,
        "rows_loaded": result.rows_loaded,
        "rows_rejected": result.rows_rejected,
        "bytes": result.bytes,
        "results": {**result.model_dump(mode="json"), FILLED: filled(spec)},
    }
