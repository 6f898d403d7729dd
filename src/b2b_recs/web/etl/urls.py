"""Addresses of copying that are not part of the documented API."""

from django.urls import include, path

urlpatterns = [path("api/etl/runner/", include("b2b_recs.web.etl.remote.urls"))]
