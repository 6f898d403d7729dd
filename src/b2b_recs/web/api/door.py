"""The door of the JSON API: who asks, for which rows, how; decided before an operation looks at its input.

An operation is declared with ``needs(role)``. An address asks for the least of what its operations need, then the
rows its path names must be there (missing and foreign are the same 404), then comes the method.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern
from ninja import NinjaAPI, Router
from ninja.operation import PathView

from b2b_recs.web.accounts.access import row_or_404
from b2b_recs.web.accounts.acting import acting
from b2b_recs.web.accounts.models import Role
from b2b_recs.web.accounts.policies import allows
from b2b_recs.web.accounts.refusals import not_allowed, refuse
from b2b_recs.web.api.reading import refused_body
from b2b_recs.web.connections.models import Connection
from b2b_recs.web.etl.models import DataSource, ETLRun
from b2b_recs.web.experiments.models import TrainedModel
from b2b_recs.web.projects.models import ModelEndpoint

Operation = TypeVar("Operation", bound=Callable[..., Any])
ROWS: dict[str, Callable[[], QuerySet[Any]]] = {
    "model_id": ModelEndpoint.objects.all,
    "connection_id": Connection.objects.all,
    "source_id": lambda: DataSource.objects.select_related("configuration"),
    "version_id": TrainedModel.objects.all,
    "run_id": lambda: ETLRun.objects.select_related("data_source__configuration"),
}
# Parts of a path that name something kept with one of those rows; the operation finds it there.
WITHIN = ("table",)


def needs(role: str) -> Callable[[Operation], Operation]:
    """Declare the least role that may use an operation."""
    needed = Role(role).value

    def decorate(operation: Operation) -> Operation:
        operation.access_policy = needed  # type: ignore[attr-defined]
        return operation

    return decorate


def guarded_urls(api: NinjaAPI, routers: list[Router]) -> tuple[list[URLPattern], str, str]:
    """The addresses of the API with every one of the routers' behind the door, to be included."""
    views: Mapping[str, PathView] = {
        path.replace("{", "<").replace("}", ">").lstrip("/"): view
        for router in routers
        for path, view in router.path_operations.items()
    }
    patterns, name, namespace = api.urls
    for pattern in patterns:
        declared = views.get(str(pattern.pattern))
        if isinstance(pattern, URLPattern) and declared is not None:
            pattern.callback = _door(pattern.callback, declared)
    return patterns, name, namespace


def _door(view: Callable[..., HttpResponse], declared: PathView) -> Callable[..., HttpResponse]:
    roles = {
        method: operation.view_func.access_policy for operation in declared.operations for method in operation.methods
    }
    least = min(roles.values(), key=lambda role: Role(role).rank)

    def door(request: HttpRequest, **ids: Any) -> HttpResponse:
        refusal = _refused_visitor(request, least) or _refused_rows(request, ids)
        if refusal is not None:
            return refusal
        if request.method not in roles:
            refusal = refuse(request, 405, advice=f"Use {' or '.join(sorted(roles))}.")
            refusal["Allow"] = ", ".join(sorted(roles))
            return refusal
        if not allows(request, roles[request.method]):
            return not_allowed(request, roles[request.method])
        return refused_body(request) or view(request, **ids)

    door.access_policy = least  # type: ignore[attr-defined]
    return door


def _refused_visitor(request: HttpRequest, role: str) -> HttpResponse | None:
    if not (request.user.is_authenticated or getattr(request, "api_key", None)):
        return refuse(request, 401)
    if getattr(request, "organization", None) is None:
        told = "You are not a member of an organization."
        return refuse(request, 403, told, "Ask its admin for an invitation.")
    return None if allows(request, role) else not_allowed(request, role)


def _refused_rows(request: HttpRequest, ids: Mapping[str, Any]) -> HttpResponse | None:
    if not ids:
        return None
    try:
        with acting(request):
            for name, value in ids.items():
                if name in WITHIN:
                    continue
                row_or_404(request, ROWS[name](), id=value)
    except Http404:
        return refuse(request, 404)
    return None
