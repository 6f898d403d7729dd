"""Addresses of the pages of connections."""

from django.urls import path

from b2b_recs.web.connections import views

PLACE = "models/<int:model_id>/etl/connections/"

urlpatterns = [
    path(f"{PLACE}new/", views.connection_new, name="connection_new"),
    path(f"{PLACE}new/<slug:type_name>/", views.connection_form, name="connection_form"),
    path(f"{PLACE}<int:connection_id>/edit/", views.connection_edit, name="connection_edit"),
    path(f"{PLACE}<int:connection_id>/test/", views.connection_test, name="connection_test"),
    path(f"{PLACE}<int:connection_id>/card/", views.connection_card, name="connection_card"),
    path(f"{PLACE}<int:connection_id>/switch/", views.connection_switch, name="connection_switch"),
    path(f"{PLACE}<int:connection_id>/delete/", views.connection_delete, name="connection_delete"),
]
