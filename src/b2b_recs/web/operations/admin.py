"""How tables appear in the operator's admin: all of them, searchable and filterable, without any secret."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from b2b_recs.web.accounts.models import Organization
from b2b_recs.web.operations.site import site
from b2b_recs.web.tenancy.models import PlatformEvent, TenantEvent

OURS = (
    "accounts", "projects", "connections", "runs", "etl", "datasets", "features",
    "training", "experiments", "deployments", "monitoring", "operations",
)  # fmt: skip
HIDDEN = {"password", "hash", "token_hash", "ciphertext"}
SEARCHABLE = (models.CharField, models.TextField)
FILTERABLE = (models.BooleanField, models.DateTimeField, models.DateField)
LONG = (models.JSONField, models.TextField, models.BinaryField)


class OrganizationFilter(admin.SimpleListFilter):
    """Rows of one organization."""

    title = "organization"
    parameter_name = "organization"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Every organization by name."""
        return [(str(one.id), one.name) for one in Organization.objects.order_by("name")[:200]]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """The rows of the chosen one."""
        value = self.value()
        return queryset.filter(organization_id=int(value)) if value and value.isdigit() else queryset


class OperatorAdmin(admin.ModelAdmin):
    """One table; what is listed, searched and filtered follows from its columns."""

    list_per_page = 50
    show_full_result_count = False

    def __init__(self, model: type[models.Model], admin_site: Any) -> None:
        fields = [field for field in model._meta.concrete_fields if field.name not in HIDDEN]
        self.exclude = sorted(HIDDEN & {field.name for field in model._meta.concrete_fields})
        keys = [field for field in fields if field.is_relation]
        self.raw_id_fields = [field.name for field in keys if field.editable]
        self.list_display = _listed(model, fields)
        self.list_select_related = [field.name for field in keys if field.name in self.list_display]
        self.search_fields = [field.name for field in fields if isinstance(field, SEARCHABLE) and not field.is_relation]
        self.search_fields = self.search_fields or ["=id" if model._meta.pk.name == "id" else f"={model._meta.pk.name}"]
        self.list_filter = _filters(model, fields)
        super().__init__(model, admin_site)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """The organization of a row that exists cannot change."""
        has_one = any(field.name == "organization" for field in self.model._meta.fields)
        return ["organization"] if has_one and obj is not None else []

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Every row."""
        found = self.model._default_manager.get_queryset()
        ordering = self.get_ordering(request)
        return found.order_by(*ordering) if ordering else found

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Rows of organizations are made where their rules are kept; here only accounts and organizations are."""
        return self.model._meta.label in ("accounts.User", "accounts.Organization")


class AuditAdmin(OperatorAdmin):
    """An event table: to be read only."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


def _listed(model: type[models.Model], fields: list[Any]) -> list[str]:
    first = [model._meta.pk.name, "__str__"]
    rest = [field.name for field in fields if not isinstance(field, LONG) and field.name != model._meta.pk.name]
    return (first + rest)[:9]


def _filters(model: type[models.Model], fields: list[Any]) -> list[Any]:
    found: list[Any] = [OrganizationFilter] if any(field.name == "organization" for field in fields) else []
    found += [field.name for field in fields if isinstance(field, FILTERABLE) or field.choices]
    return found or [model._meta.pk.name]


def register_everything() -> None:
    """Put every model of ours into the operator's admin."""
    for label in OURS:
        for model in apps.get_app_config(label).get_models():
            audit = issubclass(model, TenantEvent | PlatformEvent)
            site.register(model, AuditAdmin if audit else OperatorAdmin)


register_everything()
