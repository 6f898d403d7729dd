"""Definitions of training data and the versions built from them."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.tenancy.fields import TenantForeignKey
from b2b_recs.web.tenancy.models import TenantModel, audited


@audited()
class Dataset(TenantModel):
    """A query over warehouse tables with column roles and filters; ``spec`` is the engine's DatasetSpec."""

    model = TenantForeignKey(ModelEndpoint, on_delete=models.CASCADE, related_name="datasets")
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    spec = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["model", "name"], name="dataset_name_once_in_its_model")]

    def __str__(self) -> str:
        return self.name


@audited()
class DatasetVersion(TenantModel):
    """What a definition gave at one time, with the exact table versions it read; never changed."""

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    fingerprint = models.CharField(max_length=128)
    table_versions = models.JSONField(default=dict)
    rows = models.BigIntegerField(default=0)
    customers = models.BigIntegerField(default=0)
    products = models.BigIntegerField(default=0)
    first_at = models.DateTimeField(null=True, blank=True)
    last_at = models.DateTimeField(null=True, blank=True)
    steps = models.JSONField(default=list)
    sql = models.TextField(blank=True)
    quality = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["dataset", "number"], name="dataset_version_number_once")]

    def __str__(self) -> str:
        return f"version {self.number}"
