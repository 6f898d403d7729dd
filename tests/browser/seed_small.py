"""An installation with two empty models, for tests that fill it by its pages. Prints what the tests need as JSON."""

# ruff: noqa: E402 - Django has to be set up before its models are imported

from __future__ import annotations

import json
import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "b2b_recs.web.settings")
os.environ["B2B_RECS_ROLE"] = "worker"
django.setup()

from b2b_recs.web.accounts.bootstrap import ensure_owner
from b2b_recs.web.accounts.models import Membership, User
from b2b_recs.web.accounts.sign_in_links import create_link
from b2b_recs.web.projects.services import create_model
from b2b_recs.web.tenancy import operating, scope


def main() -> None:
    """Fill, and print the ids and sign-in links."""
    owner, organization, _ = ensure_owner()
    with operating():
        viewer = User.objects.create_user("viewer@example.com")
        Membership.objects.create(organization=organization, user=viewer, role="viewer")
        people = {"owner": owner, "viewer": viewer}
        links = {name: [create_link(user) for _ in range(9)] for name, user in people.items()}
    with scope(organization.id):
        first = create_model(organization, owner, "Giftware wholesale", currency="GBP", time_zone="Europe/London")
        second = create_model(organization, owner, "Spare parts", currency="EUR", time_zone="Europe/Berlin")
    print(json.dumps({"links": links, "models": [first.id, second.id]}))


main()
