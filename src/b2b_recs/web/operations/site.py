"""The operator's admin: every table, over the database role that sees every organization."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse

from b2b_recs.web.accounts.adapter import address_of
from b2b_recs.web.tenancy import operating


class OperatorSite(AdminSite):
    """Reachable by operators only; to others it looks like nothing."""

    site_header = "b2b-recs operator"
    site_title = "b2b-recs operator"
    index_title = "Everything of every organization"
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether the signed-in user is an operator."""
        return bool(request.user.is_active and getattr(request.user, "is_operator", False))

    def admin_view(self, view: Callable[..., HttpResponse], cacheable: bool = False) -> Callable[..., HttpResponse]:
        """The view, run and rendered over the operator's role, in one transaction."""
        inner = super().admin_view(view, cacheable)

        def operated(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if not self.has_permission(request):
                raise Http404
            notes = {
                "process": "operator",
                "user": request.user.pk,
                "email": request.user.email,
                "address": address_of(request),
            }
            with operating(user_id=request.user.pk, audit=notes):
                response = inner(request, *args, **kwargs)
                # Admin pages are rendered late; their queries belong to this transaction.
                return response.render() if hasattr(response, "render") else response

        update_wrapper(operated, view)
        operated.access_policy = "operator"  # type: ignore[attr-defined]
        return operated

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """There is one way in: the ordinary sign-in."""
        if request.user.is_authenticated and not self.has_permission(request):
            raise Http404
        return redirect_to_login("/operator/")


site = OperatorSite(name="operator")
