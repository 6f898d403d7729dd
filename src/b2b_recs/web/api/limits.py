"""How often something may be asked: a person or key, and an organization, within a minute."""

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
OFTENER = {LOOKS: 6}


class TooMany(EngineError):
    """It was asked too often; ``retry_after`` is seconds."""

    code: ClassVar[str] = "too_many_requests"
    default_transient: ClassVar[bool] = True

    def __init__(self, what: str, retry_after: int) -> None:
        super().__init__(f"Too many {what} within a minute.", advice=f"Go on in {retry_after} seconds.")
        self.retry_after = retry_after


def seconds_now() -> int:
    """Whole seconds since 1970."""
    return int(time.time())


def spend(request: HttpRequest, what: str) -> None:
    """Count one ``what`` (a plural, in words) against its limits. Raises TooMany."""
    now = seconds_now()
    window, left = now // WINDOW_SECONDS, WINDOW_SECONDS - now % WINDOW_SECONDS
    key = getattr(request, "api_key", None)
    actor = f"key-{key.id}" if key is not None else f"user-{request.user.pk}"
    organization = f"organization-{request.organization.id}"  # type: ignore[attr-defined]
    for whose, most in ((organization, AN_ORGANIZATION), (actor, A_PERSON)):
        name = f"limit/{what.replace(' ', '-')}/{organization}/{whose}/{window}"
        cache.add(name, 0, timeout=2 * WINDOW_SECONDS)
        if cache.incr(name) > most * OFTENER.get(what, 1):
            raise TooMany(what, left)
