"""Entering, nesting and leaving the scope of an organization."""

from __future__ import annotations

import pytest
from django.db import connection
from tenant_rows import Tenant

from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.tenancy import ScopeMissing, current, operating, required, scope, unscoped


def names() -> list[str]:
    return list(unscoped(ModelEndpoint, "default").values_list("name", flat=True))


def test_asking_outside_a_scope_raises() -> None:
    for ask in (
        ModelEndpoint.objects.all,
        lambda: ModelEndpoint.objects.filter(id=1),
        lambda: ModelEndpoint.objects.create(name="x"),
        lambda: ModelEndpoint.objects.using("default"),
        required,
    ):
        with pytest.raises(ScopeMissing):
            ask()
    assert current() is None


def test_a_row_saved_without_an_organization_outside_a_scope_is_refused() -> None:
    with pytest.raises(ScopeMissing):
        ModelEndpoint(name="x").save()


def test_a_row_saved_in_a_scope_joins_its_organization(acme: Tenant) -> None:
    with scope(acme.id):
        row = ModelEndpoint(name="another")
        row.save()
        assert row.organization_id == acme.id
        assert ModelEndpoint.objects.count() == 2


def test_nested_scopes_restore_the_one_around(acme: Tenant, rival: Tenant) -> None:
    with scope(acme.id):
        with scope(rival.id):
            assert (current(), names()) == (rival.id, ["Model of Rival"])
            with scope(rival.id):
                assert names() == ["Model of Rival"]
        assert (current(), names()) == (acme.id, ["Model of Acme"])
        with pytest.raises(ZeroDivisionError), scope(rival.id):
            raise ZeroDivisionError
        assert (current(), names()) == (acme.id, ["Model of Acme"])
    assert (current(), names()) == (None, [])


def test_an_error_undoes_what_was_written_in_the_scope(acme: Tenant) -> None:
    with pytest.raises(ZeroDivisionError), scope(acme.id):
        ModelEndpoint.objects.update(name="changed")
        raise ZeroDivisionError
    with scope(acme.id):
        assert names() == ["Model of Acme"]


def test_a_connection_forgets_the_scope_when_its_transaction_ends(acme: Tenant) -> None:
    with scope(acme.id):
        pass
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.org_id', true)")
        assert cursor.fetchone()[0] in (None, "")


def test_operators_see_every_organization_until_they_stop(acme: Tenant, rival: Tenant) -> None:
    with operating():
        assert ModelEndpoint.objects.count() == 2
    with pytest.raises(ScopeMissing):
        ModelEndpoint.objects.count()
    assert ModelEndpoint.objects.using("operator").count() == 2


def test_a_related_manager_needs_the_scope_too(acme: Tenant) -> None:
    model = acme.rows["ModelEndpoint"]
    with scope(acme.id):
        loaded = ModelEndpoint.objects.get(id=model.pk)
        assert loaded.connections.count() == 1
    with pytest.raises(ScopeMissing):
        loaded.connections.count()
