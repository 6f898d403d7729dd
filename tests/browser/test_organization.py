"""The organization's and the account's pages in a real browser, by mouse and by keyboard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from browser.conftest import Visitor
from browser.installation import Installation
from playwright.sync_api import Browser, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
Visit = Callable[..., Visitor]
PASSWORD = "correct horse battery"


def test_a_colleague_is_invited_joins_with_the_link_and_is_removed(
    visit: Visit, site: Installation, owner_state: Any
) -> None:
    owner = visit(state=owner_state)
    page = owner.go("/organization/members/")
    page.get_by_label("E-mail").fill("not an address")
    page.get_by_role("button", name="Invite", exact=True).click()
    expect(page.get_by_text("An address looks like name@example.com.")).to_be_visible()
    page.get_by_label("E-mail").fill("nina@example.com")
    page.locator("#id_role").select_option("Editor")
    page.get_by_role("button", name="Invite", exact=True).click()
    expect(page.get_by_text("No e-mail was sent")).to_be_visible()
    link = page.locator("#fresh-link").inner_text().strip()
    assert owner.faults() == []

    nina = visit()
    join = nina.go(link.removeprefix(site.url))
    expect(join.get_by_role("heading", name="Join Northgate Supply")).to_be_visible()
    join.get_by_label("Your name").fill("Nina “N” עברית")
    join.get_by_label("Password").fill(PASSWORD)
    assert nina.faults() == []
    join.get_by_role("button", name="Create account and join").click()
    expect(join.get_by_text("You are editor here.")).to_be_visible()
    expect(join.get_by_role("link", name="Audit log")).to_have_count(0)
    again = visit()
    answer = again.page.goto(link)
    assert answer is not None and answer.status == 404
    expect(again.page.get_by_text("was accepted already")).to_be_visible()

    owner.go("/organization/members/?q=nina")
    row = page.get_by_role("row", name="Nina “N” עברית")
    row.get_by_role("combobox").select_option("Viewer")
    row.get_by_role("button", name="Change the role").click()
    expect(page.get_by_text("Nina “N” עברית is now viewer.")).to_be_visible()
    row.get_by_role("button", name="Remove").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("nina@example.com cannot open this organization any more")
    dialog.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("is no longer a member.")).to_be_visible()
    join.reload()
    expect(join.get_by_text("You are not a member of an organization.")).to_be_visible()
    assert [text for text in owner.complaints if "422" not in text] == []


def tab_to(page: Page, wanted: Any, most: int = 40) -> None:
    """Press Tab until the element has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError("the keyboard does not get there")


def test_inviting_works_from_the_keyboard_alone(visit: Visit, owner_state: Any) -> None:
    page = visit(state=owner_state).go("/")
    tab_to(page, page.get_by_role("link", name="Members"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Members")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the link that skips the navigation
    tab_to(page, page.get_by_label("E-mail"))
    page.keyboard.type("keyboard@example.com")
    page.keyboard.press("Tab")
    page.keyboard.press("v")  # the list of roles goes to Viewer
    tab_to(page, page.get_by_role("button", name="Invite", exact=True), 2)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="The link for keyboard@example.com")).to_be_visible()
    invited = page.get_by_role("row", name="keyboard@example.com")
    expect(invited).to_contain_text("Viewer")
    tab_to(page, page.get_by_role("button", name="Withdraw the invitation of keyboard@example.com"), 60)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("The link stops working.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The invitation of keyboard@example.com was withdrawn.")).to_be_visible()


def test_the_organization_is_changed_by_a_menu_from_the_keyboard(visit: Visit) -> None:
    visitor = visit("both")
    page = visitor.page
    menu = page.locator(".side-switch summary")
    expect(menu).to_contain_text("Empty Ltd")
    menu.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Northgate Supply")).to_be_visible()
    assert visitor.faults() == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Northgate Supply")).to_be_hidden()
    expect(menu).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("button", name="Northgate Supply")).to_be_focused()
    page.keyboard.press("Enter")
    expect(menu).to_contain_text("Northgate Supply")
    expect(page.get_by_role("link", name="Giftware wholesale")).to_be_visible()


def test_the_organization_is_changed_without_script(browser: Browser, site: Installation) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site.url + site.seeded["links"]["both"].pop())
    page.get_by_role("button", name="Sign in").click()
    page.locator(".side-switch summary").click()
    page.get_by_role("button", name="Northgate Supply").click()
    expect(page.get_by_role("link", name="Giftware wholesale")).to_be_visible()
    context.close()


def test_a_key_of_the_organization_is_shown_once_and_revoked_after_a_question(
    visit: Visit, site: Installation, owner_state: Any
) -> None:
    visitor = visit(state=owner_state)
    page = visitor.go("/organization/api-keys/")
    page.get_by_label("Name").fill("CRM “Ö”")
    page.get_by_label("Read everything").check()
    page.get_by_label("Ask for recommendations").uncheck()
    page.get_by_role("button", name="Create key").click()
    text = page.locator("#fresh-key").inner_text().strip()
    expect(page.locator("#fresh-curl")).to_contain_text(text)
    asked = page.request.get(f"{site.url}/api/models/", headers={"Authorization": f"Bearer {text}"})
    assert asked.ok
    visitor.go("/organization/api-keys/?q=CRM")
    assert text not in page.content()
    page.get_by_role("button", name="Revoke CRM “Ö”").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke key").click()
    expect(page.get_by_text("“CRM “Ö”” was revoked.")).to_be_visible()
    assert visitor.complaints == []


def test_the_audit_log_is_searched_and_narrowed(visit: Visit, owner_state: Any) -> None:
    visitor = visit(state=owner_state)
    visitor.go("/organization/")
    page = visitor.page
    page.get_by_role("textbox", name="Name").fill("Northgate Supply & Sons")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The name was saved.")).to_be_visible()
    page.get_by_role("textbox", name="Name").fill("Northgate Supply")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Audit log").click()
    page.get_by_label("Kind").select_option("Organization")
    line = page.locator(".audit-line").first
    expect(line).to_contain_text("changed the organization Northgate Supply: name")
    expect(line.locator(".audit-before")).to_have_text("Northgate Supply & Sons")
    expect(line.locator(".audit-after")).to_have_text("Northgate Supply")
    expect(page.get_by_text("created the connection")).to_have_count(0)
    page.get_by_label("Kind").select_option("Everything")
    page.get_by_label("Search who or what").fill("nothing like this")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="No entry matches")).to_be_visible()
    page.get_by_role("link", name="Show all entries").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    assert download.value.suggested_filename.endswith(".csv")
    assert visitor.complaints == []


def test_a_viewer_sees_no_action_of_the_organization_that_would_be_refused(visit: Visit, site: Installation) -> None:
    visitor = visit("viewer")
    page = visitor.page
    for name in ("Audit log", "Settings"):
        expect(page.get_by_role("link", name=name)).to_have_count(0)
    visitor.go("/organization/members/")
    expect(page.locator("main form[method=post]")).to_have_count(1)  # leaving
    visitor.go("/organization/api-keys/")
    expect(page.locator("main form[method=post]")).to_have_count(0)
    assert page.request.get(f"{site.url}/organization/audit/").status == 403
    assert page.request.get(f"{site.url}/organization/").status == 403
