"""Accepting an invitation: by somebody signed in, or by a new person who makes an account with it."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from b2b_recs.web.accounts.choice import SESSION_KEY
from b2b_recs.web.accounts.entrance import BACKEND
from b2b_recs.web.accounts.forms import JoinForm
from b2b_recs.web.accounts.invitations import InvitationOver, OtherAddress, accept, find
from b2b_recs.web.accounts.mail import sends_mail
from b2b_recs.web.accounts.models import Invitation, Membership, Role, User
from b2b_recs.web.accounts.policies import public
from b2b_recs.web.tenancy import audit_context


@public
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """GET says who invites whom, POST accepts: programs that preview links must not use them up."""
    try:
        found = find(token)
    except InvitationOver as over:
        return render(request, "accounts/invitation_over.html", {"over": over}, status=404)
    if not request.user.is_authenticated:
        return _for_a_new_person(request, found, token)
    person: User = request.user  # type: ignore[assignment]
    if person.email != found.email.lower():
        return _page(request, found, other=True, status=403 if request.method == "POST" else 200)
    return _accepted(request, token, person) if request.method == "POST" else _page(request, found)


def _for_a_new_person(request: HttpRequest, found: Invitation, token: str) -> HttpResponse:
    """The form of a new account, or the way to sign in for an address that has one."""
    if User.objects.filter(email=found.email.lower()).exists():
        return _page(request, found, known=True)
    form = JoinForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid() or not _good_password(form, found.email):
        return _page(request, found, form=form, status=422 if form.errors else 200)
    try:
        with transaction.atomic(), audit_context(**request.audit_notes, email=found.email):  # type: ignore[attr-defined]
            person = User.objects.create_user(
                found.email, form.cleaned_data["password"], full_name=form.cleaned_data["full_name"]
            )
            address = EmailAddress.objects.create(user=person, email=person.email, primary=True)
    except IntegrityError:  # the button was pressed twice
        return _page(request, found, known=True)
    login(request, person, backend=BACKEND)
    if sends_mail():
        address.send_confirmation(request, signup=True)
    return _accepted(request, token, person)


def _good_password(form: JoinForm, email: str) -> bool:
    """Whether the password is good enough for the person; the form says what is wrong with it."""
    person = User(email=email, full_name=form.cleaned_data["full_name"])
    try:
        validate_password(form.cleaned_data["password"], person)
    except ValidationError as refusal:
        form.add_error("password", refusal)
        return False
    return True


def _accepted(request: HttpRequest, token: str, person: User) -> HttpResponse:
    notes = {**request.audit_notes, "user": person.pk, "email": person.email}  # type: ignore[attr-defined]
    try:
        with audit_context(**notes):
            membership: Membership = accept(token, person)
    except (InvitationOver, OtherAddress) as refusal:
        return render(request, "accounts/invitation_over.html", {"over": refusal}, status=404)
    request.session[SESSION_KEY] = membership.organization_id
    messages.success(request, f"Welcome. You are {Role(membership.role).label.lower()} here.")
    return redirect("dashboard")


def _page(
    request: HttpRequest,
    found: Invitation,
    *,
    form: JoinForm | None = None,
    known: bool = False,
    other: bool = False,
    status: int = 200,
) -> HttpResponse:
    context = {
        "invitation": found,
        "form": form,
        "known": known,
        "other": other,
        "role": Role(found.role).label.lower(),
    }
    return render(request, "accounts/invitation.html", context, status=status)
