"""Puts each request into the scope of the organization it acts for, in one transaction."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

from b2b_recs.web.accounts.adapter import address_of
from b2b_recs.web.accounts.api_keys import bearer, organization_of, verify_key
from b2b_recs.web.accounts.choice import chosen_membership
from b2b_recs.web.accounts.refusals import refuse
from b2b_recs.web.tenancy import person, scope

GetResponse = Callable[[HttpRequest], HttpResponse]


class TenancyMiddleware:
    """Sets ``request.organization``, ``request.membership`` and ``request.api_key`` (each may be None).

    The whole request is one transaction, so that the settings row-level security reads end with it. An answer of 500
    or more undoes it: by then Django has turned the exception into a response. The JSON API and pages declared with
    ``own_transactions`` open theirs themselves (accounts/acting.py), because they wait for other people's systems.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The response, from inside the scope."""
        request.organization = request.membership = request.api_key = None  # type: ignore[attr-defined]
        notes = request.audit_notes = _notes(request)  # type: ignore[attr-defined]
        key = bearer(request)
        if request.path.startswith("/api/") or _opens_its_own(request):
            return self._identified(request, key, notes) or self.get_response(request)
        if key is not None:
            return self._with_key(request, key, notes)
        if not request.user.is_authenticated:
            return self._undone_on_failure(request)
        with person(request.user.pk, audit=notes):
            membership = chosen_membership(request)
            if membership is None:
                return self._undone_on_failure(request)
            request.membership = membership  # type: ignore[attr-defined]
            request.organization = membership.organization  # type: ignore[attr-defined]
            with scope(membership.organization_id):
                return self._undone_on_failure(request)

    def _with_key(self, request: HttpRequest, key: str, notes: dict[str, Any]) -> HttpResponse:
        organization_id = organization_of(key)
        if organization_id is None:
            return refuse(request, 401)
        with scope(organization_id, audit=notes):
            api_key = verify_key(key)
            if api_key is None:
                return refuse(request, 401)
            request.api_key = api_key  # type: ignore[attr-defined]
            request.organization = api_key.organization  # type: ignore[attr-defined]
            notes["api_key"] = api_key.prefix
            with scope(organization_id, audit=notes):
                return self._undone_on_failure(request)

    def _identified(self, request: HttpRequest, key: str | None, notes: dict[str, Any]) -> HttpResponse | None:
        """Find out for whom such a request acts, in a transaction of its own; the refusal of a bad key."""
        if key is None:
            if request.user.is_authenticated:
                with person(request.user.pk, audit=notes):
                    membership = chosen_membership(request)
                request.membership = membership  # type: ignore[attr-defined]
                request.organization = membership.organization if membership else None  # type: ignore[attr-defined]
            return None
        organization_id = organization_of(key)
        if organization_id is None:
            return refuse(request, 401)
        with scope(organization_id, audit=notes):
            api_key = verify_key(key)
        if api_key is None:
            return refuse(request, 401)
        request.api_key, request.organization = api_key, api_key.organization  # type: ignore[attr-defined]
        notes["api_key"] = api_key.prefix
        # Another site can make a browser send cookies, but not this header.
        request.csrf_processing_done = True  # type: ignore[attr-defined]
        return None

    def _undone_on_failure(self, request: HttpRequest) -> HttpResponse:
        with transaction.atomic():
            response = self.get_response(request)
            if response.status_code >= 500:
                transaction.set_rollback(True)
            return response


def _opens_its_own(request: HttpRequest) -> bool:
    try:
        return bool(getattr(resolve(request.path_info).func, "own_transactions", False))
    except Resolver404:
        return False


def _notes(request: HttpRequest) -> dict[str, Any]:
    """What the audit keeps of a request; the path only by its route, because paths may hold tokens."""
    notes: dict[str, Any] = {
        "request": str(uuid.uuid4()),
        "address": address_of(request),
        "method": request.method,
    }
    if request.user.is_authenticated:
        notes |= {"user": request.user.pk, "email": request.user.email}
    return notes
