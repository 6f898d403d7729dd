"""Changing the organization a signed-in person works in."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from b2b_recs.web.accounts.choice import choose
from b2b_recs.web.accounts.policies import signed_in


@signed_in
@require_POST
def choose_organization(request: HttpRequest) -> HttpResponse:
    """Work in another of one's organizations from now on; 404 for any other."""
    wanted = request.POST.get("organization", "")
    if not (wanted.isascii() and wanted.isdigit() and len(wanted) < 19) or not choose(request, int(wanted)):
        raise Http404
    return redirect("dashboard")
