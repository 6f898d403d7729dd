"""The page of members: who belongs here, as what, and who is invited."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from b2b_recs.engine.errors import BadInput, EngineError
from b2b_recs.web.accounts import member_queries
from b2b_recs.web.accounts.access import allows, requires, row_or_404
from b2b_recs.web.accounts.forms import InviteForm
from b2b_recs.web.accounts.invitations import VALID_DAYS, invite, renew, withdraw
from b2b_recs.web.accounts.mail import Delivery, send_mail
from b2b_recs.web.accounts.members import LastOwner, NotYours, assignable, change_role, remove_member
from b2b_recs.web.accounts.models import Invitation, Membership, Role
from b2b_recs.web.accounts.organizations import switched_meanwhile
from b2b_recs.web.api.limits import INVITATIONS, TooMany, spend

NAMES = {value: label.lower() for value, label in Role.choices}


@requires("viewer")
@never_cache
@require_http_methods(["GET", "POST"])
def members(request: HttpRequest) -> HttpResponse:
    """The list; posting invites and shows the link in this one answer."""
    if request.method != "POST":
        return _page(request)
    if not allows(request, Role.ADMIN):
        raise PermissionDenied
    if switched_meanwhile(request):
        return redirect("members")
    form = InviteForm(request.POST, roles=assignable(_acting(request)))
    if not form.is_valid():
        return _page(request, form=form, status=422)
    try:
        spend(request, INVITATIONS)
        invitation, token = invite(form.cleaned_data["email"], form.cleaned_data["role"], _acting(request))
    except TooMany as refusal:
        form.add_error(None, str(refusal))
        return _page(request, form=form, status=429)
    except BadInput as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        return _page(request, form=form, status=422)
    return _page(request, fresh=_delivered(request, invitation, token))


@requires("admin")
@never_cache
@require_POST
def invitation_renew(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """A new link for an invitation, shown in this one answer; the link before stops working."""
    invitation = row_or_404(request, Invitation, "admin", id=invitation_id)
    try:
        spend(request, INVITATIONS)
        token = renew(invitation, _acting(request))
    except EngineError as refusal:
        messages.error(request, str(refusal))
        return redirect("members")
    return _page(request, fresh=_delivered(request, invitation, token))


@requires("admin")
@require_POST
def invitation_withdraw(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """End an invitation nobody accepted."""
    invitation = row_or_404(request, Invitation, "admin", id=invitation_id)
    try:
        withdraw(invitation, _acting(request))
    except EngineError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"The invitation of {invitation.email} was withdrawn. Its link no longer works.")
    return redirect("members")


@requires("admin")
@require_POST
def member_role(request: HttpRequest, membership_id: int) -> HttpResponse:
    """Give a member another role."""
    membership = row_or_404(request, Membership.objects.select_related("user"), "admin", id=membership_id)
    role = request.POST.get("role", "")
    try:
        change_role(membership, role, _acting(request))
    except (BadInput, LastOwner, NotYours) as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{membership.user.get_full_name()} is now {NAMES[role]}.")
    return _back(request)


@requires("admin")
@require_POST
def member_remove(request: HttpRequest, membership_id: int) -> HttpResponse:
    """End a member's membership."""
    membership = row_or_404(request, Membership.objects.select_related("user"), "admin", id=membership_id)
    try:
        remove_member(membership, _acting(request))
    except (BadInput, LastOwner, NotYours) as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{membership.user.get_full_name()} is no longer a member.")
    return _back(request)


@requires("viewer")
@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """End one's own membership in the organization the form was made for."""
    membership = row_or_404(
        request, Membership, id=_number(request.POST.get("membership", "")), user=request.user.pk or 0
    )
    name = request.organization.name  # type: ignore[attr-defined]
    try:
        remove_member(membership, membership)
    except LastOwner as refusal:
        messages.error(request, str(refusal))
        return redirect("members")
    messages.success(request, f"You left {name}.")
    return redirect("account")


def _back(request: HttpRequest) -> HttpResponse:
    """The list as it was narrowed when the button was pressed."""
    query = request.GET.urlencode()
    return redirect(reverse("members") + (f"?{query}" if query else ""))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _acting(request: HttpRequest) -> Membership:
    """The visitor's own membership; programs have none and get here never, since no key is worth an admin."""
    membership: Membership | None = request.membership  # type: ignore[attr-defined]
    if membership is None:
        raise PermissionDenied
    return membership


def _delivered(request: HttpRequest, invitation: Invitation, token: str) -> dict[str, Any]:
    """What the page says of a link just made: the link, and whether an e-mail took it along."""
    link = request.build_absolute_uri(reverse("invitation", args=[token]))
    organization = request.organization.name  # type: ignore[attr-defined]
    context = {
        "organization": organization,
        "by": request.user.get_full_name(),  # type: ignore[union-attr]
        "role": NAMES[invitation.role],
        "link": link,
        "days": VALID_DAYS,
    }
    subject = f"{context['by']} invites you to {organization}"
    delivery = send_mail(invitation.email, subject, "accounts/invitation_mail.txt", context)
    return {"email": invitation.email, "link": link, "days": VALID_DAYS, "sent": delivery == Delivery.SENT,
            "failed": delivery == Delivery.FAILED}  # fmt: skip


def _page(
    request: HttpRequest, *, form: InviteForm | None = None, fresh: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    ask, membership = request.GET, request.membership  # type: ignore[attr-defined]
    listing = member_queries.members(membership, ask.get("q", "").strip(), ask.get("role", ""), ask.get("page", "1"))
    context = {"listing": listing, "form": form or InviteForm(roles=assignable(membership)), "fresh": fresh}
    return render(request, "accounts/members.html", context, status=status)
