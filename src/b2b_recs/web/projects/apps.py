"""The projects application."""

from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    """Models (recommendation projects) and their schedules."""

    name = "b2b_recs.web.projects"
    label = "projects"
