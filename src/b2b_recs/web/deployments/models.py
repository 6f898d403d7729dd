"""What answers recommendation requests, and what answered before."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from b2b_recs.web.accounts.models import User
from b2b_recs.web.experiments.models import TrainedModel
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.tenancy.fields import TenantForeignKey
from b2b_recs.web.tenancy.models import TenantModel, audited


@audited(leave_out=("health_state", "last_check_at"))
class Deployment(TenantModel):
    """One serving of one trained model; at most one of a model is active."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        RETIRED = "retired", "Retired"
        FAILED = "failed", "Failed"

    model = TenantForeignKey(ModelEndpoint, on_delete=models.CASCADE, related_name="deployments")
    trained_model = TenantForeignKey(TrainedModel, on_delete=models.PROTECT, related_name="deployments")
    artifact_id = models.CharField(max_length=128)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    environment = models.CharField(max_length=40, default="local")
    service = models.CharField(max_length=200, blank=True)
    revision = models.CharField(max_length=200, blank=True)
    address = models.CharField(max_length=500, blank=True)
    traffic_share = models.FloatField(default=1.0)
    health_address = models.CharField(max_length=500, blank=True)
    health_state = models.CharField(max_length=40, blank=True)
    last_check_at = models.DateTimeField(null=True, blank=True)
    gate = models.JSONField(default=dict)
    notes = models.TextField(blank=True)
    deployed_at = models.DateTimeField(default=timezone.now)
    deployed_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    deactivated_at = models.DateTimeField(null=True, blank=True)
    # the earlier deployment that a roll back brought back; None for a version put into service
    restores = TenantForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["model"], condition=models.Q(status="active"), name="one_active_deployment_of_a_model"
            )
        ]

    def __str__(self) -> str:
        return f"deployment {self.id} {self.status}"

    @property
    def stopped(self) -> bool:
        """Whether it answers nothing until somebody starts it again."""
        return self.traffic_share <= 0
