"""The pages that turn somebody away, at both widths and looks: nothing there, not allowed, too often, our fault."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from browser.conftest import Visitor
from browser.sweep import looks
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from playwright.sync_api import expect

from b2b_recs.web.accounts.refusals import failed, not_found

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
Visit = Callable[..., Visitor]
EXPORT = "/organization/audit/audit.csv"


def turned_away(visitor: Visitor, path: str, status: int, title: str) -> list[str]:
    """What is at fault on the page that answers with that status."""
    answer = visitor.page.goto(visitor.site.url + path)
    assert answer is not None and answer.status == status
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text(title)
    found = looks(visitor, f"{status}{path}")
    return found + [text for text in visitor.complaints if f"status of {status}" not in text]


def test_what_a_role_does_not_allow_has_a_page_without_fault(visit: Visit) -> None:
    visitor = visit("viewer")
    assert turned_away(visitor, "/organization/audit/", 403, "Not allowed") == []
    visitor.page.get_by_role("link", name="Go to the dashboard").click()
    expect(visitor.page).to_have_url(f"{visitor.site.url}/")


def test_what_is_asked_too_often_has_a_page_without_fault(visit: Visit, owner_state: Any) -> None:
    visitor = visit(state=owner_state)
    ask, address = visitor.page.request, visitor.site.url + EXPORT
    assert ask.get(address).status == 200
    while ask.get(address).status != 429:  # also when a minute ends meanwhile, and what was counted with it
        pass
    assert turned_away(visitor, EXPORT, 429, "Too often") == []


@pytest.mark.parametrize(
    ("answer", "status", "title"),
    [(not_found, 404, "Not found"), (failed, 500, "Something failed on our side")],
)
def test_what_is_not_there_and_what_fails_has_a_page_without_fault(
    visit: Visit, answer: Callable[[HttpRequest], HttpResponse], status: int, title: str
) -> None:
    # the site under test shows programmers' pages for these two: the product's own stand in their place
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    given = answer(request)
    assert given.status_code == status
    visitor = visit()
    visitor.page.route(
        "**/nothing-is-here/",
        lambda route: route.fulfill(status=status, body=given.content.decode(), content_type="text/html"),
    )
    assert turned_away(visitor, "/nothing-is-here/", status, title) == []
