"""Reading what a program sent: JSON that can be kept, or the refusal that says why not."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja.parser import Parser

from b2b_recs.web.accounts.refusals import error_answer, refuse

LARGEST_BODY = 1024 * 1024
DEEPEST = 32
LARGEST_NUMBER = 2**63


class UnusableText(ValueError):
    """JSON that no database can keep: zero bytes, halves of characters, numbers that are none."""


class KeptBody(Parser):
    """Hands over the body that was read at the door."""

    def parse_body(self, request: HttpRequest) -> Any:
        """The body as it was read by ``refused_body``."""
        return request.json_body  # type: ignore[attr-defined]


def refused_body(request: HttpRequest) -> HttpResponse | None:
    """None when the body and the query can be used (the body is kept for the parser), else the refusal."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdecimal() and int(length) > LARGEST_BODY:
        return refuse(request, 413, advice="Send less than 1 MB.")
    try:
        for values in request.GET.lists():
            _usable(values, 0)
        if request.body:
            if request.content_type != "application/json":
                return refuse(request, 415, advice="Send the header Content-Type: application/json.")
            request.json_body = json.loads(request.body, parse_constant=_no_number)  # type: ignore[attr-defined]
            _usable(request.json_body, 0)  # type: ignore[attr-defined]
    except UnusableText as unusable:
        return error_answer(422, "bad_input", str(unusable), "Leave it out.")
    except (ValueError, RecursionError):
        return refuse(request, 400, "The body is not JSON.", "Send one JSON object in UTF-8.")
    return None


def _no_number(text: str) -> None:
    raise UnusableText(f"{text} is not a number.")


def _usable(value: Any, depth: int) -> None:
    """Refuse what PostgreSQL or the engine could not keep, anywhere in a document."""
    if depth > DEEPEST:
        raise UnusableText(f"The body is nested more than {DEEPEST} deep.")
    if isinstance(value, str):
        if "\x00" in value:
            raise UnusableText("A text contains a NUL character.")
        if any("\ud800" <= letter <= "\udfff" for letter in value):
            raise UnusableText("A text contains half of a character.")
    elif isinstance(value, bool) or value is None:
        return
    elif isinstance(value, int | float):
        if not (math.isfinite(value) and -LARGEST_NUMBER <= value < LARGEST_NUMBER):
            raise UnusableText("A number is too large.")
    elif isinstance(value, Mapping):
        for name, item in value.items():
            _usable(name, depth + 1)
            _usable(item, depth + 1)
    else:
        for item in value:
            _usable(item, depth + 1)
