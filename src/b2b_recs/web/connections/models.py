"""Named access to source systems, and the sealed secrets they need."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.tenancy.fields import TenantForeignKey
from b2b_recs.web.tenancy.models import TenantModel, audited


@audited(leave_out=("last_used_at",))
class Connection(TenantModel):
    """Reusable access to one source system; ``parameters`` holds no secret."""

    class TestStatus(models.TextChoices):
        NEVER = "never", "Never tested"
        PASSED = "passed", "Passed"
        FAILED = "failed", "Failed"
        UNKNOWN = "unknown", "Could not be tested"

    model = TenantForeignKey(ModelEndpoint, on_delete=models.CASCADE, related_name="connections")
    name = models.CharField(max_length=100)
    source_type = models.CharField(max_length=40)
    parameters = models.JSONField(default=dict)
    # how a project file wrote the values it took from elsewhere: {"password": {"env": "SHOP_PASSWORD"}}
    references = models.JSONField(default=dict, blank=True)
    enabled = models.BooleanField(default=True)
    last_test_at = models.DateTimeField(null=True, blank=True)
    last_test_status = models.CharField(max_length=10, choices=TestStatus.choices, default=TestStatus.NEVER)
    last_test_message = models.TextField(blank=True)
    # why the last test could not be carried out, which says nothing about the source; empty when it could
    test_trouble = models.TextField(blank=True)
    test_trouble_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint("model", Lower("name"), name="connection_name_once_in_its_model")]

    def __str__(self) -> str:
        return self.name

    @property
    def dot(self) -> str:
        """The colour of its status: what the last test said, yellow when the last one could not be carried out."""
        if self.test_trouble:
            return "yellow"
        return {self.TestStatus.PASSED: "green", self.TestStatus.FAILED: "red"}.get(self.last_test_status, "grey")


@audited(leave_out=("ciphertext",))
class StoredSecret(TenantModel):
    """A sealed secret; it opens only with the key ring and only in its own place."""

    name = models.CharField(max_length=255)
    ciphertext = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="secret_name_once")]

    def __str__(self) -> str:
        return self.name
