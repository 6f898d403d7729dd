"""Addresses that are written without the slash at their end."""

from __future__ import annotations

from django.http import HttpRequest
from django.middleware.common import CommonMiddleware


class SlashForReaders(CommonMiddleware):
    """Sends a reader on to the address with the slash. Who changes something is told: a body is not sent on."""

    def should_redirect_with_slash(self, request: HttpRequest) -> bool:
        """Whether only the slash is missing, and nothing is lost by asking again."""
        return request.method in ("GET", "HEAD") and super().should_redirect_with_slash(request)
