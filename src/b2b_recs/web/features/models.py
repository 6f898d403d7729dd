"""How columns become inputs of an algorithm."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.tenancy.fields import TenantForeignKey
from b2b_recs.web.tenancy.models import TenantModel, audited


@audited()
class FeatureConfig(TenantModel):
    """Columns assigned to the customer and the product side, with their transformations."""

    model = TenantForeignKey(ModelEndpoint, on_delete=models.CASCADE, related_name="feature_configs")
    name = models.CharField(max_length=100)
    spec = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["model", "name"], name="feature_config_name_once_in_its_model")]

    def __str__(self) -> str:
        return self.name
