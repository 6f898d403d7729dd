"""Addresses of runners elsewhere, below /api/etl/runner/."""

from django.urls import path

from b2b_recs.web.etl.remote import views

urlpatterns = [
    path("runs/<int:run_id>/", views.assignment, name="runner_assignment"),
    path("runs/<int:run_id>/progress/", views.progress, name="runner_progress"),
    path("runs/<int:run_id>/used/", views.used, name="runner_used"),
    path("runs/<int:run_id>/interrupted/", views.interrupted, name="runner_interrupted"),
    path("runs/<int:run_id>/end/", views.end, name="runner_end"),
]
