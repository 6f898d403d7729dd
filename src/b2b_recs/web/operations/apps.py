"""The operations application."""

from django.apps import AppConfig


class OperationsConfig(AppConfig):
    """What operators of the platform see, and work between runs."""

    name = "b2b_recs.web.operations"
    label = "operations"
