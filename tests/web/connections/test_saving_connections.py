"""Connections: secrets go in and never follow a connection to another address."""

from __future__ import annotations

from typing import Any

import pytest
from run_rows import Shop, make_shop
from web_support import TestDatabase

from b2b_recs.engine.errors import BadInput
from b2b_recs.web.connections.changing import changed_parameters, update_connection
from b2b_recs.web.connections.models import Connection, StoredSecret
from b2b_recs.web.connections.services import (
    note_use,
    read_named_secret,
    save_connection,
    secret_fields_set,
    store_named_secret,
)
from b2b_recs.web.tenancy import scope

ADDRESS = {"host": "db.example.com", "port": 5432, "database": "shop", "username": "reader"}


@pytest.fixture
def shop(platform_database: TestDatabase) -> Shop:
    return make_shop()


def save(shop: Shop, **parameters: Any) -> tuple[Connection, list[str]]:
    with scope(shop.id):
        return save_connection(shop.model, "warehouse", "postgresql", {**ADDRESS, **parameters})


def test_the_password_is_sealed_and_saving_the_same_again_changes_nothing(shop: Shop) -> None:
    connection, created = save(shop, password="first secret")
    assert created == ["connection “warehouse” created"]
    assert save(shop, password="first secret")[1] == []
    assert save(shop)[1] == []
    with scope(shop.id):
        assert secret_fields_set(connection) == ["password"]
        assert "password" not in Connection.objects.get(id=connection.id).parameters
        assert b"first secret" not in bytes(StoredSecret.objects.get(name__contains=str(connection.id)).ciphertext)


@pytest.mark.parametrize("change", [{"host": "evil.example.net"}, {"port": 5433}, {"username": "other"}])
def test_a_stored_password_does_not_follow_a_connection_that_changes(shop: Shop, change: dict[str, Any]) -> None:
    connection, _ = save(shop, password="first secret")
    with pytest.raises(BadInput) as refusal:
        save(shop, **change)
    assert refusal.value.field == "password"
    with scope(shop.id):
        assert Connection.objects.get(id=connection.id).parameters["host"] == ADDRESS["host"]
    assert any(next(iter(change)) in line for line in save(shop, **change, password="again")[1])


def test_a_named_secret_is_read_back_only_by_its_organization(shop: Shop, platform_database: TestDatabase) -> None:
    other = make_shop("Other")
    with scope(shop.id):
        assert store_named_secret(shop.id, "shop password", "quiet")
        assert not store_named_secret(shop.id, "shop password", "quieter")
        assert read_named_secret(shop.id, "shop password") == "quieter"
    with scope(other.id), pytest.raises(BadInput) as refusal:
        read_named_secret(other.id, "shop password")
    assert "b2b-recs secret shop password" in refusal.value.advice


def test_a_use_of_a_connection_is_kept_on_it_with_what_the_source_said(shop: Shop) -> None:
    connection, _ = save(shop, password="first secret")
    note_use(shop.id, connection.id, "The password was refused.")
    with scope(shop.id):
        connection.refresh_from_db()
    assert (connection.last_test_status, connection.last_test_message) == ("failed", "The password was refused.")
    note_use(shop.id, connection.id)
    with scope(shop.id):
        connection.refresh_from_db()
    assert (connection.last_test_status, connection.last_test_message) == ("passed", "")
    assert connection.last_used_at == connection.last_test_at is not None


def test_what_is_stored_is_what_was_read_and_another_way_to_write_it_changes_nothing(shop: Shop) -> None:
    connection, _ = save(shop, password="first secret", port="5432", ssl_mode="prefer")
    with scope(shop.id):
        assert Connection.objects.get(id=connection.id).parameters["port"] == 5432
        Connection.objects.filter(id=connection.id).update(parameters={**ADDRESS, "port": "5432"})
        # neither the written number nor a default that is named needs the password again
        assert update_connection(Connection.objects.get(id=connection.id), None, None, {"port": 5432}) == []
        held = Connection.objects.get(id=connection.id)
        assert changed_parameters(held, {"ssl_mode": "prefer", "ca_certificate": None}).plain["port"] == 5432
        with pytest.raises(BadInput):
            changed_parameters(held, {"port": 5433})
    assert save(shop, port="5432", ssl_mode="prefer")[1] == []
