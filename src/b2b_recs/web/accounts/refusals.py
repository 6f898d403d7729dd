"""What a visitor is told when a request is turned away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import Resolver404, is_valid_path

from b2b_recs.web.tenancy import person

# By status: the title of the page, the usual words, and the code programs read.
WORDS = {
    400: ("Not readable", "The request cannot be read.", "unreadable"),
    401: ("Sign in first", "This needs a signed-in user or an API key.", "not_signed_in"),
    403: ("Not allowed", "Your role in this organization does not allow this.", "not_allowed"),
    404: ("Not found", "There is nothing here, or it belongs to another organization.", "not_found"),
    405: ("Not possible", "This address is not asked in that way.", "method_not_allowed"),
    413: ("Too large", "The request is larger than this address takes.", "too_large"),
    415: ("Not JSON", "This address takes JSON only.", "not_json"),
    429: ("Too often", "This was asked too often.", "too_many_requests"),
    500: (
        "Something failed on our side",
        "Nothing was changed. The operator finds the cause in the log.",
        "failed",
    ),
}

# By status: what to do, when nobody knows better.
ADVICE = {
    400: "Send one JSON object in UTF-8.",
    401: (
        "Send Authorization: Bearer and a key of this organization that is not revoked; "
        "b2b-recs api-key MODEL makes one."
    ),
    403: "Ask an admin for another role.",
    404: "Check the address and its numbers; the lists of the models show what is there.",
    405: "Look up the method in /api/docs.",
    413: "Send less.",
    429: "Wait, then go on.",
    415: "Send the header Content-Type: application/json.",
    500: "Try again later.",
}


class NotThere(Http404):
    """Something missing within a row that the visitor may see, so that it can be named."""

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice


def of_api(path: str) -> bool:
    """Whether an address is the API's, so that programs ask for it; the slash may be missing."""
    return path == "/api" or path.startswith("/api/")


def refuse(request: HttpRequest, status: int, message: str = "", advice: str = "") -> HttpResponse:
    """The answer with that status: JSON for programs, a page for people."""
    title, usual, code = WORDS[status]
    if of_api(request.path) or "application/json" in request.headers.get("Accept", ""):
        return error_answer(status, code, message or usual, advice or ADVICE[status])
    told = message or (f"{usual} {ADVICE[403]}" if status == 403 else usual)
    member = getattr(request, "membership", None) is not None
    homeless = status == 403 and getattr(request, "organization", None) is None and request.user.is_authenticated
    context = {"title": title, "message": told, "homeless": homeless, "layout": "ui/entrance.html"}
    if not member or status >= 500 or request.headers.get("HX-Request") == "true":
        return render(request, "accounts/refusal.html", context, status=status)
    context["layout"] = "ui/shell.html"
    # a request that opens its transactions itself has none by now
    with nullcontext() if connection.in_atomic_block else person(request.user.pk):
        return render(request, "accounts/refusal.html", context, status=status)


def not_allowed(request: HttpRequest, role: str = "editor") -> HttpResponse:
    """The answer to somebody below ``role``: a member learns of roles, a program of what its key lacks."""
    if getattr(request, "api_key", None) is None:
        return refuse(request, 403)
    lacks = {"viewer": "read", "editor": "write"}.get(role)
    if lacks is None:
        return refuse(request, 403, "No API key may do this.", "Sign in as a person with the role for it.")
    made = f"b2b-recs api-key MODEL --scope {lacks} makes one."
    return refuse(request, 403, f"This key lacks the scope {lacks}.", f"Use a key that has it; {made}")


def error_answer(
    status: int,
    code: str,
    message: str,
    advice: str = "",
    field: str | None = None,
    faults: Sequence[Mapping[str, Any]] = (),
) -> JsonResponse:
    """The one shape every refusal of the JSON API has; ``field`` names what to change in the request.

    ``faults`` are all that were found, when there is more than the one told.
    """
    told: dict[str, Any] = {"code": code, "message": message, "advice": advice, "field": field}
    if len(faults) > 1:
        told["faults"] = list(faults)
    return JsonResponse({"error": told}, status=status)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form was too old or came from elsewhere; a program that did not say who it is learns just that."""
    of_page = request.headers.get("HX-Request") == "true"
    if (of_api(request.path) or of_page) and not request.user.is_authenticated:
        return refuse(request, 401)
    told = "This form is too old or came from another site. Go back, reload the page, try again."
    return refuse(request, 403, told, "Send the header X-CSRFToken with the token of the page, or use an API key.")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """The same answer for what is missing and what is foreign; a program learns when there is no such address."""
    if isinstance(exception, Resolver404) and of_api(request.path):
        return refuse(request, 404, "The API has no such address.", _where_to_look(request.path))
    return refuse_missing(request, exception)


def refuse_missing(request: HttpRequest, exception: Exception | None) -> HttpResponse:
    """The usual 404, which tells nothing; of what is missing in a row of the visitor's own its words."""
    if isinstance(exception, NotThere):
        return refuse(request, 404, exception.message, exception.advice)
    return refuse(request, 404)


def _where_to_look(path: str) -> str:
    if not path.endswith("/") and is_valid_path(f"{path}/"):
        return f"Write a slash at its end: {path}/."
    return "Look it up in /api/docs, which lists every address."


def denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """The role does not allow it."""
    return refuse(request, 403)


def failed(request: HttpRequest) -> HttpResponse:
    """A fault of ours."""
    return refuse(request, 500)
