"""A new organization with its first owner, made by a signed-in person where the installation allows it."""

from __future__ import annotations

import re
import secrets
import unicodedata

from django.db import connection

from b2b_recs.web.accounts.models import Membership, Organization, Role, User
from b2b_recs.web.tenancy import scope

_NEXT_ID = "SELECT nextval(pg_get_serial_sequence('accounts_organization', 'id'))"


def found_organization(name: str, owner: User) -> Organization:
    """A new organization of that name, owned by the person.

    Row-level security lets a scope make only its own organization, so the id is drawn first and its scope entered.
    """
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_ID)
        organization_id = int(cursor.fetchone()[0])
    with scope(organization_id):
        organization = Organization.objects.create(id=organization_id, name=name, slug=_slug(name))
        Membership.objects.create(organization=organization, user=owner, role=Role.OWNER)
    return organization


def _slug(name: str) -> str:
    """Letters of the name and a random end, since whether a name is taken is nobody's business."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:60].strip("-")
    return f"{words}-{secrets.token_hex(4)}" if words else secrets.token_hex(6)
