"""How often something may be asked: a person or key, and an organization, within a minute or an hour."""

from __future__ import annotations

import time
from typing import ClassVar

from django.core.cache import cache
from django.http import HttpRequest

from b2b_recs.engine.errors import EngineError

WINDOW_SECONDS = 60
A_PERSON, AN_ORGANIZATION = 20, 60
# Things that may be done more often, as a multiple of the usual: a wizard looks at many tables within a minute.
LOOKS = "looks at sources"
INVITATIONS = "invitations"  # each may reach a stranger's mailbox
OFTENER = {LOOKS: 6, INVITATIONS: 2}
ORGANIZATIONS = "new organizations"
HOURLY = {INVITATIONS, ORGANIZATIONS}


class TooMany(EngineError):
    """It was asked too often; ``retry_after`` is seconds."""

    code: ClassVar[str] = "too_many_requests"
    default_transient: ClassVar[bool] = True

    def __init__(self, what: str, retry_after: int) -> None:
        within = "an hour" if what in HOURLY else "a minute"
        left = f"{retry_after} seconds" if retry_after <= 90 else f"{-(-retry_after // 60)} minutes"
        super().__init__(f"Too many {what} within {within}.", advice=f"Go on in {left}.")
        self.retry_after = retry_after


def seconds_now() -> int:
    """Whole seconds since 1970."""
    return int(time.time())


def spend(request: HttpRequest, what: str) -> None:
    """Count one ``what`` (a plural, in words) against its limits. Raises TooMany."""
    now = seconds_now()
    seconds = 3600 if what in HOURLY else WINDOW_SECONDS
    window, left = now // seconds, seconds - now % seconds
    key = getattr(request, "api_key", None)
    actor = f"key-{key.id}" if key is not None else f"user-{request.user.pk}"
    organization = f"organization-{getattr(request.organization, 'id', None)}"  # type: ignore[attr-defined]
    for whose, most in ((organization, AN_ORGANIZATION), (actor, A_PERSON)):
        name = f"limit/{what.replace(' ', '-')}/{organization}/{whose}/{window}"
        cache.add(name, 0, timeout=2 * seconds)
        if cache.incr(name) > most * OFTENER.get(what, 1):
            raise TooMany(what, left)
