"""The pages in a real browser: from a sign-in link to a recommendation, by mouse and by keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from browser.conftest import Visitor
from browser.installation import Installation
from browser.test_looks import path_of
from playwright.sync_api import Route, expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
Visit = Callable[..., Visitor]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_sign_in_page_has_no_fault(visit: Visit, scheme: str) -> None:
    visitor = visit(width=390, scheme=scheme)
    page = visitor.go("/accounts/login/")
    expect(page.get_by_text("b2b-recs sign-in-link")).to_be_visible()
    assert visitor.faults() == []
    assert visitor.complaints == []


def test_from_a_sign_in_link_to_a_new_model_that_says_what_to_do_next(visit: Visit) -> None:
    visitor = visit("lonely")
    page = visitor.page
    expect(page.get_by_role("heading", name="No models yet")).to_be_visible()
    page.get_by_role("link", name="Create model").click()
    page.get_by_role("button", name="Create model").click()
    expect(page.get_by_text("Give the model a name.")).to_be_visible()
    page.get_by_label("Name").fill("Bolts & nuts “Ö”")
    page.get_by_label("Currency").select_option("EUR")
    page.get_by_label("Time zone").select_option("Europe/Berlin")
    page.get_by_role("button", name="Create model").click()
    expect(page.get_by_role("heading", name="Bolts & nuts “Ö”")).to_be_visible()
    expect(page.get_by_role("heading", name="Connect the first source")).to_be_visible()
    expect(page.locator("#start-file")).to_contain_text('model: {name: "Bolts & nuts “Ö”", currency: EUR')
    expect(page.locator("#start-run")).to_contain_text("b2b-recs run 'Bolts & nuts “Ö”' --wait")
    page.goto(f"{visitor.site.url}/models/new/")
    page.get_by_label("Name").fill("BOLTS & nuts “ö”")
    page.get_by_role("button", name="Create model").click()
    expect(page.get_by_text("There is a model named")).to_be_visible()
    assert [text for text in visitor.complaints if "422" not in text] == []


def test_a_used_sign_in_link_signs_nobody_in(visit: Visit, site: Installation) -> None:
    visitor = visit()
    link = site.seeded["links"]["viewer"].pop()
    visitor.go(link)
    visitor.page.get_by_role("button", name="Sign in").click()
    visitor.page.wait_for_url(f"{site.url}/")
    second = visit()
    answer = second.page.goto(site.url + link)
    assert answer is not None and answer.status == 404
    expect(second.page.get_by_role("heading", name="This link no longer works")).to_be_visible()


def test_the_live_model_shows_its_path_its_numbers_and_its_proof(
    visit: Visit, site: Installation, owner_state: Any
) -> None:
    page = visit(state=owner_state).go(path_of(site, "/models/{live}/"))
    expect(page.get_by_text("It beats “buy again” by 11 % (± 3 %) on all purchases.")).to_be_visible()
    expect(page.locator(".path")).to_contain_text("550,351 rows")
    expect(page.locator(".kpis")).to_contain_text("1,240")
    expect(page.get_by_role("img", name=".381, 95 % interval .372 to .390")).to_be_visible()


def test_a_run_under_way_is_polled_and_a_reload_shows_the_same(
    visit: Visit, site: Installation, owner_state: Any
) -> None:
    page = visit(state=owner_state).go(path_of(site, "/models/{busy}/"))
    with page.expect_response(lambda answer: "/live/" in answer.url) as fragment:
        pass
    assert fragment.value.status == 200
    expect(page.get_by_text("Copy tables").first).to_be_visible()
    page.reload()
    expect(page.get_by_text("Copy tables").first).to_be_visible()
    expect(page.get_by_role("button", name="Run all")).to_be_disabled()


def test_a_run_is_stopped_after_a_question_that_says_what_is_lost(
    visit: Visit, site: Installation, owner_state: Any
) -> None:
    visitor = visit(state=owner_state)
    run = next(run for model, run in site.seeded["runs"] if model == site.seeded["busy"])
    page = visitor.go(f"/models/{site.seeded['busy']}/runs/copies/{run}/")
    expect(page.get_by_text("Running 38 %")).to_be_visible()
    page.get_by_role("button", name="Cancel run").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("The warehouse table keeps its last complete version.")
    with page.expect_response(lambda answer: "/live/" in answer.url):
        pass  # the part with the button is replaced while the question is open
    dialog.get_by_role("button", name="Stop run").click()
    expect(page.get_by_text(re.compile("^(Stopping|Cancelled)$")).first).to_be_visible()
    expect(page.get_by_role("button", name="Cancel run")).to_have_count(0)
    assert visitor.complaints == []


def test_title_recent_runs_and_card_of_a_run_change_together(
    visit: Visit, site: Installation, owner_state: Any
) -> None:
    visitor = visit(state=owner_state)
    page = visitor.page

    def later(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace("is under way", "goes on"))

    page.route(re.compile(r"/live/\?was=busy"), later)
    visitor.go(f"/models/{site.seeded['ending']}/")
    expect(page.locator("#headline")).to_contain_text("goes on")
    for place in ("#headline", "#recent", "#model-state", "#live"):
        expect(page.locator(place)).to_have_count(1)
    expect(page.locator("#recent li").first).to_be_visible()
    page.unroute_all()
    expect(page.locator("#headline")).to_contain_text("is under way")
    assert visitor.complaints == []


def test_a_page_watching_a_run_shows_its_end_and_stops_asking(
    visit: Visit, site: Installation, owner_state: Any
) -> None:
    visitor = visit(state=owner_state)
    page = visitor.go(f"/models/{site.seeded['ending']}/")
    expect(page.get_by_text("Stages and log")).to_be_visible()
    site.end_runs(site.seeded["ending"])
    expect(page.get_by_text("Stages and log")).to_have_count(0)
    expect(page.get_by_role("button", name="Run all")).to_be_enabled()
    expect(page.get_by_text("The source closed the connection.").first).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(2200)  # two periods of the polling that must not happen
    assert asked == []


def test_trying_a_customer_by_name_gives_lists_with_reasons(visit: Visit, site: Installation, owner_state: Any) -> None:
    visitor = visit(state=owner_state)
    page = visitor.go(path_of(site, "/models/{live}/try/"))
    page.get_by_label("Customer").fill("Beech Gifts")
    page.get_by_role("button", name="Recommend").click()
    tabs = page.locator("#answer").get_by_role("tab")
    expect(tabs).to_have_count(3)
    expect(page.locator("#answer [role=tabpanel]:visible .why").first).to_contain_text("Ordered")
    tabs.first.focus()
    page.keyboard.press("ArrowRight")
    expect(tabs.nth(1)).to_be_focused()
    expect(page.locator(f"#{tabs.nth(1).get_attribute('aria-controls')}")).to_be_visible()
    assert "customer=Beech" in page.url
    assert visitor.faults() == []
    assert visitor.complaints == []


def test_a_second_answer_shows_one_list_at_a_time_like_the_first(
    visit: Visit, site: Installation, owner_state: Any
) -> None:
    visitor = visit(state=owner_state)
    page = visitor.go(path_of(site, "/models/{live}/try/?customer=17850&k=5"))
    panels, tabs = page.locator("#answer [role=tabpanel]:visible"), page.locator("#answer").get_by_role("tab")
    expect(panels).to_have_count(1)
    for customer, shown in (("13047", "13047"), ("nobody-like-this", "Not seen before")):
        page.get_by_label("Customer").fill(customer)
        page.get_by_role("button", name="Recommend").click()
        expect(page.locator("#answer")).to_contain_text(shown)
        expect(page.locator("#curl-text")).to_contain_text(f'"customer_id": "{customer}", "k": 5')
        page.wait_for_timeout(100)  # what is set after a swap is set by then
        expect(panels).to_have_count(1)
        tabs.last.click()
        expect(panels).to_have_count(1)
        expect(page.locator(f"#{tabs.last.get_attribute('aria-controls')}")).to_be_visible()
    assert visitor.complaints == []


def test_an_unknown_customer_is_answered_and_marked(visit: Visit, site: Installation, owner_state: Any) -> None:
    page = visit(state=owner_state).go(path_of(site, "/models/{live}/try/?customer=nobody-like-this&k=3"))
    expect(page.get_by_text("Not seen before")).to_be_visible()
    expect(page.get_by_text("This customer is not in the data")).to_be_visible()


def test_a_key_is_shown_once_and_revoked_after_a_question(visit: Visit, site: Installation, owner_state: Any) -> None:
    visitor = visit(state=owner_state)
    page = visitor.go(path_of(site, "/models/{live}/keys/"))
    page.get_by_label("Name").fill("web shop")
    page.get_by_role("button", name="Create key").click()
    text = page.locator("#fresh-key").inner_text()
    assert text.startswith("b2br_")
    page.goto(site.url + path_of(site, "/models/{live}/keys/"))
    assert text not in page.content()
    page.get_by_role("button", name="Revoke").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("This cannot be undone.")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Revoke").click()
    dialog.get_by_role("button", name="Revoke key").click()
    expect(page.get_by_text("Revoked")).to_be_visible()
    assert visitor.complaints == []


def test_a_viewer_sees_no_action_that_would_be_refused(visit: Visit, site: Installation) -> None:
    visitor = visit("viewer")
    page = visitor.page
    expect(page.get_by_role("link", name="Create model")).to_have_count(0)
    for path in ("/models/{live}/", "/models/{live}/runs/copies/{copy}/", "/models/{live}/keys/"):
        visitor.go(path_of(site, path))
        expect(page.locator("main form[method=post]")).to_have_count(0)
    assert page.request.get(f"{site.url}/models/new/").status == 403


def test_the_way_to_a_model_works_from_the_keyboard_alone(visit: Visit, owner_state: Any) -> None:
    page = visit(state=owner_state).go("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    page.keyboard.press("Enter")
    wanted = page.get_by_role("link", name="Giftware wholesale")
    for _ in range(12):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            break
    expect(wanted).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Giftware wholesale")).to_be_visible()


def test_the_menu_of_a_narrow_page_opens_and_closes(visit: Visit, owner_state: Any) -> None:
    visitor = visit(width=390, state=owner_state)
    page = visitor.go("/")
    menu = page.get_by_role("navigation", name="Main")
    expect(menu).to_be_hidden()
    page.get_by_role("button", name="Menu", exact=True).click()
    expect(menu).to_be_visible()
    assert visitor.faults() == []
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()


def test_the_chosen_colours_are_kept_and_written_by_the_server(visit: Visit, owner_state: Any) -> None:
    page = visit(scheme="light", state=owner_state, alone=True).go("/")
    page.get_by_role("button", name="Light or dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    assert 'data-theme="dark"' in page.content()[:200]
