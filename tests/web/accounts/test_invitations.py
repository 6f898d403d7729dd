"""Invitations: a link opens once, in time, for its own address, and nothing else."""

from __future__ import annotations

import re
from datetime import timedelta
from smtplib import SMTPException
from typing import Any

from django.core import mail
from django.test import Client
from django.utils import timezone
from tenant_rows import Tenant
from web.accounts.test_members import MEMBERS, signed_in

from b2b_recs.web.accounts.invitations import digest
from b2b_recs.web.accounts.models import Invitation, InvitationEvent, Membership, MembershipEvent, User
from b2b_recs.web.operations.redaction import redacted
from b2b_recs.web.tenancy import operating, scope

PASSWORD = "correct horse battery"
NEW = {"full_name": "Nina O’Neil", "password": PASSWORD}


def invite(tenant: Tenant, email: str = "nina@example.com", role: str = "editor", by: str = "admin") -> str:
    """Invite from the page; the path of the link."""
    answer = signed_in(tenant, by).post(MEMBERS, {"email": email, "role": role})
    assert answer.status_code == 200, answer.content.decode()
    return link_in(answer.content.decode())


def link_in(page: str) -> str:
    found = re.search(r'id="fresh-link">http://testserver(/invitations/[^<]+)<', page)
    assert found, page
    return found[1]


def role_in(tenant: Tenant, email: str) -> str | None:
    with scope(tenant.id):
        return Membership.objects.filter(user__email=email).values_list("role", flat=True).first()


def account(email: str) -> Client:
    """Somebody with that address, signed in, member of nothing."""
    with operating():
        person = User.objects.create_user(email)
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_a_new_person_makes_an_account_with_the_link_and_is_in(acme: Tenant) -> None:
    link = invite(acme, "Nina@Example.com")
    visitor = Client()
    page = visitor.get(link).content.decode()
    assert "Join Acme" in page and "nina@example.com" in page
    assert role_in(acme, "nina@example.com") is None  # looking accepts nothing
    welcomed = visitor.post(link, NEW, follow=True).content.decode()
    assert "You are editor here." in welcomed
    assert role_in(acme, "nina@example.com") == "editor"
    person = User.objects.get(email="nina@example.com")
    assert person.full_name == "Nina O’Neil" and person.check_password(PASSWORD)
    with scope(acme.id):
        assert MembershipEvent.objects.latest("pgh_id").pgh_context["user"] == person.id
        assert InvitationEvent.objects.latest("pgh_id").accepted_at is not None


def test_somebody_with_an_account_signs_in_and_accepts(acme: Tenant) -> None:
    link = invite(acme)
    client = account("nina@example.com")
    anonymous = Client()
    assert "This address has an account." in anonymous.get(link).content.decode()
    assert "This address has an account." in anonymous.post(link, NEW).content.decode()
    assert role_in(acme, "nina@example.com") is None
    assert "Accept" in client.get(link).content.decode()
    client.post(link)
    assert role_in(acme, "nina@example.com") == "editor"
    assert client.get("/").status_code == 200


def test_another_address_is_refused(acme: Tenant) -> None:
    link = invite(acme)
    other = account("other@example.com")
    assert "You are signed in as other@example.com." in other.get(link).content.decode()
    assert other.post(link).status_code == 403
    assert role_in(acme, "other@example.com") is role_in(acme, "nina@example.com") is None


def test_a_link_opens_once(acme: Tenant) -> None:
    link = invite(acme)
    Client().post(link, NEW)
    again = Client().get(link)
    assert again.status_code == 404
    assert "was accepted already" in again.content.decode()
    signed_in(acme, "owner").post(f"{MEMBERS}{_membership('nina@example.com', acme)}/remove/")
    back = Client()
    back.force_login(User.objects.get(email="nina@example.com"), backend="django.contrib.auth.backends.ModelBackend")
    assert back.post(link).status_code == 404
    assert role_in(acme, "nina@example.com") is None


def test_a_link_ends_after_seven_days(acme: Tenant) -> None:
    link = invite(acme)
    with scope(acme.id):
        row = Invitation.objects.get(email="nina@example.com")
        assert timedelta(days=6, hours=23) < row.expires_at - timezone.now() <= timedelta(days=7)
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    answer = Client().post(link, NEW)
    assert answer.status_code == 404
    assert "valid for 7 days, which are over" in answer.content.decode()
    assert not User.objects.filter(email="nina@example.com").exists()


def test_a_new_link_ends_the_one_before_and_a_withdrawn_one_works_no_more(acme: Tenant) -> None:
    first = invite(acme)
    with scope(acme.id):
        number = Invitation.objects.get(email="nina@example.com").id
    admin = signed_in(acme, "admin")
    second = link_in(admin.post(f"/organization/invitations/{number}/renew/").content.decode())
    assert first != second
    assert Client().get(first).status_code == 404
    assert Client().get(second).status_code == 200
    admin.post(f"/organization/invitations/{number}/withdraw/")
    assert Client().get(second).status_code == 404


def test_a_token_that_was_changed_opens_nothing(acme: Tenant, rival: Tenant) -> None:
    token = invite(acme).split("/")[2]
    organization, secret = token.split("-", 1)
    other = "A" if secret[0] != "A" else "B"
    for wrong in (f"{rival.id}-{secret}", f"{organization}-{other}{secret[1:]}", token[:-1], f"{token}A", "x" * 2000):
        for method in ("get", "post"):
            assert getattr(Client(), method)(f"/invitations/{wrong}/").status_code == 404, wrong


