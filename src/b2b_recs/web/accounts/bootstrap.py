"""The first account of an installation; it has no password until its owner sets one."""

from __future__ import annotations

from b2b_recs.runtime.environment import envtext
from b2b_recs.web.accounts.models import Membership, Organization, Role, User
from b2b_recs.web.tenancy import operating

OWNER_VARIABLE = "B2B_RECS_OWNER_EMAIL"
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(7142027)"


def ensure_owner() -> tuple[User, Organization, bool]:
    """The owner account, the organization it owns, and whether they were made now.

    The owner is an operator as well. The address comes from ``B2B_RECS_OWNER_EMAIL``, else owner@localhost.
    """
    from django.db import connections

    with operating(audit={"process": "first start"}):
        with connections["operator"].cursor() as cursor:
            cursor.execute(_ONE_AT_A_TIME)
        found = (
            Membership.objects.filter(role=Role.OWNER, user__is_operator=True)
            .select_related("user", "organization")
            .order_by("id")
            .first()
        )
        if found is not None:
            return found.user, found.organization, False
        email = envtext(OWNER_VARIABLE, "owner@localhost").lower()
        user = User.objects.filter(email=email).first() or User.objects.create_user(email)
        if not user.is_operator:
            user.is_operator = True
            user.save(update_fields=["is_operator"])
        organization, _ = Organization.objects.get_or_create(slug="default", defaults={"name": "My organization"})
        Membership.objects.update_or_create(organization=organization, user=user, defaults={"role": Role.OWNER})
        return user, organization, True
