"""Known failures of other systems, as they would look here: signing in, forms, headers, files.

Where the cases of the public advisories are tested:

| case | file |
|---|---|
| engine abused as a source, driver name bypass | contract/test_sources.py, security/test_cases_of_sources.py |
| options of drivers, files of this machine | the same, engine/sources/test_postgresql_errors.py |
| outgoing addresses, odd spellings, two answers of the name server | runtime/test_guard.py |
| saved without testing, own database as a source | security/test_cases_of_sources.py |
| closed and filtered ports look alike | engine/sources/test_postgresql_errors.py |
| credentials in logs, rows, files, exports, pages | security/test_canary.py, web/operations/test_redaction.py |
| default keys | runtime/test_keys.py |
| tenant leaks by address, search, key | tenancy/ |
| write through a read-only source | contract/test_sources.py, security/test_cases_of_sources.py |
| artifacts: code, paths, damage | engine/artifacts/, test_structure.py |
| names of tables as SQL | contract/sources_contract.py, engine/sources/test_quoting.py |
| warehouse reads files | engine/warehouse/test_query.py |
| endpoint: faults, keys of other tenants | security/test_endpoint_fuzz.py, engine/serving/test_serving_keys.py |
| open redirect, host names, sessions, links, CSRF, headers, static files | here and web/accounts/ |
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.middleware.csrf import CSRF_SECRET_LENGTH
from django.test import Client
from tenancy.test_sweep import ROUTES, Route, value_of
from tenant_rows import Tenant

from b2b_recs.web.accounts.models import User
from b2b_recs.web.accounts.policies import RUN_TOKEN, policy_of
from b2b_recs.web.accounts.sign_in_links import create_link
from b2b_recs.web.tenancy import operating

PASSWORD = "correct horse battery"
ELSEWHERE = [
    "https://evil.example/", "//evil.example/", "///evil.example", "/\\evil.example", "\\\\evil.example",
    "http:evil.example",
    "https:/evil.example", "javascript:alert(1)", "data:text/html,x", " https://evil.example", "\thttps://evil.example",
    "https://testserver@evil.example/",
    "https://testserver.evil.example/", "//testserver:x@evil.example",
]  # fmt: skip


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


@pytest.fixture
def person(acme: Tenant) -> User:
    """A member who signs in with a password."""
    user: User = acme.people["viewer"]
    user.set_password(PASSWORD)
    user.save()
    return user


def sign_in(client: Client, user: User, password: str = PASSWORD, **more: Any) -> HttpResponse:
    return client.post("/accounts/login/", {"login": user.email, "password": password}, **more)


@pytest.mark.parametrize("wanted", ELSEWHERE)
def test_next_never_leads_to_another_site_after_a_password(client: Client, person: User, wanted: str) -> None:
    answer = client.post("/accounts/login/", {"login": person.email, "password": PASSWORD, "next": wanted})
    assert signed_in(client)
    assert answer["Location"] == "/"
    again = client.get("/accounts/login/", {"next": wanted})
    assert again.status_code in (200, 302)
    assert not again.get("Location", "/").startswith(("//", "http", "\\", "/\\"))


@pytest.mark.parametrize(
    "name", ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "evil.example:80", "a b"]
)
def test_a_host_name_of_another_site_is_refused_and_never_repeated(client: Client, person: User, name: str) -> None:
    for path in ("/", "/accounts/login/", "/accounts/password/reset/", "/operator/", "/missing/"):
        answer = client.get(path, headers={"Host": name})
        assert answer.status_code == 400
        assert "evil.example" not in answer.content.decode()
    claimed = client.get(
        "/accounts/login/", headers={"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    )
    assert claimed.status_code == 200 and "evil.example" not in claimed.content.decode()


def test_a_session_set_by_somebody_else_before_signing_in_is_worth_nothing_after(acme: Tenant) -> None:
    attacker, victim = Client(), Client()
    attacker.session["planted"] = 1
    planted = attacker.session
    planted["planted"] = 1
    planted.save()
    victim.cookies["b2b_recs_session"] = fixed = planted.session_key
    assert victim.post(create_link(acme.people["owner"])).status_code == 302
    assert signed_in(victim) and victim.cookies["b2b_recs_session"].value != fixed
    attacker.cookies["b2b_recs_session"] = fixed
    assert "/accounts/login/" in attacker.get("/")["Location"]


def test_a_session_name_somebody_invented_is_not_taken_over(acme: Tenant) -> None:
    victim = Client()
    victim.cookies["b2b_recs_session"] = invented = "a" * 32
    victim.post(create_link(acme.people["owner"]))
    assert signed_in(victim) and victim.cookies["b2b_recs_session"].value != invented


def test_the_token_of_forms_changes_when_somebody_signs_in(person: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.get("/accounts/login/")
    before = client.cookies["b2b_recs_csrf"].value
    assert len(before) == CSRF_SECRET_LENGTH
    assert sign_in(client, person, headers={"X-CSRFToken": before}).status_code == 302
    assert client.cookies["b2b_recs_csrf"].value != before


def test_signing_out_ends_the_session_on_the_server(person: User) -> None:
    client, thief = Client(), Client()
    sign_in(client, person)
    thief.cookies["b2b_recs_session"] = client.cookies["b2b_recs_session"].value
    assert thief.get("/").status_code == 200
    client.get("/accounts/logout/")
    assert thief.get("/").status_code == 200
    client.post("/accounts/logout/")
    assert thief.get("/").status_code == 302


def test_a_new_password_ends_every_session(person: User) -> None:
    client = Client()
    sign_in(client, person)
    assert client.get("/").status_code == 200
    person.set_password("another " + PASSWORD)
    person.save()
    assert client.get("/").status_code == 302


def test_of_two_requests_with_one_link_at_once_one_is_signed_in(acme: Tenant) -> None:
    link = create_link(acme.people["owner"])

    def press(client: Client) -> int:
        try:
            return client.post(link).status_code
        finally:
            connection.close()

    clients = [Client() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(press, clients)) == [302, 404, 404, 404]
    assert sum(map(signed_in, clients)) == 1


def test_a_link_presses_itself_neither_by_looking_nor_from_another_site(acme: Tenant) -> None:
    link = create_link(acme.people["owner"])
    strict = Client(enforce_csrf_checks=True)
    for method in ("get", "head", "options", "put", "delete"):
        getattr(strict, method)(link)
    assert strict.post(link).status_code == 403
    assert not signed_in(strict)
    assert Client().post(link).status_code == 302


def test_wrong_passwords_lock_also_for_the_right_one_and_for_claimed_addresses(person: User) -> None:
    client = Client()
    for number in range(12):
        sign_in(client, person, f"wrong {number}", headers={"X-Forwarded-For": f"198.51.100.{number}"})
    assert sign_in(client, person, headers={"X-Forwarded-For": "198.51.100.99"}).status_code != 302
    assert not signed_in(client)


def test_an_unknown_address_and_a_wrong_password_are_answered_alike(person: User) -> None:
    def words(email: str) -> str:
        answer = Client().post("/accounts/login/", {"login": email, "password": "wrong"}).content.decode()
        start = answer.index("<form") if "<form" in answer else 0
        return "".join(line for line in answer[start:].splitlines() if "csrfmiddlewaretoken" not in line).replace(
            email, ""
        )

    assert words(person.email) == words("nobody@example.com")


def _address(route: Route, tenant: Tenant) -> str:
    """An own address of that view; libraries' parameters get what fits their patterns."""
    if route.name == "account_confirm_email":
        return "/accounts/confirm-email/abc/"
    if route.name == "account_reset_password_from_key":
        return "/accounts/password/reset/key/1-abc/"

    def value(parameter: str) -> object:
        known = {
            "token": "unknown",
            "pk": 1,
            "object_id": "1",
            "content_type_id": 1,
            "url": "nothing",
            "app_label": "etl",
        }
        return known[parameter] if parameter in known else value_of(route, parameter, tenant)

    filled = route.address(value)
    return filled.replace("^", "").replace("(?Papp_label>", "").split("(?P")[0]


