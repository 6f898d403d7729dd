"""The runs application."""

from django.apps import AppConfig


class RunsConfig(AppConfig):
    """What every run has in common."""

    name = "b2b_recs.web.runs"
    label = "runs"
