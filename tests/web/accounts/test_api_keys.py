"""Keys of programs: shown once, kept as a hash, opening one organization or one model."""

from __future__ import annotations

import hashlib

import pytest
from django.test import Client
from tenant_rows import Tenant

from b2b_recs.engine.errors import BadInput
from b2b_recs.web.accounts.api_keys import create_key, revoke_key, verify_key
from b2b_recs.web.accounts.models import ApiKey, Organization
from b2b_recs.web.tenancy import scope, unscoped


def ask(client: Client, path: str, key: str) -> int:
    return client.get(path, headers={"Authorization": f"Bearer {key}"}).status_code


def test_only_the_hash_of_a_key_is_kept(acme: Tenant) -> None:
    with scope(acme.id):
        key, text = create_key("the shop", user=acme.people["owner"])
        kept = str(ApiKey.objects.values().get(id=key.id))
        assert text.startswith(f"b2br_{acme.id}_{key.prefix}_")
        assert text.rsplit("_", 1)[1] not in kept
        assert key.hash == hashlib.sha256(text.encode()).hexdigest()
        assert verify_key(text) == key


def test_a_changed_revoked_or_foreign_key_opens_nothing(acme: Tenant, rival: Tenant) -> None:
    with scope(acme.id):
        key, text = create_key("the shop")
        wrong = text[:-1] + ("0" if text[-1] != "0" else "1")
        for bad in (wrong, text.upper(), text + "0", "", "b2br_", text.replace("b2br_", "b2br_0")):
            assert verify_key(bad) is None, bad
    with scope(rival.id):
        assert verify_key(text) is None
    with scope(acme.id):
        revoke_key(key)
        assert verify_key(text) is None


def test_a_key_reads_pages_of_its_organization_only(client: Client, acme: Tenant, rival: Tenant) -> None:
    with scope(acme.id):
        _, text = create_key("reader", scopes=["read"])
    assert ask(client, f"/models/{acme.id_of('ModelEndpoint')}/", text) == 200
    assert ask(client, f"/models/{rival.id_of('ModelEndpoint')}/", text) == 404
    assert ask(client, "/models/new/", text) == 403
    lying = text.replace(f"b2br_{acme.id}_", f"b2br_{rival.id}_")
    assert ask(client, f"/models/{rival.id_of('ModelEndpoint')}/", lying) == 401


def test_a_key_of_another_model_finds_nothing(client: Client, acme: Tenant) -> None:
    from b2b_recs.web.projects.models import ModelEndpoint

    with scope(acme.id):
        other = ModelEndpoint.objects.create(organization_id=acme.id, name="other")
        _, text = create_key("reader", scopes=["read"], model=other)
    assert ask(client, f"/models/{other.id}/", text) == 200
    assert ask(client, f"/models/{acme.id_of('ModelEndpoint')}/", text) == 404


def test_a_key_for_recommendations_opens_no_page(client: Client, acme: Tenant) -> None:
    with scope(acme.id):
        _, text = create_key("the shop")
    assert ask(client, f"/models/{acme.id_of('ModelEndpoint')}/", text) == 403


def test_the_keys_of_a_suspended_organization_stop_working(client: Client, acme: Tenant) -> None:
    with scope(acme.id):
        _, text = create_key("reader", scopes=["read"])
    unscoped(Organization).filter(id=acme.id).update(suspended=True)
    assert ask(client, f"/models/{acme.id_of('ModelEndpoint')}/", text) == 401


@pytest.mark.parametrize(
    ("name", "scopes", "field"), [("", ["read"], "name"), ("x", ["admin"], "scopes"), ("x", [], "scopes")]
)
def test_a_key_needs_a_name_and_known_scopes(acme: Tenant, name: str, scopes: list[str], field: str) -> None:
    with scope(acme.id), pytest.raises(BadInput) as refusal:
        create_key(name, scopes=scopes)
    assert refusal.value.field == field
