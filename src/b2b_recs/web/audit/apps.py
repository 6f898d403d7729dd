"""The audit application."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Reads what the triggers keep of every change, and says it in words; it has no tables of its own."""

    name = "b2b_recs.web.audit"
    label = "audit"
