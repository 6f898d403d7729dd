"""Training attempts and the versions registered from them."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from b2b_recs.web.accounts.models import User
from b2b_recs.web.datasets.models import DatasetVersion
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.tenancy.fields import TenantForeignKey
from b2b_recs.web.tenancy.models import TenantModel, audited
from b2b_recs.web.training.models import PipelineRun


@audited()
class Experiment(TenantModel):
    """One training attempt of one algorithm, with everything measured."""

    pipeline_run = TenantForeignKey(PipelineRun, on_delete=models.CASCADE, related_name="experiments")
    algorithm = models.CharField(max_length=60)
    parameters = models.JSONField(default=dict)
    metrics = models.JSONField(default=dict)
    tags = models.JSONField(default=list, blank=True)
    seconds = models.FloatField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.algorithm} in run {self.pipeline_run_id}"


@audited()
class TrainedModel(TenantModel):
    """A registered, immutable model version."""

    class Status(models.TextChoices):
        CANDIDATE = "candidate", "Candidate"
        BLESSED = "blessed", "Blessed"
        DEPLOYED = "deployed", "Deployed"
        RETIRED = "retired", "Retired"

    model = TenantForeignKey(ModelEndpoint, on_delete=models.CASCADE, related_name="trained_models")
    number = models.PositiveIntegerField()
    algorithm = models.CharField(max_length=60)
    parameters = models.JSONField(default=dict)
    artifact_id = models.CharField(max_length=128)
    dataset_version = TenantForeignKey(
        DatasetVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="trained_models"
    )
    pipeline_run = TenantForeignKey(
        PipelineRun, null=True, blank=True, on_delete=models.SET_NULL, related_name="trained_models"
    )
    metrics = models.JSONField(default=dict)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.CANDIDATE)
    seconds = models.FloatField(null=True, blank=True)
    trained_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["model", "number"], name="trained_model_number_once")]

    def __str__(self) -> str:
        return f"v{self.number} ({self.algorithm})"
