"""The transactions of a request that opens them itself, because its work may wait for other people's systems."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.http import HttpRequest

from b2b_recs.web.accounts.models import User
from b2b_recs.web.tenancy import scope


@contextmanager
def acting(request: HttpRequest) -> Iterator[None]:
    """One transaction in the scope of the organization the request acts for; an error undoes it."""
    user = user_of(request)
    with scope(
        request.organization.id,  # type: ignore[attr-defined]
        user_id=None if user is None else user.pk,
        audit=request.audit_notes,  # type: ignore[attr-defined]
    ):
        yield


def user_of(request: HttpRequest) -> User | None:
    """The person behind the request, None when a program asks with a key."""
    if getattr(request, "api_key", None) is not None or not request.user.is_authenticated:
        return None
    found: User = request.user  # type: ignore[assignment]
    return found


def trigger_of(request: HttpRequest) -> str:
    """How a run started by this request is marked."""
    return "api" if getattr(request, "api_key", None) is not None else "manual"
