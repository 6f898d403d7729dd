"""The design system as a Django application: templates, tags, compiled assets."""

from django.apps import AppConfig


class UiConfig(AppConfig):
    """Comes before the applications whose templates it replaces."""

    name = "b2b_recs.web.ui"
    label = "ui"
