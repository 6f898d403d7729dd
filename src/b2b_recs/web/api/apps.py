"""The JSON API as a Django application."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """The door of the JSON API, and the answers it keeps so that nothing is done twice."""

    name = "b2b_recs.web.api"
    label = "api"
