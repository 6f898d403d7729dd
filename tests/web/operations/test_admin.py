"""The operator's admin: every table, searchable and filterable, for operators only."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.test import Client
from tenant_rows import Tenant

from b2b_recs.web.accounts.models import Organization, OrganizationEvent, User
from b2b_recs.web.operations.admin import HIDDEN, OURS
from b2b_recs.web.operations.site import site
from b2b_recs.web.tenancy import operating, unscoped

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
        {"name": "Acme", "slug": "acme", "suspended": "on", "created_at_0": "2026-01-01", "created_at_1": "00:00:00"},
    )
    assert answer.status_code == 302
    assert unscoped(Organization).get(id=acme.id).suspended
    event = unscoped(OrganizationEvent).order_by("-pgh_id").first()
    assert event.pgh_context["email"] == "operator@example.com"


def test_others_do_not_learn_that_it_exists(client: Client, acme: Tenant) -> None:
    for role in ("owner", "admin", "editor", "viewer"):
        client.force_login(acme.people[role])
        for address in ("/operator/", "/operator/accounts/user/", "/operator/login/", "/operator/nothing/"):
            assert client.get(address).status_code == 404, (role, address)
    anonymous = Client().get("/operator/")
    assert anonymous.status_code == 302
    assert anonymous["Location"].startswith("/accounts/login/")
