"""Every address × method × kind of visitor: nobody learns of, or changes, anything of another organization."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, path
from tenant_rows import Tenant
from warehouse_rows import load_table, table_of
from web_support import TestDatabase

from b2b_recs.web.accounts.api_keys import create_key
from b2b_recs.web.accounts.models import Membership, Role, User
from b2b_recs.web.accounts.policies import LIBRARIES, OPERATOR, PUBLIC, RUN_TOKEN, SIGNED_IN, policy_of
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.tenancy import operating, scope
from b2b_recs.web.tenancy.models import TenantModel

METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
# Every method is asked by visitors, by people who were removed and by owners about foreign rows; by others those that
# read, write and are taken by none.
SOME = ("get", "post", "delete")
MISSING = 9_000_000_000_000
ROLES = set(Role.values)

# Which row a number in an address means, by the name of its parameter; for "run_id" the address tells.
ROWS = {
    "model_id": "ModelEndpoint",
    "key_id": "ApiKey",
    "source_id": "DataSource",
    "job_id": "DataSource",
    "connection_id": "Connection",
    "dataset_id": "Dataset",
    "deployment_id": "Deployment",
    "version_id": "TrainedModel",
    "membership_id": "Membership",
    "invitation_id": "Invitation",
    "schedule_id": "Schedule",
}

# What pages read of a query, and values no page is meant to be asked with.
ASKED = (
    "q", "page", "state", "status", "sort", "kind", "period", "who", "before", "after", "version", "columns", "show",
    "customer", "k", "model", "category", "since", "connection", "name", "job", "time_zone", "look", "back", "was",
    "stopped", "reason", "column", "format", "rows",
)  # fmt: skip
ODD = ("a%00b", "%ED%A0%80", "-1", "abc", "9" * 30, "x" * 10_000)

# Parts of an address that name no row.
PLAIN = {"type_name": "postgresql", "step": 1}


@dataclass(frozen=True)
class Route:
    """One address of the site."""

    name: str
    template: str
    view: Callable[..., Any]

    @property
    def parameters(self) -> list[str]:
        return re.findall(r"<(?:\w+:)?(\w+)>|\{(?:\w+:)?(\w+)\}", self.template) and [
            one or other for one, other in re.findall(r"<(?:\w+:)?(\w+)>|\{(?:\w+:)?(\w+)\}", self.template)
        ]

    @property
    def policy(self) -> str | None:
        return policy_of(self.name, self.view)

    def address(self, values: Callable[[str], object]) -> str:
        filled = re.sub(r"<(?:\w+:)?(\w+)>|\{(?:\w+:)?(\w+)\}", lambda m: str(values(m[1] or m[2])), self.template)
        return "/" + filled

    def row(self, parameter: str) -> str:
        """The name of the model a parameter means. Fails for a parameter the sweep does not know."""
        if parameter == "run_id":
            return "PipelineRun" if "training" in self.template or "pipeline" in self.template else "ETLRun"
        assert parameter in ROWS, f"{self.name}: teach the sweep which row {parameter} means"
        return ROWS[parameter]


def routes_of(patterns: list[Any], prefix: str = "", namespace: str = "") -> Iterator[Route]:
    for pattern in patterns:
        text = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from routes_of(pattern.url_patterns, text, inner)
        elif isinstance(pattern, URLPattern):
            yield Route(f"{namespace}{pattern.name or text}", text, pattern.callback)


ROUTES = list(routes_of(get_resolver().url_patterns))
OURS = [route for route in ROUTES if route.policy in ROLES]


def undeclared(routes: list[Route]) -> list[str]:
    return [route.name for route in routes if route.policy is None]


@pytest.fixture
def acme(acme: Tenant) -> Tenant:
    """With a table in its warehouse."""
    load_table(acme)
    return acme


@pytest.fixture
def rival(rival: Tenant) -> Tenant:
    """With a table in its warehouse."""
    load_table(rival)
    return rival


@pytest.fixture
def visitors(acme: Tenant, rival: Tenant) -> dict[str, Client]:
    """Clients by kind; the members belong to acme."""
    with operating():
        stranger = User.objects.create_user("stranger@example.com")
        removed = User.objects.create_user("removed@example.com")
        membership = Membership.objects.create(organization=acme.organization, user=removed, role="admin")
    users = {**acme.people, "stranger": stranger, "removed": removed}
    clients = {"anonymous": Client(raise_request_exception=False)}
    for kind, user in users.items():
        clients[kind] = Client(raise_request_exception=False)
        clients[kind].force_login(user)
    assert clients["removed"].get("/").status_code == 200
    with operating():
        membership.delete()
    return clients


def call(client: Client, method: str, address: str, **extra: Any) -> HttpResponse:
    if method in ("post", "put", "patch"):
        extra.setdefault(
            "content_type", "application/json" if address.startswith("/api/") else "application/x-www-form-urlencoded"
        )
        extra.setdefault("data", "{}" if address.startswith("/api/") else "")
    return getattr(client, method)(address, **extra)


def own(route: Route, tenant: Tenant) -> str:
    return route.address(lambda parameter: value_of(route, parameter, tenant))


def value_of(route: Route, parameter: str, tenant: Tenant) -> object:
    """What of the tenant a parameter of an address names."""
    if parameter in PLAIN:
        return PLAIN[parameter]
    return table_of(tenant) if parameter == "table" else tenant.id_of(route.row(parameter))


def text_of(answer: HttpResponse) -> str:
    """What an answer says, also one that comes in pieces."""
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return body.decode(errors="replace")


def turned_away(answer: HttpResponse) -> bool:
    """Whether somebody who is not signed in got nothing."""
    if answer.status_code in (301, 302):
        return "/accounts/login/" in answer["Location"]
    return answer.status_code == 401 or (answer.status_code == 204 and "HX-Redirect" in answer)


def fingerprint(database: TestDatabase, tenant: Tenant) -> dict[str, object]:
    """Everything an organization owns, as text."""
    from django.apps import apps

    found: dict[str, object] = {}
    with database.superuser() as session:
        for model in apps.get_models():
            if issubclass(model, TenantModel):
                table = model._meta.db_table
                query = f"SELECT md5(string_agg(t::text, '|' ORDER BY id)) FROM {table} t WHERE organization_id = %s"
                found[table] = session.execute(query.encode(), (tenant.id,)).fetchone()
    return found


def test_every_address_has_a_declared_policy() -> None:
    assert undeclared(ROUTES) == []
    assert len(OURS) > 10
    assert {route.policy for route in ROUTES} <= {PUBLIC, SIGNED_IN, OPERATOR, RUN_TOKEN, *ROLES}


def test_an_address_without_a_policy_would_be_found() -> None:
    def forgotten(request: Any) -> HttpResponse:
        return HttpResponse()

    assert undeclared(list(routes_of([path("forgotten/", forgotten, name="forgotten")]))) == ["forgotten"]


def test_only_libraries_are_declared_by_name() -> None:
    for route in ROUTES:
        ours = getattr(route.view, "__module__", "").startswith("b2b_recs.")
        if ours and not route.name.startswith("operator:"):
            assert getattr(route.view, "access_policy", None), route.name
    assert not any(name.startswith("model") for name in LIBRARIES)


def test_anonymous_visitors_are_sent_to_sign_in_everywhere(visitors: dict[str, Client], acme: Tenant) -> None:
    for route in OURS:
        for method in METHODS:
            answer = call(visitors["anonymous"], method, own(route, acme))
            assert turned_away(answer), (route.name, method, answer.status_code)


@pytest.mark.parametrize("kind", ["stranger", "removed"])
def test_people_without_a_membership_get_nothing(
    platform_database: TestDatabase, visitors: dict[str, Client], acme: Tenant, kind: str
) -> None:
    before = fingerprint(platform_database, acme)
    for route in OURS:
        for method in METHODS if kind == "removed" else SOME:
            answer = call(visitors[kind], method, own(route, acme))
            assert answer.status_code in (403, 404), (route.name, method, answer.status_code)
            assert b"Acme" not in answer.content, route.name
    assert fingerprint(platform_database, acme) == before


@pytest.mark.parametrize("kind", ["owner", "viewer"])
def test_foreign_and_missing_rows_answer_the_same(
    platform_database: TestDatabase, visitors: dict[str, Client], rival: Tenant, kind: str
) -> None:
    before = fingerprint(platform_database, rival)
    checked = 0
    for route in [route for route in OURS if route.parameters]:
        for method in METHODS if kind == "owner" else SOME:
            foreign = call(visitors[kind], method, own(route, rival))
            missing = call(visitors[kind], method, route.address(lambda parameter: MISSING))
            assert foreign.status_code == missing.status_code, (route.name, method)
            assert foreign.status_code in (403, 404, 405), (route.name, method, foreign.status_code)
            assert without_numbers(foreign) == without_numbers(missing), (route.name, method)
            checked += 1
    assert checked >= 3 * 10
    assert fingerprint(platform_database, rival) == before


def test_a_foreign_row_inside_an_own_address_is_missing(
    visitors: dict[str, Client], acme: Tenant, rival: Tenant
) -> None:
    """/models/<own>/runs/<foreign>/ and the other way round."""
    checked = 0
    for route in [route for route in OURS if len(route.parameters) > 1]:
        for foreign in set(route.parameters) - set(PLAIN):
            whose = {name: rival if name == foreign else acme for name in route.parameters}
            ids = {name: value_of(route, name, tenant) for name, tenant in whose.items()}
            address = route.address(ids.__getitem__)
            for method in METHODS:
                answer = call(visitors["owner"], method, address)
                assert answer.status_code in (404, 405), (route.name, method, foreign, answer.status_code)
                checked += 1
    assert checked


def test_a_viewer_is_refused_what_needs_more_and_changes_nothing(
    platform_database: TestDatabase, visitors: dict[str, Client], acme: Tenant
) -> None:
    before = fingerprint(platform_database, acme)
    for route in OURS:
        for method in SOME:
            answer = call(visitors["viewer"], method, own(route, acme))
            if route.policy != Role.VIEWER:
                assert answer.status_code == 403, (route.name, method, answer.status_code)
            elif method != "get":
                assert answer.status_code >= 400, (route.name, method, answer.status_code)
    assert fingerprint(platform_database, acme) == before


def test_own_pages_open_and_show_nothing_of_others(visitors: dict[str, Client], acme: Tenant, rival: Tenant) -> None:
    opened = 0
    for route in OURS:
        answer = call(visitors["owner"], "get", own(route, acme))
        assert answer.status_code < 500, (route.name, answer.status_code)
        opened += answer.status_code == 200
        text = text_of(answer)
        assert "Rival" not in text and "rival.example" not in text, route.name
    assert opened >= 5


def test_searches_find_nothing_of_others(visitors: dict[str, Client], acme: Tenant, rival: Tenant) -> None:
    for route in OURS:
        answer = call(visitors["owner"], "get", own(route, acme), data={"q": "of Rival", "search": "of Rival"})
        text = text_of(answer).replace("of Rival", "", 2)
        assert "Model of Rival" not in text and "a line of Rival" not in text, route.name


@pytest.mark.parametrize("value", ODD, ids=lambda value: value[:12])
def test_no_page_breaks_on_an_odd_query(visitors: dict[str, Client], acme: Tenant, value: str) -> None:
    query = "&".join(f"{name}={value}" for name in ASKED)
    for route in [route for route in OURS if not route.template.startswith("api/")]:
        answer = call(visitors["owner"], "get", f"{own(route, acme)}?{query}")
        assert answer.status_code < 500, (route.name, answer.status_code)


def test_a_key_of_another_model_or_organization_reaches_nothing(acme: Tenant, rival: Tenant) -> None:
    with scope(acme.id):
        other = ModelEndpoint.objects.create(organization_id=acme.id, name="another model")
        _, of_another_model = create_key("x", scopes=["read", "write"], model=other)
    with scope(rival.id):
        _, of_rival = create_key("x", scopes=["read", "write"])
    client = Client(raise_request_exception=False)
    for route in [route for route in OURS if "model_id" in route.parameters]:
        for method in SOME:
            for key in (of_another_model, of_rival):
                answer = call(client, method, own(route, acme), headers={"Authorization": f"Bearer {key}"})
                assert answer.status_code in (403, 404, 405), (route.name, method, answer.status_code)


def test_addresses_of_runners_answer_everybody_without_a_run_token_alike(
    platform_database: TestDatabase, visitors: dict[str, Client], acme: Tenant
) -> None:
    with scope(acme.id):
        _, key = create_key("x", scopes=["read", "write"])
    before = fingerprint(platform_database, acme)
    routes = [route for route in ROUTES if route.policy == RUN_TOKEN]
    assert len(routes) == 5
    for route in routes:
        for method in METHODS:
            answers = [
                call(client, method, route.address(lambda parameter, at=number: at), headers=headers)
                for client in visitors.values()
                for number in (acme.id_of("ETLRun"), MISSING)
                for headers in ({}, {"Authorization": f"RunToken {key}"})
            ]
            assert {answer.status_code for answer in answers} <= {401, 405}, (route.name, method)
            assert len({answer.content for answer in answers}) == 1, (route.name, method)
    assert fingerprint(platform_database, acme) == before


def test_addresses_of_operators_and_accounts_keep_to_their_declaration(visitors: dict[str, Client]) -> None:
    for route in [route for route in ROUTES if not route.parameters and "(?P" not in route.template]:
        address = "/" + route.template.replace("^", "").replace("$", "").replace("\\Z", "")
        if route.policy in (SIGNED_IN, OPERATOR):
            assert turned_away(visitors["anonymous"].get(address)), route.name
        if route.policy == OPERATOR and not route.name.endswith(":logout"):
            assert visitors["owner"].get(address).status_code == 404, route.name


def without_numbers(answer: HttpResponse) -> str:
    """The answer's text without numbers and form tokens."""
    tokens = r'name="csrfmiddlewaretoken" value="[^"]*"|"X-CSRFToken": "[^"]*"'
    text = re.sub(tokens, "", answer.content.decode(errors="replace"))
    return re.sub(r"\d+", "", text)
