"""Addresses of the dashboard and of models."""

from django.urls import path

from b2b_recs.web.projects import delete_views, views

urlpatterns = [
    path("", views.dashboard, name="dashboard"),
    path("find/", views.find, name="find"),
    path("models/new/", views.model_create, name="model_create"),
    path("models/<int:model_id>/", views.model, name="model"),
    path("models/<int:model_id>/live/", views.model_live, name="model_live"),
    path("models/<int:model_id>/setup/", views.model_setup, name="model_setup"),
    path("models/<int:model_id>/setup/facts/", views.model_setup_facts, name="model_setup_facts"),
    path("models/<int:model_id>/status/", views.model_status, name="model_status"),
    path("models/<int:model_id>/delete/", delete_views.delete, name="model_delete"),
    path("models/<int:model_id>/train/", views.model_train, name="model_train"),
    path("models/<int:model_id>/run/", views.model_run, name="model_run"),
]
