"""What pages survive: a reload in every step, the back button, two tabs, a double click, a lost connection."""

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


def etl(site: Installation, model: str = "live") -> str:
    return f"/models/{site.seeded[model]}/etl/"


def begin_job(page: Page, name: str) -> None:
    """The first step of the wizard: a name, and the one connection there is."""
    page.get_by_label("Name of the job").fill(name)
    page.get_by_role("radio", name="shop").check()
    page.get_by_role("button", name="Next: table").click()
    page.wait_for_url("**/step/2/")


def test_a_reload_in_every_step_and_the_back_button_keep_what_was_saved(
    visit: Visit, site: Installation, owner_state: Any
) -> None:
    page = visit(state=owner_state).go(f"{etl(site)}jobs/new/")
    begin_job(page, "Prices kept")
    page.reload()
    expect(page.get_by_role("heading", name="New job: Prices kept")).to_be_visible()
    page.get_by_role("radio", name="price_list").check()
    page.get_by_role("button", name="Next: rows and columns").click()
    page.wait_for_url("**/step/3/")
    page.reload()
    page.get_by_role("radio", name="Copy the whole table").check()
    page.get_by_label("Keep old versions, days").fill("12")
    page.get_by_label("Copy discount").uncheck()
    page.get_by_role("button", name="Next: warehouse table").click()
    page.wait_for_url("**/step/4/")
    page.reload()
    expect(page.get_by_text("4 of 5 columns")).to_be_visible()
    page.get_by_label("Table name").fill("bq_prices_kept")
    page.get_by_label("Type of unit_price in the warehouse").select_option("BIGNUMERIC")
    page.get_by_role("button", name="Next: schedule").click()
    page.wait_for_url("**/step/5/")
    page.reload()
    expect(page.locator(".review")).to_contain_text("bq_prices_kept")
    expect(page.locator(".review")).to_contain_text("kept 12 days")

    page.go_back()
    expect(page.get_by_label("Table name")).to_have_value("bq_prices_kept")
    expect(page.get_by_label("Type of unit_price in the warehouse")).to_have_value("BIGNUMERIC")
    page.go_back()
    expect(page.get_by_role("radio", name="Copy the whole table")).to_be_checked()
    expect(page.get_by_label("Keep old versions, days")).to_have_value("12")
    expect(page.get_by_label("Copy discount")).not_to_be_checked()
    page.go_back()
    expect(page.get_by_role("radio", name="price_list")).to_be_checked()
    page.go_forward()
    expect(page.get_by_role("radio", name="Copy the whole table")).to_be_checked()
    page.goto(site.url + etl(site))
    draft = page.locator(".job-card", has_text="Prices kept")
    expect(draft).to_contain_text("Draft, step 5 of 5")
    draft.get_by_role("link", name="Go on").click()
    expect(page.locator(".review")).to_contain_text(re.compile(r"4 chosen.*1 set by hand", re.S))


def test_wizards_of_two_models_in_two_tabs_do_not_mix(visit: Visit, site: Installation, owner_state: Any) -> None:
    visitor = visit(state=owner_state)
    first = visitor.go(f"{etl(site)}jobs/new/")
    second = first.context.new_page()
    second.goto(f"{site.url}{etl(site, 'busy')}jobs/new/")
    first.get_by_label("Name of the job").fill("Of the first tab")
    begin_job(second, "Of the second tab")
    begin_job(first, "Of the first tab")
    for page, model, own, other in (
        (first, "live", "Of the first tab", "Of the second tab"),
        (second, "busy", "Of the second tab", "Of the first tab"),
    ):
        assert f"/models/{site.seeded[model]}/" in page.url
        page.reload()
        expect(page.get_by_role("heading", name=f"New job: {own}")).to_be_visible()
        page.goto(site.url + etl(site, model))
        expect(page.locator(".job-card", has_text=own)).to_have_count(1)
        expect(page.get_by_text(other)).to_have_count(0)
    assert visitor.complaints == []


def test_a_double_click_makes_one_model_one_key_one_job_and_one_run(
    visit: Visit, site: Installation, owner_state: Any
) -> None:
    visitor = visit(state=owner_state)
    page = visitor.go("/models/new/")
    page.get_by_label("Name").fill("Clicked twice")
    page.get_by_role("button", name="Create model").dblclick()
    expect(page.get_by_role("heading", name="Clicked twice", level=1)).to_be_visible()
    keys = f"{page.url}keys/"
    page.goto(keys)
    page.get_by_label("Name").fill("twice")
    page.get_by_role("button", name="Create key").dblclick()
    expect(page.locator("#fresh-key")).to_be_visible()
    page.goto(keys)
    expect(page.get_by_role("row", name="twice")).to_have_count(1)
    page.goto(f"{site.url}/?q=Clicked")
    expect(page.get_by_role("link", name="Clicked twice")).to_have_count(1)

    visitor.go(f"{etl(site)}jobs/new/")
    begin_job(page, "Made once")
    page.get_by_role("radio", name="products").check()
    for step in ("rows and columns", "warehouse table", "schedule"):
        page.get_by_role("button", name=f"Next: {step}").click()
        if step == "rows and columns":
            page.wait_for_url("**/step/3/")
        if step == "warehouse table":
            page.wait_for_url("**/step/4/")
            page.get_by_label("Table name").fill("bq_made_once")
    page.get_by_label("Run it once now").uncheck()
    page.get_by_role("button", name="Create job").dblclick()
    expect(page.get_by_text("The job “Made once” is made.")).to_be_visible()
    page.get_by_role("button", name="Run now").dblclick()
    expect(page.get_by_text(re.compile("^(Waiting|Pending|Queued)$")).first).to_be_visible()
    visitor.go(f"{etl(site)}?q=Made")
    expect(page.locator(".job-card")).to_have_count(1)
    visitor.go(f"/models/{site.seeded['live']}/runs/?q=Made")
    expect(page.locator("tbody tr")).to_have_count(1)
    assert visitor.complaints == []


def test_a_lost_connection_is_said_while_a_run_is_watched_and_the_page_goes_on_when_it_is_back(
    visit: Visit, site: Installation, owner_state: Any
) -> None:
    page = visit(state=owner_state, alone=True).go(f"/models/{site.seeded['watched']}/")
    expect(page.get_by_text("Stages and log")).to_be_visible()
    page.context.set_offline(True)
    lost = page.get_by_text("The connection to the server is lost. The page goes on when it is back.")
    expect(lost).to_be_visible()
    page.wait_for_timeout(7000)  # it stays, and questions that fail after it say nothing more
    expect(lost).to_have_count(1)
    expect(page.get_by_text("Stages and log")).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_text("The connection to the server is back.")).to_be_visible()
    expect(lost).to_have_count(0)
    with page.expect_response(lambda answer: answer.url.endswith("/live/?was=busy") and answer.ok):
        pass
