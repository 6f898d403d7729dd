"""The command palette leads to what has the letters in its name, of the own organization only."""

from __future__ import annotations

from datetime import UTC, datetime

from django.test import Client
from run_rows import Shop, make_shop
from web_support import TestDatabase

from b2b_recs.web.etl.models import DataSourceTable, ETLRun
from b2b_recs.web.tenancy import scope


def found(shop: Shop, letters: str) -> str:
    client = Client()
    client.force_login(shop.user, backend="django.contrib.auth.backends.ModelBackend")
    return client.get("/find/", {"q": letters}).content.decode()


def test_a_table_is_found_once_it_was_loaded(platform_database: TestDatabase) -> None:
    shop, rival = make_shop(), make_shop("Rival")
    address = f"/models/{shop.model.id}/data/bq_orders/"
    assert "bq_orders" not in found(shop, "bq_ord")
    for one in (shop, rival):
        with scope(one.id):
            DataSourceTable.objects.update(last_synced_at=datetime.now(UTC))
    page = found(shop, "bq_ord")
    assert page.count(">bq_orders<") == 1
    assert f'href="{address}"' in page
    assert f"/models/{rival.model.id}/" not in page
    assert "bq_orders" not in found(shop, "")


def test_letters_that_nothing_has_lead_nowhere(platform_database: TestDatabase) -> None:
    assert "bq_" not in found(make_shop(), "nothing-is-called-so")


def test_a_page_of_a_model_is_found_by_its_name_and_that_of_the_model(platform_database: TestDatabase) -> None:
    shop, rival = make_shop(), make_shop("Rival")
    for letters in ("etl", "acme etl", "ETL of Acme"):
        page = found(shop, letters)
        assert f'href="/models/{shop.model.id}/etl/"' in page and "Model of Acme" in page, letters
        assert f"/models/{rival.model.id}/" not in page
    assert f'href="/models/{shop.model.id}/runs/"' in found(shop, "run")
    assert f'href="/models/{shop.model.id}/etl/"' not in found(shop, "rival etl")
    alone = found(shop, "acme")
    assert f'href="/models/{shop.model.id}/"' in alone and f'href="/models/{shop.model.id}/etl/"' not in alone


def test_a_run_is_told_as_its_own_page_tells_it(platform_database: TestDatabase) -> None:
    shop = make_shop()
    with scope(shop.id):
        ETLRun.objects.create(
            organization=shop.organization, data_source=shop.jobs[0], status="partial", rows_rejected=20
        )
    page = found(shop, "orders")
    assert "20 rejected, just now" in page and "partial" not in page