def test_the_token_is_kept_nowhere(acme: Tenant) -> None:
    link = invite(acme)
    token = link.split("/")[2]
    with scope(acme.id):
        rows = str(list(Invitation.objects.values())) + str(list(InvitationEvent.objects.values()))
        assert Invitation.objects.get(email="nina@example.com").token_hash == digest(token)
    assert token not in rows
    assert token not in signed_in(acme, "admin").get(MEMBERS).content.decode()
    assert redacted(f"GET {link} 404") == "GET /invitations/***/ 404"


def test_an_admin_invites_no_owner_and_an_owner_does(acme: Tenant) -> None:
    answer = signed_in(acme, "admin").post(MEMBERS, {"email": "nina@example.com", "role": "owner"})
    assert answer.status_code == 422
    assert "Choose a role of the list." in answer.content.decode()
    Client().post(invite(acme, role="owner", by="owner"), NEW)
    assert role_in(acme, "nina@example.com") == "owner"


def test_an_admin_neither_renews_nor_withdraws_the_invitation_of_an_owner(acme: Tenant) -> None:
    link = invite(acme, role="owner", by="owner")
    with scope(acme.id):
        number = Invitation.objects.get(email="nina@example.com").id
    admin = signed_in(acme, "admin")
    for action in ("renew", "withdraw"):
        page = admin.post(f"/organization/invitations/{number}/{action}/", follow=True).content.decode()
        assert "Only an owner invites owners." in page
    assert Client().get(link).status_code == 200


def test_nobody_below_admin_invites(acme: Tenant) -> None:
    for role in ("editor", "viewer"):
        assert signed_in(acme, role).post(MEMBERS, {"email": "a@example.com", "role": "viewer"}).status_code == 403
    with scope(acme.id):
        assert Invitation.objects.count() == 1


def test_members_and_addresses_invited_already_are_said_beside_the_field(acme: Tenant) -> None:
    admin = signed_in(acme, "admin")
    for email, words in (
        ("EDITOR@acme.example", "editor@acme.example is a member already."),
        ("guest@acme.example", "guest@acme.example is invited already."),
        ("not an address", "An address looks like name@example.com."),
        ("", "Type the address to invite."),
    ):
        answer = admin.post(MEMBERS, {"email": email, "role": "viewer"})
        assert answer.status_code == 422
        assert words in answer.content.decode()


def test_the_page_says_truthfully_whether_an_email_went_out(acme: Tenant, settings: Any, monkeypatch: Any) -> None:
    admin = signed_in(acme, "admin")
    ask = {"role": "viewer"}
    assert "No e-mail was sent" in admin.post(MEMBERS, {**ask, "email": "one@example.com"}).content.decode()
    assert mail.outbox == []
    settings.EMAIL_HOST = "mail.example.com"
    page = admin.post(MEMBERS, {**ask, "email": "two@example.com"}).content.decode()
    assert "handed to the mail server" in page
    assert [message.to for message in mail.outbox] == [["two@example.com"]]
    assert link_in(page) in mail.outbox[0].body and "admin@acme.example invites you to Acme" in mail.outbox[0].subject

    def refuse(*_: Any, **__: Any) -> int:
        raise SMTPException("mailbox full")

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)
    failed = admin.post(MEMBERS, {**ask, "email": "three@example.com"})
    assert failed.status_code == 200
    assert "The mail server did not take the e-mail." in failed.content.decode()


def test_invitations_of_an_hour_are_limited(acme: Tenant, monkeypatch: Any) -> None:
    monkeypatch.setattr("b2b_recs.web.api.limits.A_PERSON", 1)
    admin = signed_in(acme, "admin")
    answers = [admin.post(MEMBERS, {"email": f"n{number}@example.com", "role": "viewer"}) for number in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert "Too many invitations within an hour." in answers[2].content.decode()


def test_a_form_of_an_organization_chosen_before_invites_nobody_into_this_one(acme: Tenant) -> None:
    stale = {"email": "nina@example.com", "role": "viewer", "organization": acme.id + 1}
    page = signed_in(acme, "admin").post(MEMBERS, stale, follow=True).content.decode()
    assert "this form was of another organization" in page
    with scope(acme.id):
        assert not Invitation.objects.filter(email="nina@example.com").exists()


def test_a_weak_password_is_said_beside_the_field(acme: Tenant) -> None:
    link = invite(acme)
    for password, words in (("short", "at least 12"), ("qwerty123456", "too common"), ("", "Choose a password.")):
        answer = Client().post(link, {**NEW, "password": password})
        assert answer.status_code == 422
        assert words in answer.content.decode()


def test_a_member_who_accepts_again_keeps_the_role_they_have(acme: Tenant) -> None:
    link = invite(acme, "nina@example.com", "viewer")
    client = account("nina@example.com")
    with operating():
        person = User.objects.get(email="nina@example.com")
        Membership.objects.create(organization=acme.organization, user=person, role="admin")
    client.post(link)
    assert role_in(acme, "nina@example.com") == "admin"


def test_a_suspended_organization_takes_nobody_in(acme: Tenant) -> None:
    link = invite(acme)
    with operating():
        acme.organization.suspended = True
        acme.organization.save()
    assert Client().post(link, NEW).status_code == 404


def _membership(email: str, tenant: Tenant) -> int:
    with scope(tenant.id):
        return int(Membership.objects.get(user__email=email).id)
