"""Where what a run of a job failed of is set: the step of its wizard, or its connection."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from b2b_recs.engine.errors import (
    AddressForbidden,
    AuthenticationRefused,
    BadInput,
    ColumnMissing,
    ConnectionRefused,
    DatabaseMissing,
    HostUnknown,
    JobChanged,
    SchemaDrift,
    TooManyRejected,
    TypeHeld,
)

USUAL_STEP = 3
_STEPS = {ColumnMissing.code: 3, SchemaDrift.code: 3, TypeHeld.code: 4, TooManyRejected.code: 4}
_WORDS = {3: "Change it in step 3: rows and columns", 4: "Change it in step 4: warehouse table"}
_OF_CONNECTION = {
    one.code for one in (AddressForbidden, AuthenticationRefused, ConnectionRefused, DatabaseMissing, HostUnknown)
}


def mend_step(run: Any) -> int:
    """The step that asks for what a failed run was refused for; 0 where none does."""
    if run.status != "failed":
        return 0
    if run.error_code == BadInput.code:
        # What says which rows are new is chosen in step 3, types and how rows are arranged in step 4.
        told = f"{run.error} {run.advice}".lower()
        return 3 if "cursor" in told or "backfill" in told else 4
    if run.error_code == JobChanged.code:
        # The key is chosen in step 3, names and formats in step 4, and the time zone is the model's.
        return 0 if "its time zone" in run.error else 3 if "its key" in run.error else 4
    return _STEPS.get(run.error_code, 0)


def mending(run: Any, model_id: int) -> tuple[str, str]:
    """The words and the address of the link that leads there, both empty where a setting mends nothing.

    The run's ``data_source`` is loaded.
    """
    step = mend_step(run)
    if step:
        return _WORDS[step], reverse("job_step", args=[model_id, run.data_source_id, step])
    if run.status == "failed" and run.error_code in _OF_CONNECTION:
        return "Open the connection", reverse("connection_edit", args=[model_id, run.data_source.connection_id])
    return "", ""
