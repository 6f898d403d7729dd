"""The operator's admin: every table, searchable and filterable, for operators only."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import connections
from django.test import Client
from tenant_rows import Tenant

from b2b_recs.cli.context import organization_named
from b2b_recs.engine.errors import BadInput
from b2b_recs.web.accounts.models import Organization, OrganizationEvent, User
from b2b_recs.web.operations.admin import HIDDEN, OURS
from b2b_recs.web.operations.limits import limit_words, set_limit
from b2b_recs.web.operations.site import site
from b2b_recs.web.tenancy import operating, unscoped

CREATED = {"created_at_0": "2026-01-01", "created_at_1": "00:00:00"}
MODELS = [model for label in OURS for model in apps.get_app_config(label).get_models()]


@pytest.fixture
def operator(client: Client, acme: Tenant, rival: Tenant) -> Client:
    with operating():
        user = User.objects.create_user("operator@example.com", is_operator=True)
    client.force_login(user)
    return client


def test_every_model_is_there_searchable_and_filterable() -> None:
    assert set(MODELS) <= set(site._registry)
    for model in MODELS:
        shown = site._registry[model]
        assert shown.search_fields, model
        assert shown.list_filter, model
        assert len(shown.list_display) > 1, model
        assert not HIDDEN & set(shown.list_display), model


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_lists_searches_and_forms_open_with_rows_of_every_organization(
    operator: Client, acme: Tenant, rival: Tenant, model: type
) -> None:
    address = f"/operator/{model._meta.app_label}/{model._meta.model_name}/"
    assert operator.get(address).status_code == 200
    assert operator.get(address, {"q": "acme"}).status_code == 200
    row = unscoped(model).order_by("-pk").first()
    if row is not None:
        page = operator.get(f"{address}{row.pk}/change/")
        assert page.status_code == 200
        for name in ("ciphertext", "token_hash", 'name="hash"', 'name="password"'):
            assert name not in page.content.decode()


def test_lists_show_both_organizations_and_filter_by_one(operator: Client, acme: Tenant, rival: Tenant) -> None:
    both = operator.get("/operator/projects/modelendpoint/").content.decode()
    assert "Model of Acme" in both
    assert "Model of Rival" in both
    one = operator.get("/operator/projects/modelendpoint/", {"organization": acme.id}).content.decode()
    assert "Model of Rival" not in one


def test_a_change_is_saved_and_audited_with_the_operator(operator: Client, acme: Tenant) -> None:
    answer = operator.post(
        f"/operator/accounts/organization/{acme.id}/change/",
        {"name": "Acme", "slug": "acme", "suspended": "on", "runs_at_once": "3", **CREATED},
    )
    assert answer.status_code == 302
    changed = unscoped(Organization).get(id=acme.id)
    assert (changed.suspended, changed.runs_at_once) == (True, 3)
    event = unscoped(OrganizationEvent).order_by("-pgh_id").first()
    assert event.pgh_context["email"] == "operator@example.com"
    assert event.runs_at_once == 3


@pytest.mark.parametrize("number", ["-1", "1001", "many"])
def test_a_number_of_runs_that_cannot_be_is_refused_beside_its_field(
    operator: Client, acme: Tenant, number: str
) -> None:
    answer = operator.post(
        f"/operator/accounts/organization/{acme.id}/change/",
        {"name": "Acme", "slug": "acme", "runs_at_once": number, **CREATED},
    )
    assert answer.status_code == 200 and answer.context["errors"]
    assert unscoped(Organization).get(id=acme.id).runs_at_once is None


def test_the_worker_learns_the_number_of_an_organization_and_pages_do_not_ask(acme: Tenant) -> None:
    owner = organization_named("acme")
    assert limit_words(owner) == "Runs of Acme: any number at the same time (the default)."
    set_limit(owner, "4")
    assert limit_words(organization_named("Acme")) == "Runs of Acme: 4 at the same time."
    (event,) = unscoped(OrganizationEvent).filter(pgh_obj_id=acme.id, pgh_label="changed")
    assert (event.runs_at_once, event.pgh_context) == (4, {"command": "runs-at-once"})
    ask = "SELECT b2b_recs_runs_at_once(%s)"
    for role, answers in (("b2b_recs_worker", True), ("b2b_recs_web", False)):
        with connections["operator"].cursor() as cursor:
            cursor.execute("SELECT has_function_privilege(%s, 'b2b_recs_runs_at_once(text)', 'execute')", [role])
            assert cursor.fetchone() == (answers,)
    with connections["operator"].cursor() as cursor:
        for organization, most in ((str(acme.id), 4), ("0", None)):
            cursor.execute(ask, [organization])
            assert cursor.fetchone() == (most,)
    with pytest.raises(BadInput, match="1001 is not a number of runs"):
        set_limit(owner, "1001")
    set_limit(owner, "default")
    assert "(the default)" in limit_words(organization_named("acme"))


def test_others_do_not_learn_that_it_exists(client: Client, acme: Tenant) -> None:
    for role in ("owner", "admin", "editor", "viewer"):
        client.force_login(acme.people[role])
        for address in ("/operator/", "/operator/accounts/user/", "/operator/login/", "/operator/nothing/"):
            assert client.get(address).status_code == 404, (role, address)
    anonymous = Client().get("/operator/")
    assert anonymous.status_code == 302
    assert anonymous["Location"].startswith("/accounts/login/")
