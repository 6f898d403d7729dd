"""What a visitor is told when a request is turned away."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

WORDS = {
    401: ("Sign in first", "This needs a signed-in user or an API key."),
    403: ("Not allowed", "Your role in this organization does not allow this. Ask an admin for another role."),
    404: ("Not found", "There is nothing here, or it belongs to another organization."),
    500: ("Something failed on our side", "Nothing was changed. The operator finds the cause in the log."),
}


def refuse(request: HttpRequest, status: int, message: str = "") -> HttpResponse:
    """The answer with that status: JSON for programs, a page for people."""
    title, usual = WORDS[status]
    if request.path.startswith("/api/") or "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"error": {"message": message or usual}}, status=status)
    return render(request, "accounts/refusal.html", {"title": title, "message": message or usual}, status=status)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form was too old or came from elsewhere."""
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
