"""From an empty model to tables in the warehouse by the pages alone: real PostgreSQL, real MariaDB, real worker.

The tests of this file are one story: each goes on where the ones before it ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from browser.conftest import Visitor, chromium_path
from browser.installation import Installation, installation
from mariadb_support import MariaDBServer
from playwright.sync_api import Page, expect
from postgres_support import PostgresServer

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Visitor]
RUN_MS = 90_000
ROWS = 1_000
SHOP = f"""
CREATE TABLE products (product_id text PRIMARY KEY, name text NOT NULL, price numeric(10, 2), active boolean);
INSERT INTO products SELECT 'P' || lpad(i::text, 5, '0'), 'Product ' || i, i % 97, i % 7 <> 0
    FROM generate_series(1, 50) i;
CREATE TABLE order_lines (
    order_id bigint, line_no int, ordered_at timestamp NOT NULL, customer_id text, product_id text, quantity int,
    line_total numeric(12, 3), delivery_date text, PRIMARY KEY (order_id, line_no));
INSERT INTO order_lines SELECT i / 5, i % 5, now() - i * interval '1 hour', lpad((i % 40)::text, 5, '0'),
    'P' || lpad((1 + i % 50)::text, 5, '0'), 1 + i % 12, i % 400, CASE WHEN i % 9 = 0 THEN 'n/a' ELSE '2011-01-04' END
    FROM generate_series(1, {ROWS}) i;
"""


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation of its own with a worker and two empty models."""
    chromium_path()
    url = request.getfixturevalue("postgres_server").create_database("etl_way")
    with installation(
        tmp_path_factory.mktemp("home"), url, seed="seed_small.py", worker=True, B2B_RECS_SIGN_UP="true"
    ) as running:
        yield running


@pytest.fixture(scope="module")
def shop(role_server: PostgresServer) -> str:
    """The address of a seller's database on a server that is not the installation's own."""
    role_server.create_database("shop")
    role_server.execute(SHOP, "shop")
    return role_server.url("shop")


def refused_by(address: str) -> str:
    """The address with a password that is wrong."""
    before, _, place = address.rpartition("@")
    return f"{before}-wrong@{place}"


def erp(server: MariaDBServer) -> dict[str, str]:
    """What to type for the seller's second system."""
    with server.connect() as session:
        cursor = session.cursor()
        for statement in (
            "DROP DATABASE IF EXISTS erp",
            "CREATE DATABASE erp",
            "CREATE TABLE erp.contracts (contract_id INT PRIMARY KEY, partner VARCHAR(60), active TINYINT(1))",
            "INSERT INTO erp.contracts VALUES (1, 'Ash', 1), (2, 'Beech', 0), (3, 'Cedar & “Söhne”', 1)",
            "CREATE OR REPLACE USER reader@'%' IDENTIFIED BY 'reader-secret'",
            "GRANT SELECT ON erp.* TO reader@'%'",
        ):
            cursor.execute(statement)
    port = str(server.port)
    return {"host": server.host, "port": port, "database": "erp", "username": "reader", "password": "reader-secret"}


def paste(page: Page, address: str) -> None:
    """Put an address into the box for addresses."""
    box = page.get_by_label("Paste an address")
    box.fill(address)
    box.press("Tab")


def connect(page: Page, address: str, name: str) -> None:
    """Make a PostgreSQL connection of that address, from the ETL page."""
    page.get_by_role("link", name="Connection", exact=True).click()
    page.get_by_role("link", name="PostgreSQL", exact=True).click()
    paste(page, address)
    page.get_by_label("Name of the connection").fill(name)
    page.get_by_role("button", name="Test").click()
    page.get_by_role("button", name="Save connection").click()
    expect(page.get_by_text(f"The connection “{name}” works and is saved.")).to_be_visible()


