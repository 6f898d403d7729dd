"""Changing who belongs to an organization and as what. Call inside the organization's scope.

Admins manage everybody below owners; owners manage everybody. An organization always keeps an owner.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import transaction

from b2b_recs.engine.errors import BadInput
from b2b_recs.web.accounts.models import Invitation, Membership, Role
from b2b_recs.web.conflicts import Conflict


class LastOwner(Conflict):
    """Without this owner the organization would have none."""

    code: ClassVar[str] = "last_owner"


class NotYours(BadInput):
    """The member's role does not allow touching that member or giving that role."""

    code: ClassVar[str] = "not_allowed"


def assignable(by: Membership | None) -> list[Role]:
    """The roles a member may give to others, the strongest first; none for those who do not manage."""
    if by is None or not by.may(Role.ADMIN):
        return []
    return [role for role in Role if by.role == Role.OWNER or role != Role.OWNER]


def may_manage(by: Membership | None, membership: Membership) -> bool:
    """Whether a member may change or remove another: admins do not touch owners."""
    return Role(membership.role) in assignable(by)


def change_role(membership: Membership, role: str, by: Membership) -> None:
    """Give a member another role. Raises NotYours, or LastOwner when nobody would own the organization."""
    if role not in Role.values:
        raise BadInput("There is no such role.", field="role", advice="Choose one of the list.")
    with transaction.atomic():
        owners = _owners()
        membership.refresh_from_db()
        if not may_manage(by, membership) or Role(role) not in assignable(by):
            raise NotYours("Only an owner gives or takes the role of an owner.", field="role", advice="Ask an owner.")
        if membership.role == Role.OWNER != role and owners == {membership.id}:
            raise LastOwner(
                "This is the only owner, and an organization always has one.",
                field="role",
                advice="Make somebody else an owner first.",
            )
        membership.role = role
        membership.save(update_fields=["role"])


def remove_member(membership: Membership, by: Membership) -> None:
    """End a membership, one's own ("leave") or another's; invitations the person sent and nobody used end as well.

    Raises NotYours, or LastOwner when nobody would own the organization.
    """
    with transaction.atomic():
        owners = _owners()
        membership.refresh_from_db()
        if membership.id != by.id and not may_manage(by, membership):
            raise NotYours("Only an owner removes an owner.", advice="Ask an owner.")
        if owners == {membership.id}:
            raise LastOwner(
                "The only owner cannot leave, since an organization always has one.",
                advice="Make somebody else an owner first.",
            )
        Invitation.objects.filter(invited_by_id=membership.user_id, accepted_at=None).delete()
        membership.delete()


def _owners() -> set[int]:
    """The owners' membership ids, locked: of two owners who leave at once, one stays."""
    found = Membership.objects.select_for_update().filter(role=Role.OWNER).order_by("id")
    return {membership.id for membership in found}
