"""Open places for people who are not members yet: made, renewed, withdrawn, accepted.

A token names its organization, so that looking it up needs no way out of a scope; only its SHA-256 is kept.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import timedelta
from typing import ClassVar

from django.db import transaction
from django.utils import timezone

from b2b_recs.engine.errors import BadInput
from b2b_recs.web.accounts.members import NotYours, assignable
from b2b_recs.web.accounts.models import Invitation, Membership, Role, User
from b2b_recs.web.conflicts import Conflict, NameTaken
from b2b_recs.web.tenancy import required, scope

VALID_DAYS = 7
_FORM = re.compile(r"([1-9][0-9]{0,17})-[\w-]{43}")


class InvitationOver(Conflict):
    """An invitation that cannot be accepted any more; ``organization`` is who invited, empty when unknown."""

    code: ClassVar[str] = "invitation_over"

    def __init__(self, message: str, organization: str = "") -> None:
        super().__init__(message)
        self.organization = organization


class OtherAddress(Conflict):
    """The invitation is for somebody else's address."""

    code: ClassVar[str] = "other_address"


def invite(email: str, role: str, by: Membership) -> tuple[Invitation, str]:
    """A new invitation and its token, which is shown once and never stored.

    Raises NotYours for a role the member may not give, NameTaken for a member or an address invited already.
    """
    email = email.strip().lower()
    _may_give(role, by)
    if Membership.objects.filter(user__email=email).exists():
        raise NameTaken(f"{email} is a member already.", field="email", advice="Change the role in the list below.")
    # one by one in an organization, so that two presses at once make one invitation
    list(Membership.objects.select_for_update().filter(id=by.id))
    if Invitation.objects.filter(email__iexact=email, accepted_at=None).exists():
        raise NameTaken(f"{email} is invited already.", field="email", advice="Make a new link in the list below.")
    token = _new_token()
    invitation = Invitation.objects.create(
        email=email, role=role, token_hash=digest(token), invited_by_id=by.user_id, expires_at=_end()
    )
    return invitation, token


def renew(invitation: Invitation, by: Membership) -> str:
    """A new token for another seven days; the one before stops working. Raises NotYours, InvitationOver."""
    _may_give(invitation.role, by)
    token = _new_token()
    fresh = {"token_hash": digest(token), "expires_at": _end(), "invited_by_id": by.user_id}
    if not Invitation.objects.filter(id=invitation.id, accepted_at=None).update(**fresh):
        raise InvitationOver(f"{invitation.email} has accepted meanwhile.")
    invitation.expires_at = fresh["expires_at"]
    return token


def withdraw(invitation: Invitation, by: Membership) -> None:
    """End an invitation nobody accepted; its link stops working. Raises NotYours."""
    _may_give(invitation.role, by)
    Invitation.objects.filter(id=invitation.id, accepted_at=None).delete()


def find(token: str) -> Invitation:
    """The invitation of a token, with its organization. Raises InvitationOver when it cannot be accepted.

    Call in any scope or none.
    """
    form = _FORM.fullmatch(token)
    unknown = InvitationOver("The link is not complete, or the invitation was withdrawn or renewed.")
    if form is None:
        raise unknown
    with scope(int(form[1])):
        invitation = (
            Invitation.objects.select_related("organization", "invited_by").filter(token_hash=digest(token)).first()
        )
    if invitation is None or invitation.organization.suspended:
        raise unknown
    name = invitation.organization.name
    if invitation.accepted_at is not None:
        raise InvitationOver(f"This invitation to {name} was accepted already.", name)
    if invitation.expires_at <= timezone.now():
        raise InvitationOver(f"This invitation to {name} was valid for {VALID_DAYS} days, which are over.", name)
    return invitation


def accept(token: str, user: User) -> Membership:
    """The person's place in the organization; an invitation opens once, and only for its address.

    Raises InvitationOver, OtherAddress. Somebody who is a member already keeps the role they have.
    """
    invitation = find(token)
    if user.email != invitation.email.lower():
        raise OtherAddress(f"This invitation is for {invitation.email}, and you are {user.email}.")
    with scope(invitation.organization_id), transaction.atomic():
        still = Invitation.objects.filter(id=invitation.id, token_hash=digest(token), accepted_at=None)
        if not still.update(accepted_at=timezone.now()):
            raise InvitationOver("This invitation was accepted already.", invitation.organization.name)
        membership, _ = Membership.objects.get_or_create(user=user, defaults={"role": invitation.role})
    found: Membership = membership
    return found


def digest(token: str) -> str:
    """SHA-256 of a token, in hex."""
    return hashlib.sha256(token.encode()).hexdigest()


def _may_give(role: str, by: Membership) -> None:
    if role not in Role.values:
        raise BadInput("There is no such role.", field="role", advice="Choose one of the list.")
    if Role(role) not in assignable(by):
        raise NotYours("Only an owner invites owners.", field="role", advice="Choose another role or ask an owner.")


def _new_token() -> str:
    return f"{required()}-{secrets.token_urlsafe(32)}"


def _end():  # type: ignore[no-untyped-def]
    return timezone.now() + timedelta(days=VALID_DAYS)
