"""The etl application."""

from django.apps import AppConfig


class EtlConfig(AppConfig):
    """Jobs that copy tables, and their runs."""

    name = "b2b_recs.web.etl"
    label = "etl"
