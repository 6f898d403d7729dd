"""Addresses of the pages about runs, under /models/."""

from django.urls import path

from b2b_recs.web.runs import views

urlpatterns = [
    path("models/<int:model_id>/runs/", views.runs, name="runs"),
    path("models/<int:model_id>/runs/copies/<int:run_id>/", views.etl_run, name="etl_run"),
    path("models/<int:model_id>/runs/copies/<int:run_id>/live/", views.etl_run_live, name="etl_run_live"),
    path("models/<int:model_id>/runs/copies/<int:run_id>/cancel/", views.etl_run_cancel, name="etl_run_cancel"),
    path("models/<int:model_id>/runs/copies/<int:run_id>/again/", views.etl_run_again, name="etl_run_again"),
    path("models/<int:model_id>/runs/trainings/<int:run_id>/", views.pipeline_run, name="pipeline_run"),
    path("models/<int:model_id>/runs/trainings/<int:run_id>/live/", views.pipeline_run_live, name="pipeline_run_live"),
    path(
        "models/<int:model_id>/runs/trainings/<int:run_id>/cancel/",
        views.pipeline_run_cancel,
        name="pipeline_run_cancel",
    ),
    path(
        "models/<int:model_id>/runs/trainings/<int:run_id>/again/", views.pipeline_run_again, name="pipeline_run_again"
    ),
]
