"""The try-it page before anybody asked."""

from __future__ import annotations

import html
import shutil
from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from run_rows import GATE, make_shop
from web_support import TestDatabase

from b2b_recs.runtime.home import Home
from b2b_recs.web.deployments import views
from b2b_recs.web.deployments.customers import Customer
from b2b_recs.web.deployments.services import deploy
from b2b_recs.web.tenancy import scope

PageAt = Callable[..., str]


@pytest.fixture
def page_at(platform_database: TestDatabase) -> Iterator[PageAt]:
    """Asks for a part of the page of a model that answers."""
    Home.current().create()
    shop = make_shop()
    with scope(shop.id):
        deploy(shop.trained(1), gate=GATE)
    client = Client()
    client.force_login(shop.user, backend="django.contrib.auth.backends.ModelBackend")
    yield lambda part, **asked: client.get(f"/models/{shop.model.id}/try/{part}", asked).content.decode()
    shutil.rmtree(Home.current().serving)


def test_customers_to_ask_for_are_a_click_away(page_at: PageAt, monkeypatch: pytest.MonkeyPatch) -> None:
    known = (Customer("c 7", "Beech Gifts"), Customer("c&8", ""))
    monkeypatch.setattr(views, "ordinary_customers", lambda artifact_id: known)
    page = page_at("")
    assert "Products per list" in page and "Customer id" in page
    assert "Type an id or a name" not in page
    assert 'href="?customer=c%207&amp;k=10"' in page and "Beech Gifts" in page
    assert 'href="?customer=c%268&amp;k=10"' in page


def test_a_name_is_asked_for_only_where_the_data_had_one(page_at: PageAt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "any_named", lambda artifact_id: True)
    page = page_at("")
    assert 'placeholder="Id or name"' in page and "Customer id" not in page


def test_the_lines_to_copy_ask_for_the_customer_shown(page_at: PageAt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "ask", lambda *_, **__: {"known": True, "recommendations": []})
    asked = {"customer": "c 7", "k": "3"}
    for part in ("", "answer/"):
        page = html.unescape(page_at(part, **asked))
        assert '{"customer_id": "c 7", "k": 3}' in page
        assert "ms, the whole way from this page to the endpoint and back" in page
