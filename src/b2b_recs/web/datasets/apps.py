"""The datasets application."""

from django.apps import AppConfig


class DatasetsConfig(AppConfig):
    """Definitions of training data and the versions built from them."""

    name = "b2b_recs.web.datasets"
    label = "datasets"
