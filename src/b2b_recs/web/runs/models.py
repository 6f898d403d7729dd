"""What ETL runs and pipeline runs have in common, and the lines of their logs."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from b2b_recs.web.accounts.models import User
from b2b_recs.web.tenancy.models import TenantModel, audited

# What the audit keeps of a run: that it began, who asked it to stop, how it ended; not every half second of progress.
AUDITED = ("id", "organization", "status", "attempt", "cancel_requested", "triggered_by", "started_by", "error_code")


class RunStatus(models.TextChoices):
    """Where a run is."""

    PENDING = "pending", "Pending"
    RUNNING = "running", "Running"
    COMPLETED = "completed", "Completed"
    PARTIAL = "partial", "Partial"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class Run(TenantModel):
    """One execution of something: state, stages, counters and how it ended."""

    KIND: ClassVar[str] = ""
    Status = RunStatus
    ACTIVE: ClassVar[tuple[RunStatus, ...]] = (RunStatus.PENDING, RunStatus.RUNNING)

    class Trigger(models.TextChoices):
        MANUAL = "manual", "By hand"
        SCHEDULE = "schedule", "Schedule"
        API = "api", "API"
        COMMAND = "command", "Command line"
        PIPELINE = "pipeline", "Pipeline"

    status = models.CharField(max_length=10, choices=RunStatus.choices, default=RunStatus.PENDING)
    attempt = models.PositiveIntegerField(default=0)
    attempts = models.JSONField(default=list, blank=True)  # what became of each; see attempts.py
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    stages = models.JSONField(default=list)
    fraction = models.FloatField(null=True, blank=True)
    rows_read = models.BigIntegerField(default=0)
    rows_loaded = models.BigIntegerField(default=0)
    rows_rejected = models.BigIntegerField(default=0)
    rows_expected = models.BigIntegerField(null=True, blank=True)
    bytes = models.BigIntegerField(default=0)
    results = models.JSONField(default=dict, blank=True)
    error_code = models.CharField(max_length=60, blank=True)
    error = models.TextField(blank=True)
    advice = models.TextField(blank=True)
    cancel_requested = models.BooleanField(default=False)
    triggered_by = models.CharField(max_length=10, choices=Trigger.choices, default=Trigger.MANUAL)
    started_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True
        ordering = ["-id"]

    @property
    def is_over(self) -> bool:
        """Whether the run has ended, however."""
        return self.status not in self.ACTIVE

    @property
    def schedule_target(self) -> int:
        """What its schedule would name: the job or the model."""
        target: int = self.id
        return target

    @property
    def seconds(self) -> float | None:
        """How long it ran or has been running, None before it started."""
        if self.started_at is None:
            return None
        return ((self.finished_at or timezone.now()) - self.started_at).total_seconds()


@audited(created=False)
class RunLogLine(TenantModel):
    """One line of a run's log."""

    class Level(models.TextChoices):
        DEBUG = "debug", "Debug"
        INFO = "info", "Info"
        WARNING = "warning", "Warning"
        ERROR = "error", "Error"

    run_kind = models.CharField(max_length=10)
    run_id = models.BigIntegerField()
    at = models.DateTimeField(default=timezone.now)
    level = models.CharField(max_length=10, choices=Level.choices, default=Level.INFO)
    message = models.TextField()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["organization", "run_kind", "run_id", "id"], name="run_log_of_a_run")]

    def __str__(self) -> str:
        return self.message
