"""The training application."""

from django.apps import AppConfig


class TrainingConfig(AppConfig):
    """The pipeline from data to a registered model."""

    name = "b2b_recs.web.training"
    label = "training"
