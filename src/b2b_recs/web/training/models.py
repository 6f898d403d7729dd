"""The pipeline of a model and its runs."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.runs.models import AUDITED, Run
from b2b_recs.web.tenancy.fields import TenantForeignKey, TenantOneToOneField
from b2b_recs.web.tenancy.models import TenantModel, audited


@audited()
class PipelineConfiguration(TenantModel):
    """How a model is trained and when the result goes into service; ``spec`` says which dataset and how."""

    model = TenantOneToOneField(ModelEndpoint, on_delete=models.CASCADE, related_name="pipeline")
    spec = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"pipeline of model {self.model_id}"


@audited(only=(*AUDITED, "model"))
class PipelineRun(Run):
    """One execution of copy, dataset, train, evaluate, register, deploy."""

    KIND: ClassVar[str] = "pipeline"

    model = TenantForeignKey(ModelEndpoint, on_delete=models.CASCADE, related_name="pipeline_runs")

    class Meta(Run.Meta):
        indexes = [
            models.Index(fields=["organization", "-created_at"], name="pipeline_run_recent"),
            models.Index(fields=["model", "-id"], name="pipeline_run_of_a_model"),
        ]

    def __str__(self) -> str:
        return f"pipeline run {self.id} {self.status}"

    @property
    def schedule_target(self) -> int:
        """The model."""
        return int(self.model_id)
