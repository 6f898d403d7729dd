"""Queries and forms without what no database can keep. Programs are refused such text instead: see web/api."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict

NUL = "\x00"


class UsableText:
    """Takes zero bytes out of what a page is asked with, before any view reads it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Clean the query; the form is cleaned once it is known to come from a page of ours."""
        if not request.path_info.startswith("/api/"):
            request.GET = usable(request.GET)  # type: ignore[assignment]
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: Any) -> None:
        """Clean the form, after the check of its token has read it."""
        if request.method == "POST" and not request.path_info.startswith("/api/"):
            request.POST = usable(request.POST)  # type: ignore[assignment]


def usable(values: QueryDict) -> QueryDict:
    """The same values without zero bytes; those themselves when they have none."""
    if not any(NUL in text for name, texts in values.lists() for text in (name, *texts)):
        return values
    cleaned = QueryDict(mutable=True)
    for name, texts in values.lists():
        cleaned.setlist(name.replace(NUL, ""), [text.replace(NUL, "") for text in texts])
    cleaned._mutable = False
    return cleaned
