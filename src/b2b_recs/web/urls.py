"""Every address of pages and API. Each declares who may use it: see accounts/policies.py."""

from importlib.util import find_spec

from django.urls import include, path

from b2b_recs.web.accounts.account_views import account_email
from b2b_recs.web.accounts.entrance import link
from b2b_recs.web.operations.health import health
from b2b_recs.web.operations.site import site

handler403 = "b2b_recs.web.accounts.refusals.denied"
handler404 = "b2b_recs.web.accounts.refusals.not_found"
handler500 = "b2b_recs.web.accounts.refusals.failed"

PAGES = (
    "projects",
    "connections",
    "etl",
    "runs",
    "datasets",
    "training",
    "experiments",
    "deployments",
    "accounts",
    "audit",
    "api",
    "ui",
)

urlpatterns = [
    path("health/", health, name="health"),
    path("sign-in/link/<str:token>/", link, name="sign_in_link"),
    path("accounts/email/", account_email, name="account_email"),
    path("accounts/", include("allauth.urls")),
    path("operator/", site.urls),
    *(
        path("", include(f"b2b_recs.web.{app}.urls"))
        for app in PAGES
        if find_spec(f"b2b_recs.web.{app}.urls") is not None
    ),
]