@pytest.fixture
def operator(acme: Tenant) -> User:
    with operating():
        user: User = acme.people["owner"]
        user.is_operator = True
        user.save()
    return user


def test_no_address_takes_a_form_from_another_site(acme: Tenant, operator: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(operator)
    seen = 0
    for route in ROUTES:
        if policy_of(route.name, route.view) == RUN_TOKEN:
            continue  # never looks at the cookie that another site could use
        assert not getattr(route.view, "csrf_exempt", False), route.name
        address = _address(route, acme)
        for method in ("post", "delete"):
            answer = getattr(strict, method)(address, headers={"Origin": "https://evil.example"})
            if answer.status_code == 404:
                continue
            assert answer.status_code == 403, (route.name, method, answer.status_code)
            assert "came from another site" in answer.content.decode(), route.name
            seen += 1
    assert seen > 100


def strict_headers(answer: HttpResponse) -> bool:
    """Whether an answer forbids foreign scripts, frames and guesses, and says no more of itself than it must."""
    policy = answer.get("Content-Security-Policy", "")
    return (
        "default-src 'none'" in policy
        and "script-src 'self'" in policy
        and "unsafe" not in policy
        and "frame-ancestors 'none'" in policy
        and answer.get("X-Frame-Options") == "DENY"
        and answer.get("X-Content-Type-Options") == "nosniff"
        and answer.get("Referrer-Policy") == "same-origin"
        and answer.get("Cross-Origin-Opener-Policy") == "same-origin"
    )


def test_every_page_has_strict_headers(acme: Tenant, operator: User) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(operator)
    statuses = set()
    for route in ROUTES:
        if route.name == "account_logout":
            continue
        answer = client.get(_address(route, acme))
        statuses.add(answer.status_code)
        assert strict_headers(answer), (route.name, answer.status_code, dict(answer.items()))
    assert statuses >= {200, 302, 404, 405}


def test_errors_have_strict_headers_and_no_internals(acme: Tenant, settings: Any) -> None:
    settings.ROOT_URLCONF = "web.accounts.broken_urls"
    client = Client(raise_request_exception=False)
    strict = Client(enforce_csrf_checks=True)
    client.force_login(acme.people["viewer"])
    strict.force_login(acme.people["viewer"])
    answers = {
        500: client.get("/raises/"),
        404: client.get("/missing/<script>"),
        403: strict.post("/organization/"),
        400: client.get("/", headers={"Host": "evil.example"}),
        401: client.get("/", headers={"Authorization": "Bearer b2br_1_x_y"}),
        302: Client().get("/models/new/"),
    }
    for status, answer in answers.items():
        assert answer.status_code == status
        assert strict_headers(answer), (status, dict(answer.items()))
        words = answer.content.decode()
        for internal in ("Traceback", "ZeroDivision", "<script>", "site-packages", "Django"):
            assert internal not in words, (status, words)


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(person: User) -> None:
    client = Client()
    client.get("/accounts/login/")
    sign_in(client, person)
    for name in ("b2b_recs_session", "b2b_recs_csrf"):
        assert client.cookies[name]["httponly"] and client.cookies[name]["samesite"] == "Lax"


@pytest.mark.parametrize(
    "path",
    ["../settings.py", "..%2fsettings.py", "%2e%2e/settings.py", "..%252f..%252fsettings.py", "..\\settings.py",
     "..%5csettings.py", "/etc/passwd", "%2fetc/passwd", "....//settings.py", "./../ui/shell.py", "css/../../shell.py",
     "\x00", "%00/etc/passwd", "file:///etc/passwd", ""],
)  # fmt: skip
def test_static_files_lead_nowhere_else(client: Client, platform_database: Any, path: str) -> None:
    answer = client.get("/static/" + path)
    assert answer.status_code in (400, 404)
    content = answer.content.decode()
    assert "import" not in content and "root:" not in content
