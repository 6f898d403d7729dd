"""Jobs that copy one source table to one warehouse table, and their runs."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from b2b_recs.web.connections.models import Connection
from b2b_recs.web.projects.models import ModelEndpoint, Schedule
from b2b_recs.web.runs.models import AUDITED, Run, RunStatus
from b2b_recs.web.tenancy.fields import TenantForeignKey, TenantOneToOneField
from b2b_recs.web.tenancy.models import TenantModel, audited


@audited(leave_out=("last_run_at", "last_run_status", "last_run_message"))
class ETLConfiguration(TenantModel):
    """A model's ETL settings: the default schedule of its jobs, and the last run."""

    model = TenantOneToOneField(ModelEndpoint, on_delete=models.CASCADE, related_name="etl")
    schedule_kind = models.CharField(max_length=10, choices=Schedule.Kind.choices, default=Schedule.Kind.MANUAL)
    schedule_time = models.TimeField(null=True, blank=True)
    schedule_weekday = models.PositiveSmallIntegerField(null=True, blank=True)
    schedule_day_of_month = models.PositiveSmallIntegerField(null=True, blank=True)
    cron = models.CharField(max_length=100, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    enabled = models.BooleanField(default=True)
    lookback_days = models.PositiveIntegerField(default=90)
    last_run_at = models.DateTimeField(null=True, blank=True)
    last_run_status = models.CharField(max_length=10, choices=RunStatus.choices, blank=True)
    last_run_message = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"ETL of model {self.model_id}"


@audited(leave_out=("wizard_step", "wizard_completed_steps"))
class DataSource(TenantModel):
    """A job: one source table copied to one warehouse table on its own schedule."""

    configuration = TenantForeignKey(ETLConfiguration, on_delete=models.CASCADE, related_name="jobs")
    connection = TenantForeignKey(Connection, on_delete=models.PROTECT, related_name="jobs")
    name = models.CharField(max_length=100)
    enabled = models.BooleanField(default=True)
    draft = models.BooleanField(default=False)
    wizard_step = models.PositiveSmallIntegerField(default=1)
    wizard_completed_steps = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint("configuration", Lower("name"), name="job_name_once_in_its_model")]

    def __str__(self) -> str:
        return self.name


@audited(leave_out=("last_row_count", "last_synced_at", "seen"))
class DataSourceTable(TenantModel):
    """The table-level part of a job; ``spec`` is the engine's CopySpec, of a draft what its wizard holds.

    ``seen`` is what the source said of the table when somebody last looked: columns, samples, the proposal.
    """

    data_source = TenantOneToOneField(DataSource, on_delete=models.CASCADE, related_name="table")
    spec = models.JSONField(default=dict)
    seen = models.JSONField(default=dict, blank=True)
    last_row_count = models.BigIntegerField(null=True, blank=True)
    last_synced_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.source} to {self.destination}"

    @property
    def source(self) -> str:
        """Schema and table read, "public.orders"."""
        parts = (self.spec.get("source_schema"), self.spec.get("source_table"))
        return ".".join(part for part in parts if part)

    @property
    def destination(self) -> str:
        """The warehouse table, without its dataset."""
        return str(self.spec.get("destination_table", ""))


@audited(only=(*AUDITED, "data_source"))
class ETLRun(Run):
    """One execution of one job; ``results`` is the engine's CopyResult."""

    KIND: ClassVar[str] = "etl"

    data_source = TenantForeignKey(DataSource, on_delete=models.CASCADE, related_name="runs")
    pipeline_run = TenantForeignKey(
        "training.PipelineRun", null=True, blank=True, on_delete=models.SET_NULL, related_name="etl_runs"
    )
    # times of the schedule that this run stands for beside its own: missed before it, or come while it was under way
    coalesced = models.PositiveIntegerField(default=0)

    class Meta(Run.Meta):
        indexes = [
            models.Index(fields=["organization", "-created_at"], name="etl_run_recent"),
            models.Index(fields=["data_source", "-id"], name="etl_run_of_a_job"),
        ]

    def __str__(self) -> str:
        return f"ETL run {self.id} {self.status}"

    @property
    def schedule_target(self) -> int:
        """The job."""
        return int(self.data_source_id)
