"""The connections application."""

from django.apps import AppConfig


class ConnectionsConfig(AppConfig):
    """Named access to source systems, with sealed secrets."""

    name = "b2b_recs.web.connections"
    label = "connections"
