"""A person's own pages: name, ways to sign in, what an installation without mail says; sign-up where it is allowed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core import mail
from django.test import Client
from tenant_rows import Tenant
from web.accounts.test_members import signed_in

from b2b_recs.web.accounts.models import Membership, Organization, OrganizationEvent, User
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.tenancy import operating, scope

PASSWORD = "correct horse battery"
NEW = {"full_name": "Nina O’Neil", "email": "nina@example.com", "password1": PASSWORD}
PAGES = ("email/", "password/change/", "2fa/", "2fa/totp/activate/", "2fa/webauthn/", "2fa/webauthn/add/")


def with_password(tenant: Tenant, role: str = "viewer") -> Client:
    """Somebody who signed in with a password just now, as pages about sign-in ask."""
    person = tenant.people[role]
    person.set_password(PASSWORD)
    person.save()
    client = Client()
    assert client.post("/accounts/login/", {"login": person.email, "password": PASSWORD}).status_code == 302
    asked = client.get("/accounts/2fa/totp/activate/", follow=True).content.decode()
    assert "Is it you?" in asked and '<a class="btn btn-secondary btn-block" href="/account/">Cancel</a>' in asked
    assert client.post("/accounts/reauthenticate/", {"password": PASSWORD}).status_code == 302
    return client


def test_the_name_is_kept_and_shown(acme: Tenant) -> None:
    client = signed_in(acme, "viewer")
    page = client.post("/account/", {"full_name": " Zoë “Z” עברית "}, follow=True).content.decode()
    assert "The name was saved." in page and 'value="Zoë “Z” עברית"' in page
    assert "Acme" in page and "Viewer, since" in page
    assert client.post("/account/", {"full_name": "a\nb"}).status_code == 422
    assert Client().get("/account/").status_code == 302


def test_pages_of_the_account_stand_in_the_shell(acme: Tenant) -> None:
    client = with_password(acme)
    for path in PAGES:
        answer = client.get(f"/accounts/{path}")
        assert answer.status_code == 200, path
        page = answer.content.decode()
        assert 'aria-label="Account"' in page and 'class="side' in page, path
        assert "style=" not in page, path


def test_an_authenticator_app_is_turned_on_and_off_with_recovery_codes(acme: Tenant) -> None:
    client, person = with_password(acme), acme.people["viewer"]
    page = client.get("/accounts/2fa/totp/activate/").content.decode()
    assert 'id="totp-secret"' in page
    wrong = client.post("/accounts/2fa/totp/activate/", {"code": "000000"})
    assert "The app shows a new one every 30 seconds" in wrong.content.decode()
    assert "recovery codes" not in wrong.content.decode()
    TOTP.activate(person, generate_totp_secret())
    RecoveryCodes.activate(person)
    index = client.get("/accounts/2fa/").content.decode()
    assert "Turn off" in index and "10 of 10 not used yet." in index
    codes = client.get("/accounts/2fa/recovery-codes/").content.decode()
    assert RecoveryCodes(Authenticator.objects.get(type="recovery_codes")).get_unused_codes()[0] in codes
    assert "Two-factor sign-in is on." in codes and '<a class="btn btn-success" href="/accounts/2fa/">Done</a>' in codes
    assert "10 not used yet." in client.get("/account/").content.decode()
    visitor = Client()
    asked = visitor.post("/accounts/login/", {"login": person.email, "password": PASSWORD}, follow=True)
    assert "Second proof" in asked.content.decode()
    wrong = visitor.post("/accounts/2fa/authenticate/", {"code": "000000"}).content.decode()
    assert "This code is not right." in wrong and "Or type one of your recovery codes" in wrong
    client.post("/accounts/2fa/totp/deactivate/")
    assert not Authenticator.objects.filter(user=person, type="totp").exists()


def test_without_a_mail_server_nothing_pretends_to_be_sent(acme: Tenant) -> None:
    client = with_password(acme)
    assert "has no mail server" in client.get("/accounts/email/").content.decode()
    assert client.post("/accounts/email/", {"email": "other@example.com", "action_add": ""}).status_code == 409
    assert not EmailAddress.objects.filter(email="other@example.com").exists()
    account = client.get("/account/").content.decode()
    assert "/accounts/email/" not in account and "Whoever runs this installation can change it." in account
    visitor = Client()
    assert "has no mail server" in visitor.get("/accounts/password/reset/").content.decode()
    done = visitor.post("/accounts/password/reset/", {"email": "viewer@acme.example"}, follow=True)
    assert "No e-mail was sent" in done.content.decode()
    assert mail.outbox == []


def test_with_a_mail_server_an_address_changes_once_it_is_confirmed(acme: Tenant, settings: Any) -> None:
    settings.EMAIL_HOST = "mail.example.com"
    client = with_password(acme)
    EmailAddress.objects.update_or_create(
        user=acme.people["viewer"], email="viewer@acme.example", defaults={"verified": True, "primary": True}
    )
    assert 'href="/accounts/email/"' in client.get("/account/").content.decode()
    page = client.post("/accounts/email/", {"email": "v2@acme.example", "action_add": "1"}, follow=True)
    assert "Waiting for" in page.content.decode()
    link = next(word for word in mail.outbox[0].body.split() if "/confirm-email/" in word)
    assert User.objects.get(id=acme.people["viewer"].id).email == "viewer@acme.example"
    client.post(link.replace("http://testserver", ""))
    assert User.objects.get(id=acme.people["viewer"].id).email == "v2@acme.example"


def test_a_mail_server_that_fails_is_said_and_breaks_nothing(acme: Tenant, settings: Any, monkeypatch: Any) -> None:
    settings.EMAIL_HOST = "mail.example.com"

    def refuse(*_: Any, **__: Any) -> int:
        raise ConnectionRefusedError("no answer")

    monkeypatch.setattr("django.core.mail.message.EmailMessage.send", refuse)
    answer = Client().post("/accounts/password/reset/", {"email": "viewer@acme.example"}, follow=True)
    assert answer.status_code == 200
    assert "The mail server did not take the e-mail." in answer.content.decode()


def test_a_confirmation_that_the_mail_server_did_not_take_is_not_called_sent(
    client: Client, acme: Tenant, settings: Any, monkeypatch: Any
) -> None:
    settings.SIGN_UP, settings.EMAIL_HOST = True, "mail.example.com"

    def refuse(*_: Any, **__: Any) -> int:
        raise ConnectionRefusedError("no answer")

    monkeypatch.setattr("django.core.mail.message.EmailMessage.send", refuse)
    page = client.post("/accounts/signup/", NEW, follow=True).content.decode()
    assert "The mail server did not take the e-mail." in page and "to confirm the address was sent" not in page


def test_the_address_is_spelt_in_one_way_wherever_it_is_asked(client: Client, acme: Tenant, settings: Any) -> None:
    settings.SIGN_UP, settings.EMAIL_HOST = True, "mail.example.com"
    pages = [client.get(f"/accounts/{path}/") for path in ("login", "signup", "password/reset")]
    pages += [client.post("/accounts/login/", {"login": "a@example.com", "password": "x" * 12})]
    pages += [with_password(acme).get("/accounts/email/")]
    for page in pages:
        text = re.sub(r"<[^>]*>", " ", page.content.decode())
        assert "E-mail" in text and not re.search(r"\bemail\b", text, re.IGNORECASE), text
    assert "The e-mail address or the password is not right." in pages[3].content.decode()


def test_who_is_turned_away_keeps_the_navigation(client: Client, acme: Tenant) -> None:
    viewer = signed_in(acme, "viewer")
    for path, status, title in (("/organization/audit/", 403, "Not allowed"), ("/nowhere/", 404, "Not found")):
        answer = viewer.get(path)
        page = answer.content.decode()
        assert answer.status_code == status and f"<h1>{title}</h1>" in page
        assert 'class="side"' in page and 'href="/organization/members/"' in page
    assert 'class="side"' not in client.get("/nowhere/").content.decode()


def test_sign_up_is_closed_unless_the_installation_opens_it(client: Client, acme: Tenant) -> None:
    assert "Accounts are made by invitation" in client.get("/accounts/signup/").content.decode()
    client.post("/accounts/signup/", NEW)
    assert not User.objects.filter(email=NEW["email"]).exists()
    assert signed_in(acme, "owner").get("/organization/new/").status_code == 404
    assert "Create an account" not in client.get("/accounts/login/").content.decode()


def test_from_sign_up_to_the_first_model(client: Client, acme: Tenant, settings: Any) -> None:
    settings.SIGN_UP = True
    assert "Create an account" in client.get("/accounts/login/").content.decode()
    answer = client.post("/accounts/signup/", NEW)
    assert (answer.status_code, answer["Location"]) == (302, "/organization/new/")
    assert "was sent" not in client.get("/organization/new/").content.decode()
    assert client.post("/organization/new/", {"name": ""}).status_code == 422
    page = client.post("/organization/new/", {"name": "Bolts & “Nuts”"}, follow=True)
    assert "Bolts &amp; “Nuts” is yours." in page.content.decode()
    assert page.redirect_chain[-1][0] == "/models/new/"
    client.post("/models/new/", {"name": "Spare parts", "currency": "EUR", "time_zone": "UTC"})
    person = User.objects.get(email=NEW["email"])
    assert person.full_name == NEW["full_name"]
    with operating():
        organization = Organization.objects.get(name="Bolts & “Nuts”")
        assert list(Membership.objects.filter(organization=organization).values_list("user", "role")) == [
            (person.id, "owner")
        ]
    with scope(organization.id):
        assert ModelEndpoint.objects.get().name == "Spare parts"
        assert OrganizationEvent.objects.get(id=organization.id).pgh_context["user"] == person.id
    assert "Model of Acme" not in client.get("/").content.decode()


def test_with_a_mail_server_an_organization_needs_a_confirmed_address(
    client: Client, settings: Any, acme: Tenant
) -> None:
    settings.SIGN_UP, settings.EMAIL_HOST = True, "mail.example.com"
    told = client.post("/accounts/signup/", NEW, follow=True).content.decode()
    assert f"An e-mail to confirm the address was sent to {NEW['email']}." in told
    assert "Confirm your address first" in client.get("/organization/new/").content.decode()
    assert client.post("/organization/new/", {"name": "Mine"}).status_code == 403
    link = next(word for word in mail.outbox[0].body.split() if "/confirm-email/" in word)
    client.post(link.replace("http://testserver", ""))
    assert client.post("/organization/new/", {"name": "Mine"}).status_code == 302


def test_a_switch_between_organizations_is_a_menu_of_ones_own(acme: Tenant, rival: Tenant) -> None:
    with operating():
        Membership.objects.create(organization=rival.organization, user=acme.people["viewer"], role="viewer")
    page = signed_in(acme, "viewer").get("/").content.decode()
    assert page.count('name="organization" value=') == 2
    assert 'name="organization" value=' not in signed_in(acme, "editor").get("/").content.decode()


def test_somebody_without_an_organization_is_led_on(acme: Tenant, settings: Any) -> None:
    with operating():
        person = User.objects.create_user("nina@example.com")
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    lost = client.get("/").content.decode()
    assert "Your account" in lost and "Sign out" in lost and "Create an organization" not in lost
    assert "You belong to no organization" in client.get("/account/").content.decode()
    settings.SIGN_UP = True
    assert "Create an organization" in client.get("/").content.decode()


@pytest.mark.parametrize("mail_server", ["", "mail.example.com"])
def test_a_hosted_installation_opens_sign_up_only_with_a_mail_server(mail_server: str) -> None:
    names = ("PATH", "B2B_RECS_HOME", "B2B_RECS_SECRET_KEY", "DATABASE_URL")
    environment = {name: os.environ[name] for name in names} | {
        "B2B_RECS_HOSTED": "true",
        "B2B_RECS_ALLOWED_HOSTS": "example.com",
        "B2B_RECS_SIGN_UP": "true",
        "B2B_RECS_SMTP_HOST": mail_server,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    done = subprocess.run(
        [sys.executable, "-c", "import b2b_recs.web.settings"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) is bool(mail_server), done.stderr[-500:]
    assert mail_server or "B2B_RECS_SIGN_UP lets strangers in" in done.stderr
