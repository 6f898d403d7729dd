"""Who may change whose membership, and that an organization always keeps an owner."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tenant_rows import Tenant

from b2b_recs.web.accounts.api_keys import create_key
from b2b_recs.web.accounts.members import LastOwner, remove_member
from b2b_recs.web.accounts.models import Invitation, Membership, MembershipEvent, User
from b2b_recs.web.tenancy import operating, scope

MEMBERS = "/organization/members/"


def signed_in(tenant: Tenant, role: str) -> Client:
    client = Client()
    client.force_login(tenant.people[role], backend="django.contrib.auth.backends.ModelBackend")
    return client


def membership(tenant: Tenant, role: str) -> Membership:
    with scope(tenant.id):
        return Membership.objects.get(user=tenant.people[role])


def roles(tenant: Tenant) -> dict[str, str]:
    """Each person's present role, by the role they began with."""
    with scope(tenant.id):
        now = dict(Membership.objects.values_list("user_id", "role"))
    return {began: now[user.id] for began, user in tenant.people.items() if user.id in now}


def change(tenant: Tenant, by: str, whom: str, role: str) -> str:
    """Press "Change"; the page afterwards."""
    address = f"{MEMBERS}{membership(tenant, whom).id}/role/"
    return signed_in(tenant, by).post(address, {"role": role}, follow=True).content.decode()


def test_a_viewer_reads_the_list_and_sees_no_action(acme: Tenant) -> None:
    page = signed_in(acme, "viewer").get(MEMBERS).content.decode()
    assert "editor@acme.example" in page
    assert "Leave Acme?" in page  # the one thing everybody may do
    for absent in ("Invite somebody", "guest@acme.example", "/role/", "/remove/", "Audit log", ">Settings<"):
        assert absent not in page, absent


def test_an_admin_manages_everybody_below_owners(acme: Tenant) -> None:
    assert "viewer@acme.example is now editor." in change(acme, "admin", "viewer", "editor")
    assert "viewer@acme.example is now admin." in change(acme, "admin", "viewer", "admin")
    assert roles(acme)["viewer"] == "admin"


def test_an_admin_touches_no_owner_and_makes_none(acme: Tenant) -> None:
    before = roles(acme)
    for whom, role in (("owner", "viewer"), ("viewer", "owner"), ("admin", "owner")):
        assert "Only an owner gives or takes the role of an owner." in change(acme, "admin", whom, role)
    assert roles(acme) == before


def test_an_admin_removes_no_owner(acme: Tenant) -> None:
    page = signed_in(acme, "admin").post(f"{MEMBERS}{membership(acme, 'owner').id}/remove/", follow=True)
    assert "Only an owner removes an owner." in page.content.decode()
    assert "owner" in roles(acme)


def test_the_last_owner_is_neither_demoted_nor_leaves(acme: Tenant) -> None:
    assert "This is the only owner" in change(acme, "owner", "owner", "viewer")
    own = membership(acme, "owner")
    page = signed_in(acme, "owner").post("/organization/leave/", {"membership": own.id}, follow=True)
    assert "The only owner cannot leave" in page.content.decode()
    assert roles(acme)["owner"] == "owner"


def test_a_second_owner_lets_the_first_go(acme: Tenant) -> None:
    change(acme, "owner", "admin", "owner")
    own = membership(acme, "owner")
    client = signed_in(acme, "owner")
    assert "You left Acme." in client.post("/organization/leave/", {"membership": own.id}, follow=True).content.decode()
    assert client.get(MEMBERS).status_code == 403
    assert roles(acme) == {"admin": "owner", "editor": "editor", "viewer": "viewer"}


def test_of_two_owners_who_leave_at_once_one_stays(acme: Tenant) -> None:
    change(acme, "owner", "admin", "owner")
    both = [membership(acme, began) for began in ("owner", "admin")]

    def go(one: Membership) -> bool:
        try:
            with scope(acme.id):
                remove_member(one, one)
            return True
        except LastOwner:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(go, both)) == [False, True]
    assert list(roles(acme).values()).count("owner") == 1


def test_a_removed_person_is_out_at_the_next_request_with_their_invitations(acme: Tenant) -> None:
    editor = signed_in(acme, "editor")
    assert editor.get("/").status_code == 200
    with scope(acme.id):
        Invitation.objects.update(invited_by=acme.people["editor"])
        create_key("shop", user=acme.people["editor"])
    page = signed_in(acme, "owner").get(MEMBERS).content.decode()
    assert "1 invitation sent and not accepted yet: withdrawn." in page
    assert "1 API key made: still valid." in page
    signed_in(acme, "owner").post(f"{MEMBERS}{membership(acme, 'editor').id}/remove/")
    assert editor.get("/").status_code == 403
    with scope(acme.id):
        assert not Invitation.objects.exists()
        event = MembershipEvent.objects.latest("pgh_id")
    assert (event.pgh_label, event.pgh_context["user"]) == ("removed", acme.people["owner"].id)


def test_a_form_made_for_another_persons_or_organizations_membership_leaves_nothing(
    acme: Tenant, rival: Tenant
) -> None:
    for other in (membership(acme, "editor").id, membership(rival, "viewer").id, "", "x", "9" * 30):
        assert signed_in(acme, "viewer").post("/organization/leave/", {"membership": other}).status_code == 404
    assert len(roles(acme)) == len(roles(rival)) == 4


def test_an_unknown_role_is_refused(acme: Tenant) -> None:
    assert "There is no such role." in change(acme, "owner", "viewer", "operator")


def test_people_are_found_by_name_and_role_and_the_page_costs_few_queries(acme: Tenant) -> None:
    with operating():
        for number in range(60):
            person = User.objects.create_user(f"person{number}@acme.example", full_name=f"Zoë “{number}” <b>")
            Membership.objects.create(organization=acme.organization, user=person, role="editor")
    client = signed_in(acme, "owner")
    client.get(MEMBERS)
    with CaptureQueriesContext(connection) as captured:
        page = client.get(MEMBERS).content.decode()
    assert "64 people, 1 owner." in page
    assert "1 to 25 of 64" in page
    assert "Zoë “1” &lt;b&gt;" in page
    assert len(captured) <= 24, "\n".join(query["sql"][:200] for query in captured)  # 12 and what every request costs
    found = client.get(MEMBERS, {"q": "zoë “7”", "role": "editor"}).content.decode()
    assert "person7@" in found and "person8@" not in found
    assert "Nobody matches" in client.get(MEMBERS, {"q": "zoë", "role": "owner"}).content.decode()


def test_the_organization_is_renamed_by_admins_only(acme: Tenant) -> None:
    assert signed_in(acme, "editor").post("/organization/", {"name": "Mine"}).status_code == 403
    admin = signed_in(acme, "admin")
    assert admin.post("/organization/", {"name": " \t "}).status_code == 422
    assert admin.post("/organization/", {"name": "a\nb"}).status_code == 422
    page = admin.post("/organization/", {"name": "Bolts & “Nuts” עברית"}, follow=True).content.decode()
    assert "Bolts &amp; “Nuts” עברית" in page
    stale = admin.post("/organization/", {"name": "x", "organization": acme.id + 1}, follow=True).content.decode()
    assert "Nothing was changed: this form was of another organization" in stale
