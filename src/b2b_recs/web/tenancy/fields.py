"""The foreign key between two tables of organizations."""

from __future__ import annotations

from typing import Any

from django.db import models


class TenantForeignKey(models.ForeignKey):
    """A key to a row of the same organization.

    PostgreSQL checks foreign keys without row-level security, so a plain one could point into another organization.
    The real constraint is (organization_id, this) → (organization_id, id), made by ``ComposeForeignKey`` in the
    migration; Django's own single-column constraint is left out.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("db_constraint", False)
        super().__init__(*args, **kwargs)


class TenantOneToOneField(models.OneToOneField):
    """A TenantForeignKey that is unique."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("db_constraint", False)
        super().__init__(*args, **kwargs)
