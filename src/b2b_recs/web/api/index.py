"""What stands at the beginning of the API: where a program goes on from there."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse

from b2b_recs import __version__
from b2b_recs.web.accounts.policies import public
from b2b_recs.web.accounts.refusals import refuse


@public
def index(request: HttpRequest) -> HttpResponse:
    """The name and version of the API, its document, the first list, and how to sign in; the same for everybody."""
    if request.method not in ("GET", "HEAD"):
        refusal = refuse(request, 405, advice="Use GET.")
        refusal["Allow"] = "GET, HEAD"
        return refusal
    return JsonResponse(
        {
            "name": "b2b-recs",
            "version": __version__,
            "document": "/api/openapi.json",
            "document_for_people": "/api/docs",
            "models": "/api/models/",
            "sign_in": "Send Authorization: Bearer and an API key.",
        }
    )
