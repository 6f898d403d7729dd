"""Tenancy as a Django application; it has no tables of its own."""

from django.apps import AppConfig


class TenancyConfig(AppConfig):
    """Scopes, scoped managers, and the migration operations that protect tables."""

    name = "b2b_recs.web.tenancy"
    label = "tenancy"
