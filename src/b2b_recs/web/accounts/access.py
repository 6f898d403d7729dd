"""The door to rows: an object of the organization the request acts for, or 404.

Missing and foreign are the same 404. A role that is too low is 403, and only for objects the member may see anyway.
"""

from __future__ import annotations

from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest

from b2b_recs.web.accounts.policies import allows, own_transactions, public, requires, role_of, signed_in
from b2b_recs.web.projects.models import ModelEndpoint

__all__ = ["allows", "model_or_404", "own_transactions", "public", "requires", "role_of", "row_or_404", "signed_in"]

AnyModel = TypeVar("AnyModel", bound=models.Model)
LARGEST_ID = 2**63 - 1


def model_or_404(request: HttpRequest, model_id: int, needs: str = "viewer") -> ModelEndpoint:
    """The recommendation model of that id. Raises Http404, or PermissionDenied for a role below ``needs``."""
    return row_or_404(request, ModelEndpoint, needs, id=model_id)


def row_or_404(
    request: HttpRequest, source: type[AnyModel] | models.QuerySet[AnyModel], needs: str = "viewer", **conditions: Any
) -> AnyModel:
    """The one row of ``source`` (a model or a narrowed queryset) with these values, in the request's organization.

    A key of one model sees that model and rows whose ``model`` it is. Raises Http404, or PermissionDenied for a role
    below ``needs``.
    """
    if getattr(request, "organization", None) is None:
        raise Http404
    rows = source if isinstance(source, models.QuerySet) else source.objects.all()  # type: ignore[attr-defined]
    if any(isinstance(value, int) and not 0 <= value <= LARGEST_ID for value in conditions.values()):
        raise Http404
    row = rows.filter(**conditions).first()
    if row is None or not _within_key(request, row):
        raise Http404
    if not allows(request, needs):
        raise PermissionDenied
    found: AnyModel = row
    return found


def _within_key(request: HttpRequest, row: models.Model) -> bool:
    key = getattr(request, "api_key", None)
    if key is None or key.model_id is None:
        return True
    return bool(model_id_of(row) == key.model_id)


def model_id_of(row: models.Model) -> int | None:
    """The id of the recommendation model a row belongs to, None when it belongs to the whole organization."""
    if isinstance(row, ModelEndpoint):
        return row.id
    for step in ("model_id", "configuration", "data_source", "dataset", "pipeline_run"):
        value = getattr(row, step, None)
        if isinstance(value, models.Model):
            return model_id_of(value)
        if value is not None:
            return int(value)
    return None
