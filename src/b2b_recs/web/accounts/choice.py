"""Which of their organizations a signed-in person works in."""

from __future__ import annotations

from django.http import HttpRequest

from b2b_recs.web.accounts.models import Membership
from b2b_recs.web.tenancy import unscoped

SESSION_KEY = "organization"


def memberships_of(user_id: int) -> list[Membership]:
    """A person's memberships in organizations that are not suspended, by name. Call inside ``person``."""
    found = unscoped(Membership, "default").filter(user_id=user_id, organization__suspended=False)
    return list(found.select_related("organization").order_by("organization__name", "id"))


def chosen_membership(request: HttpRequest) -> Membership | None:
    """The membership chosen in this session, the first one when none is chosen, None for a member of nothing."""
    memberships = memberships_of(request.user.pk)
    wanted = request.session.get(SESSION_KEY)
    for membership in memberships:
        if membership.organization_id == wanted:
            return membership
    return memberships[0] if memberships else None


def choose(request: HttpRequest, organization_id: int) -> bool:
    """Work in that organization from the next request on; False when the person is not a member of it."""
    ids = {membership.organization_id for membership in memberships_of(request.user.pk)}
    if organization_id not in ids:
        return False
    request.session[SESSION_KEY] = organization_id
    return True
