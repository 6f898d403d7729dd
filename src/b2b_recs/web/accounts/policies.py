"""Who may use which address, declared beside each view and checked by the test sweep.

A view is declared by a decorator: ``public``, ``signed_in`` or ``requires(role)``. Addresses of libraries are declared
in LIBRARIES below. An address without a declaration fails the tests.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.utils.http import url_has_allowed_host_and_scheme

from b2b_recs.web.accounts.models import ApiKey, Role
from b2b_recs.web.accounts.refusals import not_allowed, refuse

PUBLIC, SIGNED_IN, OPERATOR = "public", "signed_in", "operator"
# the holder of one run's token, and nobody else: web/etl/remote/access.py
RUN_TOKEN = "run_token"  # noqa: S105 - the name of a policy
View = TypeVar("View", bound=Callable[..., HttpResponse])

# What a key's strongest scope is worth in roles.
KEY_ROLES = {ApiKey.Scope.WRITE: Role.EDITOR, ApiKey.Scope.READ: Role.VIEWER}

# Addresses of libraries, by the beginning of their names.
LIBRARIES = {
    "account_login": PUBLIC,
    "account_signup": PUBLIC,
    "account_logout": PUBLIC,
    "account_inactive": PUBLIC,
    "account_email_verification_sent": PUBLIC,
    "account_confirm_email": PUBLIC,
    "account_reset_password": PUBLIC,
    "account_confirm_login_code": PUBLIC,
    "account_request_login_code": PUBLIC,
    "account_": SIGNED_IN,
    "mfa_login_webauthn": PUBLIC,
    "mfa_signup_webauthn": PUBLIC,
    "mfa_authenticate": PUBLIC,
    "mfa_trust": PUBLIC,
    "mfa_": SIGNED_IN,
    "operator:": OPERATOR,
    "api:openapi": PUBLIC,
}


def public(view: View) -> View:
    """Declare a view that anyone may use."""
    view.access_policy = PUBLIC  # type: ignore[attr-defined]
    return view


def signed_in(view: View) -> View:
    """Declare a view for anyone who is signed in, member of an organization or not."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return _enter_first(request)
        return view(request, *args, **kwargs)

    guarded.access_policy = SIGNED_IN  # type: ignore[attr-defined]
    return guarded  # type: ignore[return-value]


def own_transactions(view: View) -> View:
    """Declare a view that opens its transactions itself (accounts/acting.py), because it waits for other systems."""
    view.own_transactions = True  # type: ignore[attr-defined]
    return view


def requires(role: str) -> Callable[[View], View]:
    """Declare a view for members with at least that role; the organization is the one the request acts for."""
    needed = Role(role)

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not (request.user.is_authenticated or getattr(request, "api_key", None)):
                return _enter_first(request)
            if getattr(request, "organization", None) is None:
                return refuse(request, 403, "You are not a member of an organization. Ask its admin for an invitation.")
            if not allows(request, needed):
                return not_allowed(request, needed.value)
            return view(request, *args, **kwargs)

        guarded.access_policy = needed.value  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return decorate


def role_of(request: HttpRequest) -> Role | None:
    """The role the request acts with: the member's, or what the API key is worth; None without either."""
    membership, key = getattr(request, "membership", None), getattr(request, "api_key", None)
    if membership is not None:
        return Role(membership.role)
    if key is not None:
        return next((role for scope, role in KEY_ROLES.items() if scope in key.scopes), None)
    return None


def allows(request: HttpRequest, needed: str) -> bool:
    """Whether the request may do what the role ``needed`` may do."""
    role = role_of(request)
    return role is not None and role.covers(needed)


def policy_of(name: str, view: Callable[..., Any]) -> str | None:
    """The declared policy of an address by its full name and view, None when nobody declared one."""
    declared: str | None = getattr(view, "access_policy", None)
    if declared is not None:
        return declared
    operations = getattr(getattr(view, "__self__", None), "operations", None)
    if operations:  # one address of the JSON API, with one function for each method
        found = {getattr(operation.view_func, "access_policy", None) for operation in operations}
        return None if None in found else min(found, key=_strictness)
    fitting = [prefix for prefix in LIBRARIES if name.startswith(prefix)]
    return LIBRARIES[max(fitting, key=len)] if fitting else None


def _strictness(policy: str) -> int:
    return {PUBLIC: -2, SIGNED_IN: -1, OPERATOR: 9}.get(policy) or Role(policy).rank


def _enter_first(request: HttpRequest) -> HttpResponse:
    if request.path.startswith("/api/"):
        return refuse(request, 401)
    if request.headers.get("HX-Request") == "true":  # a part of a page: its script keeps the page and says so
        return refuse(request, 401)
    return redirect_to_login(request.get_full_path() if request.method in ("GET", "HEAD") else _page_of(request))


def _page_of(request: HttpRequest) -> str:
    """The page of ours whose form was sent, to come back to after signing in; the dashboard where none is told."""
    page = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure()):
        return "/"
    parts = urlsplit(page)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path or "/"
