"""What a runner elsewhere and the platform say to each other, as checked documents."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_serializer

from b2b_recs.engine.etl.runner import CopyTask

Count = Annotated[int, Field(ge=0, le=2**62)]
LONGEST_TEXT = 20_000
Text = Annotated[str, Field(max_length=LONGEST_TEXT)]
MOST_LINES = 1_000


def _in_utc(value: datetime) -> datetime:
    """The same moment in UTC, which is what one without a zone means. Raises ValueError beyond the calendar."""
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        raise ValueError("this moment is not within the years 1 to 9999") from None


Moment = Annotated[datetime, AfterValidator(_in_utc)]
# Where a runner finds the address of its run, and the token that opens it.
URL_VARIABLE, TOKEN_VARIABLE = "B2B_RECS_RUN_URL", "B2B_RECS_RUN_TOKEN"


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")


class GuardRules(_Document):
    """What the platform's outgoing guard keeps to, and the runner's with it."""

    enabled: bool
    allowed: list[str] = []
    own: list[tuple[str, int]] = []
    apart: bool = False


class Assignment(_Document):
    """A run handed to a runner: its task, the attempt, its stages so far, and which warehouse it belongs to."""

    attempt: int
    stages: list[dict[str, Any]]
    task: CopyTask
    guard: GuardRules
    warehouse: str

    @field_serializer("task")
    def _with_secrets(self, task: CopyTask) -> dict[str, Any]:
        """The one place where the secrets of a task are written out: for the runner that presents its token."""
        shown = {name: secret.get_secret_value() for name, secret in task.secrets.items()}
        return {**task.model_dump(mode="json", exclude={"secrets"}), "secrets": shown}


class StageReport(_Document):
    """One stage as a run keeps it."""

    name: Annotated[str, Field(max_length=40)]
    state: Literal["waiting", "running", "done", "failed", "skipped"]
    detail: Text = ""
    started_at: Moment | None = None
    finished_at: Moment | None = None
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None


class Counters(_Document):
    """Counters that changed; those left out stay as they are."""

    rows_read: Count | None = None
    rows_loaded: Count | None = None
    rows_rejected: Count | None = None
    rows_expected: Count | None = None
    bytes: Count | None = None
    fraction: Annotated[float, Field(ge=0, le=1)] | None = None


class LogLine(_Document):
    """One line of a run's log."""

    at: Moment
    level: Literal["debug", "info", "warning", "error"]
    message: Text


class ProgressReport(_Document):
    """What happened since the last report."""

    counters: Counters = Counters()
    stages: Annotated[list[StageReport], Field(max_length=20)]
    lines: Annotated[list[LogLine], Field(max_length=MOST_LINES)] = []


class ProgressAnswer(_Document):
    """Whether somebody asked to stop; ``token`` replaces the one in use before that expires."""

    cancel_requested: bool
    token: str | None = None


class UseReport(_Document):
    """Whether the source let the runner in; ``refusal`` is empty when it did."""

    refusal: Text = ""


class EndReport(_Document):
    """How the work ended; ``transient`` when another try may do better."""

    status: Literal["completed", "partial", "failed", "cancelled"]
    error_code: Annotated[str, Field(max_length=60)] = ""
    error: Text = ""
    advice: Text = ""
    transient: bool = False
    rows_read: Count | None = None
    rows_loaded: Count | None = None
    rows_rejected: Count | None = None
    bytes: Count | None = None
    results: dict[str, Any] | None = None


class EndAnswer(_Document):
    """Whether the run is tried again."""

    again: bool
