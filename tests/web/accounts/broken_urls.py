"""Addresses that fail in mid-request, for the test of what is undone."""

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from b2b_recs.web.accounts.policies import requires
from b2b_recs.web.projects.models import ModelEndpoint

handler500 = "b2b_recs.web.accounts.refusals.failed"


@requires("viewer")
def raises(request: HttpRequest) -> HttpResponse:
    """Write, then stumble."""
    ModelEndpoint.objects.update(description="half done")
    raise ZeroDivisionError


@requires("viewer")
def breaks_the_transaction(request: HttpRequest) -> HttpResponse:
    """Write, then make the database refuse everything that follows."""
    ModelEndpoint.objects.update(description="half done")
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")
    return HttpResponse()


urlpatterns = [
    path("raises/", raises),
    path("breaks/", breaks_the_transaction),
    path("", include("b2b_recs.web.urls")),
]
