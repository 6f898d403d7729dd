"""The features application."""

from django.apps import AppConfig


class FeaturesConfig(AppConfig):
    """How columns become inputs of an algorithm."""

    name = "b2b_recs.web.features"
    label = "features"
