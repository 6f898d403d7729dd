"""Addresses of the audit log."""

from django.urls import path

from b2b_recs.web.audit import views

urlpatterns = [
    path("organization/audit/", views.audit, name="audit"),
    path("organization/audit/audit.csv", views.audit_csv, name="audit_csv"),
]
