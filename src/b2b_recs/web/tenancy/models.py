"""What every table of an organization has in common."""

from __future__ import annotations

from typing import Any, TypeVar

import pghistory
from django.db import models
from pghistory.models import Event

from b2b_recs.web.tenancy.scopes import OPERATOR, is_operating, required

AnyModel = TypeVar("AnyModel", bound=models.Model)


class TenantManager(models.Manager):
    """Rows of the organization in scope. Raises ScopeMissing outside a scope."""

    def get_queryset(self) -> models.QuerySet[Any]:
        """Rows of the current organization; of all of them over the operator's role."""
        if is_operating() or self._db == OPERATOR:
            return super().get_queryset()
        return super().get_queryset().filter(organization_id=required())

    def using(self, alias: str | None) -> models.QuerySet[Any]:
        """Rows over another role; only ``operator`` works outside a scope."""
        if alias == OPERATOR:
            return super().get_queryset().using(alias)
        return self.get_queryset().using(alias)


class TenantModel(models.Model):
    """A row that belongs to an organization, under row-level security."""

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.PROTECT, related_name="+", editable=False, db_index=False
    )

    objects = TenantManager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save; a new row without an organization joins the one in scope."""
        if self.organization_id is None:
            self.organization_id = required()
        super().save(*args, **kwargs)


class TenantEvent(Event):
    """A row of the audit about a row of an organization."""

    pgh_id = models.BigAutoField(primary_key=True)

    objects = TenantManager()

    class Meta:
        abstract = True


class PlatformEvent(Event):
    """A row of the audit about something no organization owns."""

    pgh_id = models.BigAutoField(primary_key=True)

    class Meta:
        abstract = True


def audited(
    *,
    leave_out: tuple[str, ...] = (),
    only: tuple[str, ...] = (),
    created: bool = True,
    base: type[Event] = TenantEvent,
) -> Any:
    """Class decorator: database triggers keep every change of the model in its append-only event table.

    ``leave_out`` names columns that never get there (secrets, hashes, counters that tick), ``only`` the ones that do;
    a change of other columns alone makes no event. ``created`` False leaves out creation, for tables that are a log.
    """

    def decorate(model: type[AnyModel]) -> type[AnyModel]:
        trackers: list[Any] = [pghistory.UpdateEvent("changed"), pghistory.DeleteEvent("removed")]
        if created:
            trackers.insert(0, pghistory.InsertEvent("created"))
        columns = {"fields": list(only)} if only else {"exclude": list(leave_out)}
        decorated: type[AnyModel] = pghistory.track(
            *trackers, base_model=base, model_name=f"{model.__name__}Event", **columns
        )(model)
        return decorated

    return decorate
