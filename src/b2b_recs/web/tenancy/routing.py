"""Sends the queries of an operator's work over the operator's database role."""

from __future__ import annotations

from typing import Any

from django.db.models import Model

from b2b_recs.web.tenancy.scopes import OPERATOR, is_operating


class RoleRouter:
    """While an operator works everything goes over the alias ``operator``; otherwise Django's default decides."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        """The alias to read from, None for the default."""
        return OPERATOR if is_operating() else None

    def db_for_write(self, model: type[Model], **hints: Any) -> str | None:
        """The alias to write to, None for the default."""
        return OPERATOR if is_operating() else None

    def allow_relation(self, one: Model, other: Model, **hints: Any) -> bool:
        """Both aliases are the same database under two roles."""
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        """Tables are made once, by the owner over ``default``."""
        return db == "default"
