"""What is typed or ticked stays while an answer is under way, and what will be left out is told before saving."""

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


def test_letters_typed_while_tables_are_searched_stay(visit: Visit, site: Installation, owner_state: Any) -> None:
    visitor = visit(state=owner_state)
    page = visitor.go(path_of(site, "/models/{live}/etl/jobs/{draft}/step/2/"))
    box, rows = page.get_by_label("Search tables"), page.locator("#table-rows label")
    expect(rows.first).to_be_visible()
    before = rows.count()
    held: list[Route] = []
    page.route(re.compile(r"/tables/\?q="), lambda route: held.append(route))
    box.fill("ord")
    box.press("Enter")
    expect(page.get_by_text("Searching", exact=True)).to_be_visible()
    box.press_sequentially("er_li")
    assert len(held) == 1
    held[0].continue_()
    expect(page.get_by_text(re.compile(r"^\d+ of \d+ match “ord”$"))).to_be_visible()
    expect(box).to_have_value("order_li")
    expect(box).to_be_focused()
    page.unroute_all()
    box.press("Enter")
    expect(page.get_by_text("match “order_li”")).to_be_visible()
    assert 0 < rows.count() < before
    assert visitor.complaints == []


def test_what_is_no_product_is_ticked_and_counted_before_saving(
    visit: Visit, site: Installation, owner_state: Any
) -> None:
    visitor = visit(state=owner_state)
    page = visitor.go(path_of(site, "/models/{live}/setup/"))
    together = page.locator("#leave-together")
    expect(together).to_contain_text("stay", timeout=20_000)  # the first one loads what counts
    page.get_by_role("button", name="Add a condition").click()
    column = page.get_by_label("Column", exact=True)
    expect(column).to_be_focused()
    column.select_option("product")
    chip = page.get_by_role("group", name="Frequent values").get_by_role("checkbox").first
    chip.check()
    values = page.get_by_label("Value", exact=True)
    expect(values).to_have_value(chip.get_attribute("value") or "?")
    expect(page.get_by_text(re.compile(r"^Leaves out [1-9][\d,]* rows? \("))).to_be_visible()
    expect(together).to_contain_text("left out by the ticks and conditions above")
    with_condition = together.inner_text()
    assert visitor.faults() == []
    page.get_by_role("button", name="Remove condition 1").click()
    expect(page.get_by_label("Value", exact=True)).to_have_count(0)
    box = page.locator("#leave-facts input[name=not_product]").first
    expect(together).to_contain_text("stay")  # the returns alone are left out now
    without = together.inner_text()
    assert without != with_condition
    box.check()
    expect(together).not_to_have_text(without)
    expect(together).to_contain_text("left out by the ticks and conditions above")
    page.get_by_label("Last days").press_sequentially("10")  # counted while the field still has the focus
    expect(together).to_contain_text("older than the last 10 days")
    expect(box).to_be_checked()
    assert visitor.complaints == []


def test_a_refused_step_begins_at_its_first_fault_counts_them_and_forgets_what_is_changed(
    visit: Visit, site: Installation, owner_state: Any
) -> None:
    visitor = visit(state=owner_state, width=390)
    page = visitor.go(path_of(site, "/models/{live}/etl/jobs/{draft}/step/4/"))
    name, rejects = page.get_by_label("Table name"), page.get_by_label("Rows that may be rejected, %")
    name.fill("1 orders")
    rejects.fill("many")
    page.locator("select[name=type-0]").select_option("NUMERIC")
    page.locator("input[name=precision-0]").fill("many")
    page.get_by_role("button", name="Next: schedule").click()
    notice = page.get_by_role("alert")
    expect(notice).to_contain_text("Settings to change: 3")
    expect(name).to_be_focused()
    fault = page.locator(".schema-fault .field-error")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        fault.scroll_into_view_if_needed()
        assert visitor.faults() == []
    box = fault.bounding_box()
    assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 390
    name.fill("bq_orders_kept")
    expect(notice).to_contain_text("Settings to change: 2")
    page.locator("input[name=precision-0]").fill("12")
    expect(fault).to_have_count(0)
    expect(notice).to_contain_text("Settings to change: 1")
    rejects.fill("4")
    expect(notice).to_have_count(0)
    assert page.locator("[aria-invalid]").count() == 0
    assert [one for one in visitor.complaints if "422" not in one] == []


