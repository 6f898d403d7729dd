"""Served traffic by the hour, and the platform's daily series."""

from __future__ import annotations

from django.db import models

from b2b_recs.web.deployments.models import Deployment
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.tenancy.fields import TenantForeignKey
from b2b_recs.web.tenancy.models import TenantModel, audited


@audited(created=False, leave_out=("requests", "predictions", "errors", "mean_latency_ms", "latency"))
class PredictionLog(TenantModel):
    """What one deployment of a model answered within one hour."""

    model = TenantForeignKey(ModelEndpoint, on_delete=models.CASCADE, related_name="prediction_logs")
    deployment = TenantForeignKey(
        Deployment, null=True, blank=True, on_delete=models.SET_NULL, related_name="prediction_logs"
    )
    window_start = models.DateTimeField()
    window_end = models.DateTimeField()
    requests = models.BigIntegerField(default=0)
    predictions = models.BigIntegerField(default=0)
    errors = models.BigIntegerField(default=0)
    mean_latency_ms = models.FloatField(null=True, blank=True)
    latency = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-window_start"]
        constraints = [
            models.UniqueConstraint(
                fields=["model", "deployment", "window_start"],
                name="prediction_log_once_an_hour",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.requests} requests from {self.window_start:%Y-%m-%d %H:%M}"


@audited(created=False)
class SystemMetrics(TenantModel):
    """One day of an organization."""

    date = models.DateField()
    endpoints_total = models.IntegerField(default=0)
    endpoints_active = models.IntegerField(default=0)
    runs_total = models.IntegerField(default=0)
    runs_successful = models.IntegerField(default=0)
    predictions = models.BigIntegerField(default=0)
    compute_cost = models.DecimalField(max_digits=14, decimal_places=4, default=0)
    storage_cost = models.DecimalField(max_digits=14, decimal_places=4, default=0)

    class Meta:
        ordering = ["-date"]
        constraints = [models.UniqueConstraint(fields=["organization", "date"], name="system_metrics_once_a_day")]

    def __str__(self) -> str:
        return f"{self.date}"
