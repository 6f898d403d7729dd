"""The warehouse tables of a model in a real browser: the way through their tabs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from browser.conftest import Visitor
from browser.installation import Installation
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
Visit = Callable[..., Visitor]


def data(site: Installation, path: str = "") -> str:
    return f"/models/{site.seeded['live']}/data/{path}"


def complete(page: Page) -> None:
    """Wait until what comes later has come."""
    expect(page.locator("[data-poll]")).to_have_count(0)


def test_from_the_list_to_a_column_and_back(visit: Visit, site: Installation, owner_state: Any) -> None:
    visitor = visit(state=owner_state)
    page = visitor.go(f"/models/{site.seeded['live']}/")
    page.get_by_role("link", name="Data", exact=True).click()
    page.get_by_role("link", name="bq_order_lines").click()
    expect(page.get_by_text("New rows are added, by the column ordered_at.")).to_be_visible()
    page.get_by_role("link", name="Preview").click()
    expect(page.get_by_role("heading", name="The first 100 of 2,000 rows")).to_be_visible()
    cell = page.locator(".sheet details").first
    expect(cell.get_by_text("nobody hears the first one")).to_be_hidden()
    cell.locator("summary").click()
    expect(cell.get_by_text("nobody hears the first one")).to_be_visible()
    page.get_by_role("link", name="Statistics").click()
    complete(page)
    expect(page.get_by_role("img", name=re.compile(r"^price from 0\.1"))).to_be_visible()
    page.get_by_label("Search columns").fill("quan")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.locator(".stat-name")).to_have_count(1)
    page.go_back()
    expect(page.locator(".stat-name")).to_have_count(9)
    assert visitor.complaints == []


def test_the_first_column_of_wide_rows_stays_and_the_page_itself_does_not_scroll(
    visit: Visit, site: Installation, owner_state: Any
) -> None:
    page = visit(width=390, state=owner_state).go(data(site, "bq_order_lines/preview/"))
    rows = page.get_by_role("region", name="Rows", exact=True)
    before = page.locator(".sheet td").first.bounding_box()
    rows.evaluate("box => { box.scrollLeft = 400; }")
    assert rows.evaluate("box => box.scrollLeft") == 400
    assert page.locator(".sheet td").first.bounding_box() == before
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_two_versions_are_compared_and_rows_are_taken_away_by_the_keyboard(
    visit: Visit, site: Installation, owner_state: Any
) -> None:
    page = visit(state=owner_state).go(data(site, "bq_products/versions/"))
    page.get_by_role("button", name="Compare").focus()
    page.keyboard.press("Enter")
    complete(page)
    expect(page.get_by_text("Rows changed")).to_be_visible()
    expect(page.get_by_text("85100A")).to_be_visible()
    page.get_by_text("Download rows").focus()
    page.keyboard.press("Enter")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV, the first 10,000").press("Enter")
    assert download.value.suggested_filename == "bq_products-version-1.csv"
