"""Models (recommendation projects) and what runs by the clock."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from b2b_recs.web.accounts.models import User
from b2b_recs.web.tenancy.models import TenantModel, audited


@audited()
class ModelEndpoint(TenantModel):
    """One recommendation project: its connections, jobs, datasets, trained models and deployment."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        ACTIVE = "active", "Active"
        PAUSED = "paused", "Paused"
        ARCHIVED = "archived", "Archived"

    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    currency = models.CharField(max_length=3, default="EUR")
    time_zone = models.CharField(max_length=64, default="UTC")
    region = models.CharField(max_length=64, blank=True)
    warehouse_dataset = models.CharField(max_length=128, blank=True)
    artifact_bucket = models.CharField(max_length=255, blank=True)
    endpoint_address = models.CharField(max_length=500, blank=True)
    endpoint_active = models.BooleanField(default=False)
    created_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)
    last_trained_at = models.DateTimeField(null=True, blank=True)
    last_deployed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                "organization", models.functions.Lower("name"), name="model_name_once_in_its_organization"
            )
        ]

    def __str__(self) -> str:
        return self.name


@audited(leave_out=("next_at", "last_fired_at"))
class Schedule(TenantModel):
    """When a job or a pipeline runs by itself; times are kept in UTC, the rule in its own time zone."""

    class Target(models.TextChoices):
        ETL = "etl", "ETL job"
        PIPELINE = "pipeline", "Pipeline"

    class Kind(models.TextChoices):
        MANUAL = "manual", "By hand"
        MINUTES = "minutes", "Every few minutes"
        HOURLY = "hourly", "Hourly"
        DAILY = "daily", "Daily"
        WEEKLY = "weekly", "Weekly"
        MONTHLY = "monthly", "Monthly"
        CRON = "cron", "Cron"

    target_kind = models.CharField(max_length=10, choices=Target.choices)
    target_id = models.BigIntegerField(help_text="Id of the job (DataSource) or of the model.")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.MANUAL)
    cron = models.CharField(max_length=100, blank=True)
    rule = models.JSONField(default=dict, blank=True, help_text="The fields of the kind; see ScheduleSpec.")
    time_zone = models.CharField(max_length=64, default="UTC")
    enabled = models.BooleanField(default=True)
    next_at = models.DateTimeField(null=True, blank=True)
    last_fired_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "target_kind", "target_id"], name="schedule_once_for_its_target"
            )
        ]
        indexes = [models.Index(fields=["next_at"], condition=models.Q(enabled=True), name="schedule_due")]

    def __str__(self) -> str:
        return f"{self.target_kind} {self.target_id}: {self.cron or self.kind}"


@audited(leave_out=("done_at",))
class Removal(TenantModel):
    """Something deleted whose files are to go too: noted with the deletion, kept as what it was, done by the worker.

    ``parts`` names them: ``folders`` of the warehouse, each with the ``identity`` of the table it must still hold,
    ``artifacts``, and the ``jobs`` whose staging goes.
    """

    class Kind(models.TextChoices):
        MODEL = "model", "Model"
        TABLE = "table", "Warehouse table"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    model_id = models.BigIntegerField(help_text="Id of the model, which may be gone.")
    name = models.CharField(max_length=450)
    parts = models.JSONField(default=dict)
    removed_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["id"], condition=models.Q(done_at=None), name="removal_to_do")]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"