def test_an_address_pasted_after_another_leaves_nothing_of_the_first(
    visit: Visit, site: Installation, owner_state: Any
) -> None:
    visitor = visit(state=owner_state)
    page = visitor.go(path_of(site, "/models/{live}/etl/connections/new/postgresql/"))
    fields = ("host", "port", "database", "username", "password", "ssl_mode")

    def pasted(address: str, box: str = "#paste") -> tuple[str, ...]:
        page.locator(box).fill(address)
        page.locator(box).press("Tab")
        return tuple(page.locator(f"#id_{name}").input_value() for name in fields)

    words = page.locator("[data-paste-words]")
    whole = pasted("postgresql://reader:secret@one.example:58241/shop?sslmode=require")
    assert whole == ("one.example", "58241", "shop", "reader", "secret", "require")
    assert pasted("mysql://a:b@h/d") == ("h", "5432", "d", "a", "b", "prefer")
    expect(words).to_contain_text("Filled in: user name, password, host, database. This is an address of MySQL")
    assert pasted("jdbc:postgresql://two.example/other") == ("two.example", "5432", "other", "", "", "prefer")
    expect(words).to_have_text("Filled in: host, database. Still empty: user name, password.")
    assert pasted("postgresql://u:pw@three.example/x", "#id_host") == (
        "three.example",
        "5432",
        "x",
        "u",
        "pw",
        "prefer",
    )
    assert pasted("foo://u:pw@four.example", "#id_host")[0] == "foo://four.example"
    assert pasted("http://foo bar/; DROP", "#id_host")[0] == "http://foo bar/; DROP"  # what was typed stays
    page.set_viewport_size({"width": 390, "height": 720})
    page.locator("#id_username").fill("x" * 300)
    page.get_by_role("button", name="Test").click()
    expect(page.locator("#id_username-fault")).to_contain_text("63 characters")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390  # a long value is broken where it is told
    assert [one for one in visitor.complaints if "422" not in one] == []


def test_an_address_pasted_for_a_stored_connection_changes_nothing_before_it_is_saved(
    visit: Visit, site: Installation, owner_state: Any
) -> None:
    visitor = visit(state=owner_state)
    page = visitor.go(path_of(site, "/models/{live}/etl/connections/{shop}/edit/"))
    words, box, password = page.locator("[data-paste-words]"), page.locator("#paste"), page.locator("#id_password")
    host, port = (page.locator(f"#id_{name}").input_value() for name in ("host", "port"))

    def pasted(address: str) -> None:
        box.fill(address)
        box.press("Tab")

    pasted("jdbc:postgresql://two.example/other")
    expect(words).to_contain_text("Filled in: host, database, port. As before: user name, password, encryption.")
    assert page.locator("#id_port").input_value() == "5432"  # an address without one means the usual port
    pasted("mysql://a:pw-7@h/d")
    expect(words).to_contain_text("This is an address of MySQL, and this connection reads PostgreSQL")
    assert page.locator("#id_host").input_value() == "two.example"
    pasted("nothing://reader:pw-7@h/d?password=pw-7")
    expect(box).to_have_value("nothing://h/d")
    pasted(f"postgresql://postgres:pw-7@{host}:{port}/browser_shop")
    expect(words).to_contain_text("The stored password is replaced when you save.")
    expect(box).to_have_value("")
    page.get_by_role("button", name="Test").click()
    expect(page.locator(".field", has=password).get_by_text("was refused by")).to_be_visible()
    assert "pw-7" not in page.content()
    page.reload()
    expect(password).to_have_value("")
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_text("tables can be read.")).to_be_visible()
    assert [one for one in visitor.complaints if "422" not in one] == []
