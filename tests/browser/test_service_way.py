"""What is put into service, rolled back, stopped and deleted, click by click in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from browser.conftest import Visitor
from browser.installation import Installation
from browser.sweep import looks
from playwright.sync_api import Browser, Locator, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
Visit = Callable[..., Visitor]


@pytest.fixture(scope="module")
def keeper(browser: Browser, site: Installation) -> Any:
    """The cookies of the owner of the company these tests may change."""
    context = browser.new_context()
    Visitor(context.new_page(), site).sign_in("keeper")
    state = context.storage_state()
    context.close()
    return state


def place(site: Installation, rest: str = "versions/") -> str:
    return f"/models/{site.seeded['keeper']['model']}/{rest}"


def row(page: Page, version: str) -> Locator:
    """The row of a version in the table."""
    return page.locator("tbody tr").filter(has=page.get_by_text(version, exact=True))


def times_in_service(page: Page) -> int:
    return page.locator("section[aria-labelledby=history-title] li").count()


def sure(page: Page, words: str, button: str, twice: bool = False) -> None:
    """Answer the question, which must hold these words; a double click counts once."""
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(words)
    if twice:
        dialog.get_by_role("button", name=button).dblclick()
    else:
        dialog.get_by_role("button", name=button).click()


def test_a_version_the_gate_did_not_pass_is_put_into_service_and_taken_back(
    visit: Visit, site: Installation, keeper: Any
) -> None:
    visitor = visit(state=keeper)
    page = visitor.go(place(site))
    expect(page.get_by_text("v2 answers.")).to_be_visible()
    before = times_in_service(page)
    row(page, "v3").get_by_role("button", name="Put into service").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("The gate did not pass v3: It is worse than the model in service")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_text("v2 answers.")).to_be_visible()
    row(page, "v3").get_by_role("button", name="Put into service").click()
    sure(page, "The gate did not pass v3", "Put into service all the same", twice=True)
    expect(page.get_by_text("v3 is in service now.")).to_be_visible()
    expect(page.get_by_text("v3 answers.")).to_be_visible()
    assert times_in_service(page) == before + 1
    page.get_by_role("button", name="Roll back to v2").click()
    sure(page, "v2 answers every request from now on, as it did before v3.", "Roll back", twice=True)
    expect(page.get_by_text("Rolled back: v2 is in service now.")).to_be_visible()
    assert times_in_service(page) == before + 2
    expect(page.get_by_text("rolled back by Kim Keeper")).to_have_count(1)
    assert visitor.complaints == []


def test_serving_is_stopped_and_started_again(visit: Visit, site: Installation, keeper: Any) -> None:
    visitor = visit(state=keeper)
    page = visitor.go(place(site))
    page.get_by_role("button", name="Stop serving").click()
    sure(page, "The endpoint answers nothing until somebody starts it again", "Stop serving")
    expect(page.get_by_text("v2 was stopped: nothing answers until it is started again.")).to_be_visible()
    visitor.go(place(site, ""))
    page.get_by_role("link", name="Start it again").click()
    page.get_by_role("button", name="Start again").click()
    sure(page, "The endpoint answers with v2 again.", "Start again")
    expect(page.get_by_text("v2 answers again within a few seconds.")).to_be_visible()
    page.get_by_role("link", name="Try it").first.click()
    page.get_by_label("Customer").fill("17850")
    page.get_by_role("button", name="Recommend").click()
    expect(page.get_by_role("tab", name="New for you")).to_be_visible()
    assert visitor.complaints == []


def test_everything_is_reached_and_answered_by_keyboard(visit: Visit, site: Installation, keeper: Any) -> None:
    page = visit(state=keeper).go(place(site))
    button = row(page, "v1").get_by_role("button", name="Put into service")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("v1 answers every request from now on.")
    page.keyboard.press("Enter")
    expect(page.get_by_text("v1 answers.")).to_be_visible()
    page.get_by_role("button", name="Roll back to v2").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("Roll back to v2?")
    page.keyboard.press("Enter")
    expect(page.get_by_text("v2 answers.")).to_be_visible()


@pytest.mark.parametrize("path", ["data/bq_towns/delete/", "versions/", "versions/?q=nothing+like+this"])
def test_a_page_of_the_company_has_no_fault(looker: Visit, site: Installation, keeper: Any, path: str) -> None:
    visitor = looker(keeper)
    visitor.go(place(site, path))
    assert looks(visitor, f"/keeper/{path}") == []
    assert visitor.complaints == []


def test_the_page_that_deletes_a_model_has_no_fault(looker: Visit, site: Installation, keeper: Any) -> None:
    visitor = looker(keeper)
    visitor.go(f"/models/{site.seeded['keeper']['archived']}/delete/")
    assert looks(visitor, "/keeper/model/delete/") == []


def test_a_question_before_deleting_has_no_fault(visit: Visit, site: Installation, keeper: Any) -> None:
    visitor = visit(width=390, state=keeper)
    page = visitor.go(place(site))
    row(page, "v3").get_by_role("button", name="Put into service").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert looks(visitor, "/keeper/question/") == []


def test_a_table_nobody_needs_is_deleted_after_a_question(visit: Visit, site: Installation, keeper: Any) -> None:
    visitor = visit(state=keeper)
    page = visitor.go(place(site, "data/bq_towns/"))
    page.get_by_label("More actions for bq_towns").click()
    page.get_by_role("link", name="Delete the table", exact=True).click()
    page.get_by_role("button", name="Delete table").click()
    sure(page, "3 rows and every earlier version are gone for good.", "Delete table", twice=True)
    expect(page.get_by_text("The table bq_towns was deleted.")).to_be_visible()
    expect(page.get_by_role("link", name="bq_towns")).to_have_count(0)
    assert visitor.complaints == []


def test_a_model_is_deleted_once_its_name_is_typed(visit: Visit, site: Installation, keeper: Any) -> None:
    visitor = visit(state=keeper)
    page = visitor.go(f"/models/{site.seeded['keeper']['archived']}/")
    page.get_by_label("More actions for Last year's range").click()
    page.get_by_role("link", name="Delete").click()
    expect(page.get_by_text("1 warehouse table with every row")).to_be_visible()
    page.get_by_label("Name of the model").fill("Garden tools")
    page.get_by_role("button", name="Delete model").click()
    sure(page, "Lost for good", "Delete model")
    expect(page.get_by_text("The name is “Last year's range”.")).to_be_visible()
    page.get_by_label("Name of the model").fill("Last year's range")
    page.get_by_role("button", name="Delete model").click()
    sure(page, "Lost for good", "Delete model")
    expect(page.get_by_text("The model “Last year's range” was deleted.")).to_be_visible()
    expect(page.get_by_role("link", name="Last year's range")).to_have_count(0)
    assert [text for text in visitor.complaints if "422" not in text] == []
