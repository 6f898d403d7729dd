"""The experiments application."""

from django.apps import AppConfig


class ExperimentsConfig(AppConfig):
    """Training attempts and registered model versions."""

    name = "b2b_recs.web.experiments"
    label = "experiments"