def test_with_the_mouse_from_sign_in_to_a_reconciled_copy(visit: Visit, site: Installation, shop: str) -> None:
    visitor = visit("owner")
    page = visitor.page
    page.get_by_role("link", name="Giftware wholesale").click()
    page.get_by_role("link", name="Connect a source").first.click()
    page.get_by_role("link", name="PostgreSQL", exact=True).click()
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_text("Host is missing.")).to_be_visible()
    expect(page.get_by_label("Database")).to_have_attribute("aria-invalid", "true")
    paste(page, refused_by(shop))
    expect(page.get_by_text("Filled in: user name, password, host, port, database.")).to_be_visible()
    page.get_by_role("button", name="Test").click()
    expect(page.locator(".field", has=page.get_by_label("Password")).get_by_text("was refused by")).to_be_visible()
    expect(page.get_by_role("button", name="Save connection")).to_have_count(0)
    paste(page, shop)
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_text("2 tables can be read.")).to_be_visible()
    expect(page.locator(".card-foot").get_by_role("button")).to_have_text(["Test", "Save connection"])
    page.get_by_label("Database").fill("other")  # what was tested is not what stands there now
    expect(page.get_by_role("button", name="Save connection")).to_have_count(0)
    page.get_by_label("Database").fill("shop")
    page.get_by_role("button", name="Test").click()
    page.get_by_role("button", name="Save connection").click()
    page.get_by_role("link", name="Create a job").click()
    page.get_by_label("Name of the job").fill("Order lines")
    expect(page.get_by_text("Free", exact=True)).to_be_visible()
    page.get_by_role("button", name="Next: table").click()
    page.get_by_role("radio", name="order_lines").check()
    page.get_by_role("button", name="Next: rows and columns").click()
    expect(page.get_by_role("radio", name="Add new rows")).to_be_checked()
    page.reload()  # nothing is lost by it
    page.get_by_role("button", name="Next: warehouse table").click()
    expect(page.get_by_text("kept as text").first).to_be_visible()
    page.go_back()
    page.get_by_label("The first run reads").select_option("Everything")
    page.get_by_role("button", name="Next: warehouse table").click()
    page.get_by_role("button", name="Next: schedule").click()
    page.get_by_label("Repeats").select_option("Weekly")
    expect(page.get_by_text("Every Monday at 02:00, Europe/London")).to_be_visible()
    page.get_by_role("button", name="Create job").dblclick()
    expect(page.get_by_text("Reconciled").first).to_be_visible(timeout=RUN_MS)
    page.get_by_role("link", name="ETL", exact=True).first.click()
    expect(page.get_by_text(f"{ROWS:,} = {ROWS:,}")).to_be_visible()
    expect(page.get_by_text("Every Monday at 02:00 Europe/London", exact=True)).to_be_visible()
    assert visitor.faults() == []
    page.get_by_role("link", name="Order lines").click()
    expect(page.get_by_text("order_id, line_no")).to_be_visible()
    assert visitor.faults() == []


def tab_to(page: Page, target: Any) -> None:
    """Press Tab until the target has the focus."""
    for _ in range(80):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError("the keyboard does not reach it")


def press(page: Page, target: Any, key: str = "Enter") -> None:
    """Go to it with Tab and press it."""
    tab_to(page, target)
    page.keyboard.press(key)


def write(page: Page, label: str, text: str) -> None:
    """Go to a field with Tab and type into it."""
    tab_to(page, page.get_by_label(label, exact=True))
    page.keyboard.type(text)


def sign_up(page: Page) -> None:
    """From the page of sign-in to an account, an organization and its first model, by the keyboard."""
    press(page, page.get_by_role("link", name="Create an account"))
    page.wait_for_url("**/accounts/signup/")
    write(page, "Your name", "Mira Müller")
    write(page, "E-mail", "mira@spare-parts.example")
    write(page, "Password", "thirty spare bolts")
    page.keyboard.press("Enter")
    page.wait_for_url("**/organization/new/")
    write(page, "Name", "Spare parts & “Söhne”")
    page.keyboard.press("Enter")
    page.wait_for_url("**/models/new/")
    write(page, "Name", "Spare parts")
    press(page, page.get_by_role("button", name="Create model"))
    expect(page.get_by_role("heading", name="Spare parts", level=1)).to_be_visible()


def test_with_the_keyboard_alone_from_sign_up_to_a_copy_of_mariadb(
    visit: Visit, site: Installation, mariadb_server: MariaDBServer
) -> None:
    typed = erp(mariadb_server)
    visitor = visit()
    page = visitor.go("/accounts/login/")
    sign_up(page)
    visitor.go("/")
    page.wait_for_load_state()
    page.keyboard.press("Control+k")
    expect(page.get_by_label("Search or jump to", exact=True).last).to_be_focused()
    page.keyboard.type("spare")
    page.keyboard.press("Enter")
    page.wait_for_url("**/models/*/")
    press(page, page.get_by_role("link", name="Connect a source"))
    page.wait_for_url("**/connections/new/")
    press(page, page.get_by_role("link", name="MariaDB"))
    page.wait_for_url("**/new/mariadb/")
    for field in ("host", "port", "database", "username", "password"):
        tab_to(page, page.locator(f"#id_{field}"))
        page.keyboard.press("Control+a")
        page.keyboard.type(typed[field])
    tab_to(page, page.get_by_label("Name of the connection"))
    page.keyboard.type("Old ERP “Müller” 🚚")
    press(page, page.get_by_role("button", name="Test"))
    press(page, page.get_by_role("button", name="Save connection"))
    expect(page.get_by_text("Old ERP “Müller” 🚚").first).to_be_visible()
    press(page, page.get_by_role("link", name="Create a job"))
    expect(page.get_by_label("Name of the job")).to_be_focused()
    page.keyboard.type("Contracts")
    press(page, page.get_by_role("button", name="Next: table"))
    expect(page.get_by_role("radio", name="contracts")).to_be_visible()
    press(page, page.get_by_role("radio", name="contracts"), "Space")
    press(page, page.get_by_role("button", name="Next: rows and columns"))
    press(page, page.get_by_role("button", name="Next: warehouse table"))
    expect(page.get_by_label("Type of active in the warehouse")).to_have_value("BOOL")
    press(page, page.get_by_role("button", name="Next: schedule"))
    press(page, page.get_by_role("button", name="Create job"))
    expect(page.get_by_text("Reconciled").first).to_be_visible(timeout=RUN_MS)


