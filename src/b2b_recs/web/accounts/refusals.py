"""What a visitor is told when a request is turned away."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

# By status: the title of the page, the usual words, and the code programs read.
WORDS = {
    400: ("Not readable", "The request cannot be read.", "unreadable"),
    401: ("Sign in first", "This needs a signed-in user or an API key.", "not_signed_in"),
    403: (
        "Not allowed",
        "Your role in this organization does not allow this. Ask an admin for another role.",
        "not_allowed",
    ),
    404: ("Not found", "There is nothing here, or it belongs to another organization.", "not_found"),
    405: ("Not possible", "This address is not asked in that way.", "method_not_allowed"),
    413: ("Too large", "The request is larger than this address takes.", "too_large"),
    415: ("Not JSON", "This address takes JSON only.", "not_json"),
    500: (
        "Something failed on our side",
        "Nothing was changed. The operator finds the cause in the log.",
        "failed",
    ),
}


def refuse(request: HttpRequest, status: int, message: str = "", advice: str = "") -> HttpResponse:
    """The answer with that status: JSON for programs, a page for people."""
    title, usual, code = WORDS[status]
    if request.path.startswith("/api/") or "application/json" in request.headers.get("Accept", ""):
        return error_answer(status, code, message or usual, advice)
    return render(request, "accounts/refusal.html", {"title": title, "message": message or usual}, status=status)


def error_answer(status: int, code: str, message: str, advice: str = "", field: str | None = None) -> JsonResponse:
    """The one shape every refusal of the JSON API has; ``field`` names what to change in the request."""
    return JsonResponse({"error": {"code": code, "message": message, "advice": advice, "field": field}}, status=status)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form was too old or came from elsewhere; a program that did not say who it is learns just that."""
    if request.path.startswith("/api/") and not request.user.is_authenticated:
        return refuse(request, 401)
    return refuse(request, 403, "This form is too old or came from another site. Go back, reload the page, try again.")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """The same answer for what is missing and what is foreign."""
    return refuse(request, 404)


def denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """The role does not allow it."""
    return refuse(request, 403)


def failed(request: HttpRequest) -> HttpResponse:
    """A fault of ours."""
    return refuse(request, 500)
