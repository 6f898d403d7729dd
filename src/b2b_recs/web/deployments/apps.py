"""The deployments application."""

from django.apps import AppConfig


class DeploymentsConfig(AppConfig):
    """What answers recommendation requests."""

    name = "b2b_recs.web.deployments"
    label = "deployments"
