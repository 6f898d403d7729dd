"""Answers kept for a day, so that a request sent twice is carried out once."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from b2b_recs.web.tenancy.models import TenantModel, audited


@audited(only=("id", "organization", "key"), created=False)
class KeptAnswer(TenantModel):
    """What a request with that ``Idempotency-Key`` was answered; ``request_digest`` is keyed, it tells nothing."""

    key = models.CharField(max_length=200)
    request_digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    answer = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["organization", "key"], name="answer_kept_once")]
        indexes = [models.Index(fields=["organization", "created_at"], name="answer_kept_since")]

    def __str__(self) -> str:
        return f"answer to {self.key}"
