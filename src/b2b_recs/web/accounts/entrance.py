"""Signing in with a one-time link."""

from __future__ import annotations

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from b2b_recs.web.accounts.policies import public
from b2b_recs.web.accounts.sign_in_links import holder, redeem

BACKEND = "django.contrib.auth.backends.ModelBackend"


@public
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks to confirm, POST signs in: programs that preview links must not use them up."""
    user = redeem(token) if request.method == "POST" else holder(token)
    if user is None:
        return render(request, "accounts/sign_in_link.html", {"holder": None}, status=404)
    if request.method != "POST":
        return render(request, "accounts/sign_in_link.html", {"holder": user, "next": request.GET.get("next", "")})
    login(request, user, backend=BACKEND)
    return redirect(safe_next(request))


def safe_next(request: HttpRequest) -> str:
    """Where ``next`` leads when that is on this site, else the dashboard."""
    wanted = request.POST.get("next", "")
    allowed = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if allowed else "/"
