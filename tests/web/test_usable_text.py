"""A zero byte in a query or a form is taken out before a page reads it; a program is told."""

from __future__ import annotations

import pytest
from django.test import Client, RequestFactory
from run_rows import make_shop
from web_support import TestDatabase

from b2b_recs.web.usable_text import UsableText, usable


@pytest.mark.parametrize(
    "address", ["/", "/models/{model}/runs/", "/models/{model}/versions/", "/organization/members/"]
)
def test_a_search_for_a_zero_byte_is_answered(platform_database: TestDatabase, address: str) -> None:
    shop = make_shop()
    client = Client()
    client.force_login(shop.user, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get(address.format(model=shop.model.id) + "?q=%00or%00ders")
    assert answer.status_code == 200
    assert b"\x00" not in answer.content


def test_a_form_loses_its_zero_bytes_and_nothing_else() -> None:
    door = UsableText(lambda request: None)  # type: ignore[arg-type, return-value]
    request = RequestFactory().post("/models/1/", {"name": "a\x00b", "other": ["1", "2"]})
    door.process_view(request)
    assert request.POST["name"] == "ab" and request.POST.getlist("other") == ["1", "2"]


def test_a_program_keeps_its_zero_bytes_to_be_told_of_them() -> None:
    request = RequestFactory().get("/api/v1/models/?q=a%00b")
    UsableText(lambda request: None)(request)  # type: ignore[arg-type, return-value]
    assert request.GET["q"] == "a\x00b"


def test_usual_values_stay_themselves() -> None:
    request = RequestFactory().get("/?q=orders&page=2")
    assert usable(request.GET) is request.GET
