"""What the page of members reads. Call inside the organization's scope."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Lower
from django.utils import timezone

from b2b_recs.web.accounts.members import assignable, may_manage
from b2b_recs.web.accounts.models import ApiKey, Invitation, Membership, Role
from b2b_recs.web.ui import formats

PER_PAGE = 25
MOST_INVITATIONS = 200  # shown at once; an organization may send 120 an hour
ROLES = {
    Role.OWNER: "Everything, also making and removing owners.",
    Role.ADMIN: "Members, API keys, the audit log and settings, and everything editors do.",
    Role.EDITOR: "Connections, jobs, training: changes and runs whatever the models need.",
    Role.VIEWER: "Looks at everything but the audit log and settings, and asks models; changes nothing.",
}


@dataclass(frozen=True)
class Person:
    """One line of the list."""

    membership: Membership
    is_self: bool
    may_manage: bool
    roles: list[Role]
    removal: str

    @property
    def name(self) -> str:
        """The name, or the address when none is known."""
        return str(self.membership.user.get_full_name())


@dataclass(frozen=True)
class OpenInvitation:
    """An invitation nobody has accepted, and whether the visitor may renew or withdraw it."""

    row: Invitation
    is_over: bool
    may_change: bool


@dataclass(frozen=True)
class Members:
    """The page: people, open invitations, and what the visitor may do."""

    page: Page[Any]
    invitations: list[OpenInvitation]
    query: str
    role: str
    headline: str
    may_invite: bool
    roles: list[tuple[str, str]]
    meanings: list[tuple[str, str]]


def members(by: Membership | None, query: str, role: str, page: str) -> Members:
    """Everything the page shows; seven queries whatever the number of members."""
    counts = Counter(Membership.objects.values_list("role", flat=True))
    shown = Paginator(_people(query, role), PER_PAGE).get_page(page)
    rows = list(shown.object_list)
    users = [membership.user_id for membership in rows]
    valid = ApiKey.objects.filter(created_by__in=users, revoked_at=None).order_by()
    keys = Counter(valid.values_list("created_by", flat=True))
    sent = Counter(
        Invitation.objects.filter(invited_by__in=users, accepted_at=None)
        .order_by()
        .values_list("invited_by", flat=True)
    )
    shown.object_list = [
        _person(membership, by, counts[Role.OWNER], keys[membership.user_id], sent[membership.user_id])
        for membership in rows
    ]
    may_invite = bool(assignable(by))
    return Members(
        page=shown,
        invitations=_open_invitations(by) if may_invite else [],
        query=query,
        role=role,
        headline=_headline(counts),
        may_invite=may_invite,
        roles=[(one.value, one.label) for one in Role],
        meanings=[(one.label, ROLES[one]) for one in Role],
    )


def _people(query: str, role: str) -> QuerySet[Membership]:
    order = Case(*(When(role=one.value, then=Value(-one.rank)) for one in Role), output_field=IntegerField())
    found: QuerySet[Membership] = Membership.objects.select_related("user")
    if query:
        found = found.filter(Q(user__email__icontains=query) | Q(user__full_name__icontains=query))
    if role in Role.values:
        found = found.filter(role=role)
    return found.order_by(order, Lower("user__email"))


def _person(membership: Membership, by: Membership | None, owners: int, keys: int, sent: int) -> Person:
    last_owner = membership.role == Role.OWNER and owners == 1
    is_self = by is not None and by.id == membership.id
    managed = may_manage(by, membership) and not last_owner
    return Person(
        membership=membership,
        is_self=is_self,
        may_manage=managed or (is_self and not last_owner),
        roles=assignable(by) if managed else [],
        removal=_removal(membership, is_self, keys, sent),
    )


def _removal(membership: Membership, is_self: bool, keys: int, sent: int) -> str:
    """What is lost with a member, in words."""
    who = "You" if is_self else membership.user.email
    words = [f"{who} cannot open this organization any more, until somebody sends a new invitation."]
    words.append("Models, connections and runs stay.")
    if sent:
        words.append(f"{formats.counted(sent, 'invitation')} sent and not accepted yet: withdrawn.")
    if keys:
        words.append(f"{formats.counted(keys, 'API key')} made: still valid. Revoke what should not be.")
    return " ".join(words)


def _open_invitations(by: Membership | None) -> list[OpenInvitation]:
    now, given = timezone.now(), set(assignable(by))
    found = Invitation.objects.filter(accepted_at=None).select_related("invited_by")[:MOST_INVITATIONS]
    return [OpenInvitation(one, one.expires_at <= now, Role(one.role) in given) for one in found]


def _headline(counts: Counter[str]) -> str:
    people = formats.counted(sum(counts.values()), "person", "people")
    return f"{people}, {formats.counted(counts[Role.OWNER], 'owner')}."