def test_a_connection_that_breaks_later_turns_red_with_advice_and_nothing_else_breaks(
    visit: Visit, site: Installation, role_server: PostgresServer
) -> None:
    role_server.create_database("passing")
    role_server.execute("CREATE TABLE things (id int PRIMARY KEY)", "passing")
    visitor = visit("owner")
    page = visitor.go(f"/models/{site.seeded['models'][1]}/etl/")
    connect(page, role_server.url("passing"), "Passing")
    role_server.drop_database("passing")
    page.get_by_role("button", name="Test all").click()
    card = page.locator(".conn-card", has_text="Passing")
    expect(card.get_by_text("Refused")).to_be_visible()
    expect(card.locator(".conn-fault")).to_contain_text("passing")
    card.get_by_label("Actions for Passing").click()
    card.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete connection").click()
    expect(page.get_by_text("The connection “Passing” was deleted.")).to_be_visible()


def test_a_connection_in_use_is_not_deleted_and_says_by_what(visit: Visit, site: Installation) -> None:
    visitor = visit("owner")
    page = visitor.go(f"/models/{site.seeded['models'][0]}/etl/")
    card = page.locator(".conn-card").first
    card.locator("summary").click()
    card.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("1 job reads from it: Order lines.")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_be_hidden()


def test_two_tabs_on_two_models_do_not_mix(visit: Visit, site: Installation) -> None:
    visitor = visit("owner")
    first, second = site.seeded["models"]
    page = visitor.go(f"/models/{first}/etl/")
    other = page.context.new_page()
    other.goto(f"{site.url}/models/{second}/etl/")
    page.get_by_role("link", name="ETL job").click()
    expect(page.get_by_text("PostgreSQL shop")).to_be_visible()
    other.reload()  # the second has no connection, whatever the first shows
    expect(other.get_by_role("link", name="Connect a source").first).to_be_visible()
    expect(other.get_by_text("PostgreSQL shop")).to_have_count(0)


def test_a_viewer_sees_no_action(visit: Visit, site: Installation) -> None:
    visitor = visit("viewer")
    page = visitor.go(f"/models/{site.seeded['models'][0]}/etl/")
    expect(page.get_by_text("Order lines").first).to_be_visible()
    main = page.locator("main")
    for name in ("Run", "Test", "Pause", "ETL job", "Actions"):
        expect(main.get_by_role("button", name=name)).to_have_count(0)
    expect(main.get_by_role("link", name="Connection")).to_have_count(0)
    assert visitor.faults() == []
    assert visitor.complaints == []


def test_a_set_up_model_trains_from_its_page(visit: Visit, site: Installation) -> None:
    visitor = visit("owner")
    page = visitor.go(f"/models/{site.seeded['models'][0]}/")
    page.get_by_role("link", name="Say which columns mean what").click()
    expect(page.get_by_label("Customer")).to_have_value("customer_id")
    expect(page.get_by_label("Product", exact=True)).to_have_value("product_id")
    expect(page.get_by_label("Time")).to_have_value("ordered_at")
    assert visitor.faults() == []
    page.get_by_label("Days to test on").fill("soon")
    page.get_by_role("button", name="Save and train").click()
    test_days = page.get_by_label("Days to test on")
    days = page.locator(".field", has=test_days)
    expect(days.get_by_text("Days to test on cannot be “soon”.")).to_be_visible()
    test_days.fill("10")
    page.get_by_label("Customer").select_option("product_id")
    page.get_by_role("button", name="Save and train").click()
    product = page.locator(".field", has=page.get_by_label("Product", exact=True))
    expect(product.get_by_text("Customer and Product are the same column.")).to_be_visible()
    assert visitor.faults() == []
    page.get_by_label("Customer").select_option("customer_id")
    page.get_by_role("button", name="Save and train").click()
    expect(page.get_by_text("The first training is under way.")).to_be_visible()
    page.locator(".path").get_by_role("link", name="purchases").click()
    expect(page.get_by_role("heading", name="Change which columns mean what")).to_be_visible()
    expect(page.get_by_label("Days to test on")).to_have_value("10")
    assert visitor.faults() == []
