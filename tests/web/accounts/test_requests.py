"""What the middleware does with a request: its organization, its transaction, its headers."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from tenant_rows import Tenant

from b2b_recs.web.accounts.choice import SESSION_KEY
from b2b_recs.web.accounts.middleware import TenancyMiddleware
from b2b_recs.web.accounts.models import Membership, Organization
from b2b_recs.web.projects.models import ModelEndpoint, ModelEndpointEvent
from b2b_recs.web.tenancy import current, operating, scope, unscoped


def request_of(user: Any, session: dict[str, Any] | None = None) -> HttpRequest:
    request = RequestFactory().get("/", REMOTE_ADDR="203.0.113.9")
    request.user = user
    request.session = session or {}
    return request


@pytest.mark.parametrize("status", [500, 503])
def test_an_answer_of_failure_undoes_the_writes_of_the_request(acme: Tenant, status: int) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        ModelEndpoint.objects.update(description="half done")
        return HttpResponse(status=status)

    answer = TenancyMiddleware(view)(request_of(acme.people["owner"]))
    assert answer.status_code == status
    assert unscoped(ModelEndpoint).get(id=acme.id_of("ModelEndpoint")).description == ""


def test_an_ordinary_answer_keeps_them_with_who_and_from_where(acme: Tenant) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        ModelEndpoint.objects.update(description="done")
        return HttpResponse(status=404)

    TenancyMiddleware(view)(request_of(acme.people["owner"]))
    with scope(acme.id):
        event = ModelEndpointEvent.objects.latest("pgh_id")
    assert event.description == "done"
    assert event.pgh_context["user"] == acme.people["owner"].id
    assert event.pgh_context["address"] == "203.0.113.9"
    assert len(event.pgh_context["request"]) == 36
    assert current() is None


def test_a_member_of_two_organizations_works_in_the_one_chosen(acme: Tenant, rival: Tenant) -> None:
    user = acme.people["viewer"]
    with operating():
        Membership.objects.create(organization=rival.organization, user=user, role="admin")
    seen: list[tuple[int | None, str]] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append((current(), request.membership.role))
        return HttpResponse()

    TenancyMiddleware(view)(request_of(user))
    TenancyMiddleware(view)(request_of(user, {SESSION_KEY: rival.id}))
    TenancyMiddleware(view)(request_of(user, {SESSION_KEY: 10**9}))
    assert seen == [(acme.id, "viewer"), (rival.id, "admin"), (acme.id, "viewer")]


def test_a_suspended_organization_lets_its_members_nowhere(client: Client, acme: Tenant) -> None:
    unscoped(Organization).filter(id=acme.id).update(suspended=True)
    client.force_login(acme.people["owner"])
    assert client.get("/").status_code == 403


def test_pages_carry_the_headers_of_a_strict_site(client: Client, acme: Tenant) -> None:
    answer = client.get("/accounts/login/")
    policy = answer["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_a_form_from_another_site_is_refused(acme: Tenant) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(acme.people["owner"])
    answer = strict.post("/models/new/", {"name": "planted", "currency": "EUR", "time_zone": "UTC"})
    assert answer.status_code == 403
    assert unscoped(ModelEndpoint).filter(name="planted").count() == 0


def test_an_unknown_host_name_is_refused(client: Client) -> None:
    assert client.get("/health/", headers={"Host": "evil.example"}).status_code == 400


def test_every_request_is_one_transaction_and_the_pool_is_on() -> None:
    assert "b2b_recs.web.accounts.middleware.TenancyMiddleware" in settings.MIDDLEWARE
    assert settings.DATABASES["default"]["OPTIONS"]["pool"]["max_size"] >= 8


@pytest.mark.parametrize("address", ["/raises/", "/breaks/"])
def test_a_view_that_fails_half_way_leaves_nothing_behind(acme: Tenant, settings: Any, address: str) -> None:
    settings.ROOT_URLCONF = "web.accounts.broken_urls"
    client = Client(raise_request_exception=False)
    client.force_login(acme.people["owner"])
    answer = client.get(address)
    assert answer.status_code == 500
    assert "Nothing was changed" in answer.content.decode()
    assert unscoped(ModelEndpoint).get(id=acme.id_of("ModelEndpoint")).description == ""
    assert client.get("/").status_code == 200


def test_the_organization_can_be_changed_to_another_of_ones_own_only(acme: Tenant, rival: Tenant) -> None:
    user = acme.people["viewer"]
    client = Client()
    client.force_login(user)
    for wanted in (rival.id, 0, -1, "x", "", 10**30):
        assert client.post("/organization/choose/", {"organization": wanted}).status_code == 404
    with operating():
        Membership.objects.create(organization=rival.organization, user=user, role="viewer")
    assert client.post("/organization/choose/", {"organization": rival.id}).status_code == 302
    assert "Model of Rival" in client.get("/").content.decode()


def test_the_address_a_visitor_claims_is_not_believed_without_a_proxy(acme: Tenant) -> None:
    client = Client()
    client.force_login(acme.people["owner"])
    seen = {"name": "fresh", "currency": "EUR", "time_zone": "UTC"}
    client.post("/models/new/", seen, headers={"X-Forwarded-For": "198.51.100.1"}, REMOTE_ADDR="203.0.113.9")
    with scope(acme.id):
        assert ModelEndpointEvent.objects.latest("pgh_id").pgh_context["address"] == "203.0.113.9"
