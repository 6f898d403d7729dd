"""The monitoring application."""

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    """Served traffic and the platform's series."""

    name = "b2b_recs.web.monitoring"
    label = "monitoring"
