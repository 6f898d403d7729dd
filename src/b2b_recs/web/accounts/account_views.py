"""A person's own account: name, how they sign in, the organizations they belong to."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.views import EmailView
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from b2b_recs.web.accounts.choice import memberships_of
from b2b_recs.web.accounts.forms import NameForm
from b2b_recs.web.accounts.mail import sends_mail
from b2b_recs.web.accounts.models import User
from b2b_recs.web.accounts.policies import signed_in

_email_of_library = EmailView.as_view()


@signed_in
@require_http_methods(["GET", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """Name, ways to sign in, organizations; posting saves the name."""
    person: User = request.user  # type: ignore[assignment]
    posted = request.method == "POST"
    form = NameForm(request.POST if posted else None, initial={"full_name": person.full_name})
    if posted and form.is_valid():
        person.full_name = form.cleaned_data["full_name"]
        person.save(update_fields=["full_name"])
        messages.success(request, "The name was saved.")
        return redirect("account")
    context = {"form": form, "ways": _ways_in(person), "memberships": memberships_of(person.pk),
               "may_found": settings.SIGN_UP}  # fmt: skip
    return render(request, "accounts/account.html", context, status=422 if form.errors else 200)


def _ways_in(person: User) -> dict[str, Any]:
    """What the person can sign in with."""
    found = dict.fromkeys(Authenticator.Type.values, 0)
    codes = 0
    for authenticator in Authenticator.objects.filter(user_id=person.pk):
        found[authenticator.type] += 1
        if authenticator.type == Authenticator.Type.RECOVERY_CODES:
            codes = len(authenticator.wrap().get_unused_codes())
    return {
        "password": person.has_usable_password(),
        "totp": found[Authenticator.Type.TOTP],
        "keys": found[Authenticator.Type.WEBAUTHN],
        "codes": codes,
        "confirmed": EmailAddress.objects.filter(user_id=person.pk, email=person.email, verified=True).exists(),
    }


@signed_in
@never_cache
@require_http_methods(["GET", "POST"])
def account_email(request: HttpRequest) -> HttpResponse:
    """The library's page to change the address; without a mail server, which it needs, a page that says so."""
    if sends_mail():
        answer: HttpResponse = _email_of_library(request)
        return answer
    return render(request, "accounts/email_fixed.html", status=409 if request.method == "POST" else 200)
