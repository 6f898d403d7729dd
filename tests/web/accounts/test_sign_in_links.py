"""The one-time sign-in link and the first account."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from tenant_rows import Tenant
from web_support import TestDatabase

from b2b_recs.web.accounts.bootstrap import ensure_owner
from b2b_recs.web.accounts.models import Membership, SignInLink, User
from b2b_recs.web.accounts.sign_in_links import create_link, redeem
from b2b_recs.web.tenancy import operating


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_a_link_works_once_after_a_press_of_the_button(client: Client, acme: Tenant) -> None:
    link = create_link(acme.people["owner"])
    preview = client.get(link)
    assert preview.status_code == 200
    assert b"owner@acme.example" in preview.content
    assert not signed_in(client)
    answer = client.post(link)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert signed_in(client)
    again = Client()
    assert again.post(link).status_code == 404
    assert not signed_in(again)


def test_an_expired_unknown_or_inactive_link_signs_nobody_in(client: Client, acme: Tenant) -> None:
    link = create_link(acme.people["owner"], minutes=5)
    SignInLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert client.get(link).status_code == client.post(link).status_code == 404
    assert client.post("/sign-in/link/unknown/").status_code == 404
    inactive = acme.people["viewer"]
    link = create_link(inactive)
    User.objects.filter(id=inactive.id).update(is_active=False)
    assert client.post(link).status_code == 404
    assert not signed_in(client)


def test_of_two_presses_at_once_one_gets_in(acme: Tenant) -> None:
    token = create_link(acme.people["owner"]).split("/")[-2]

    def press(_: int) -> bool:
        try:
            return redeem(token) is not None
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(press, range(4))) == [False, False, False, True]


def test_the_token_is_not_in_the_database(acme: Tenant) -> None:
    token = create_link(acme.people["owner"]).split("/")[-2]
    assert token not in str(list(SignInLink.objects.values()))


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_next_never_leads_to_another_site(client: Client, acme: Tenant, wanted: str) -> None:
    answer = client.post(create_link(acme.people["owner"]), {"next": wanted})
    assert answer["Location"] == "/"


def test_next_leads_to_a_page_of_ours(client: Client, acme: Tenant) -> None:
    answer = client.post(create_link(acme.people["owner"]), {"next": "/models/new/"})
    assert answer["Location"] == "/models/new/"


def test_the_first_start_makes_an_owner_without_a_password_once(platform_database: TestDatabase) -> None:
    user, organization, created = ensure_owner()
    assert created
    assert not user.has_usable_password()
    assert user.is_operator
    assert ensure_owner() == (user, organization, False)
    with operating():
        assert list(Membership.objects.values_list("user_id", "organization_id", "role")) == [
            (user.id, organization.id, "owner")
        ]


def test_the_password_form_lets_nobody_in_without_a_password(client: Client, platform_database: TestDatabase) -> None:
    user, *_ = ensure_owner()
    for password in ("", "password", "admin", user.email):
        answer = client.post("/accounts/login/", {"login": user.email, "password": password})
        assert answer.status_code == 200
    assert not signed_in(client)


def test_a_password_signs_in_and_repeated_wrong_ones_are_stopped(client: Client, acme: Tenant) -> None:
    user = acme.people["viewer"]
    user.set_password("correct horse battery")
    user.save()
    assert (
        client.post(
            "/accounts/login/", {"login": "VIEWER@acme.example", "password": "correct horse battery"}
        ).status_code
        == 302
    )
    assert signed_in(client)
    other = Client()
    statuses = [
        other.post("/accounts/login/", {"login": user.email, "password": f"wrong {number}"}) for number in range(12)
    ]
    assert "Too many" in statuses[-1].content.decode()


def test_nobody_can_sign_up_uninvited(client: Client, platform_database: TestDatabase) -> None:
    client.post("/accounts/signup/", {"email": "new@example.com", "password1": "correct horse battery"})
    assert not User.objects.filter(email="new@example.com").exists()
