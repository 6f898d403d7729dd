"""The JSON API and its document."""

from __future__ import annotations

from typing import Any

from django.urls import include, path
from ninja import NinjaAPI

from b2b_recs import __version__
from b2b_recs.web.api import failures
from b2b_recs.web.api.document import finished
from b2b_recs.web.api.door import guarded_urls
from b2b_recs.web.api.index import index
from b2b_recs.web.api.page import Page
from b2b_recs.web.api.reading import KeptBody
from b2b_recs.web.connections.api import router as connections
from b2b_recs.web.datasets.api import router as tables
from b2b_recs.web.deployments.api import router as deployments
from b2b_recs.web.etl.api import router as jobs
from b2b_recs.web.etl.runs_api import router as runs
from b2b_recs.web.etl.versions_api import router as versions
from b2b_recs.web.projects.api import router as models

DESCRIPTION = """\
Programs send `Authorization: Bearer <API key>`: a key with the scope **read** may look, one with **write** may also
change and run; a key of one model sees that model only. Pages use their session and a CSRF token.

Every refusal is `{"error": {"code", "message", "advice", "field"}}`. What is missing and what belongs to somebody else
answer the same 404. Requests that create or run something take an `Idempotency-Key`.
"""


class PlatformAPI(NinjaAPI):
    """The API with a document that says how to sign in and what each refusal means."""

    def get_openapi_schema(self, **arguments: Any) -> Any:
        """The OpenAPI document."""
        return finished(super().get_openapi_schema(**arguments))


api = PlatformAPI(
    title="b2b-recs",
    version=__version__,
    description=DESCRIPTION,
    urls_namespace="api",
    docs_url="/docs",
    openapi_url="/openapi.json",
    docs=Page(settings={"validatorUrl": None, "persistAuthorization": False}),
    parser=KeptBody(),
)
failures.declare(api)
ROUTERS = [models, connections, jobs, runs, versions, tables, deployments]
for _router in ROUTERS:
    api.add_router("", _router)


_patterns, _name, _namespace = guarded_urls(api, ROUTERS)
_patterns = [path("", index, name="api-root"), *(one for one in _patterns if one.name != "api-root")]
urlpatterns = [path("api/", include((_patterns, _name), namespace=_namespace))]
