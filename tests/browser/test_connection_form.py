"""The form of a connection in a browser: faults beside their fields, addresses taken apart, nothing typed is lost."""

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
SECRET = "never-kept-7"


def form_of(site: Installation, rest: str = "new/postgresql/") -> str:
    return f"/models/{site.seeded['live']}/etl/connections/{rest}"


def values(page: Page, *names: str) -> list[str]:
    return [page.locator(f"#id_{name}").input_value() for name in names]


def paste(page: Page, address: str) -> None:
    page.locator("#paste").fill(address)
    page.locator("#paste").press("Tab")


def test_a_field_named_like_a_property_of_its_form_hides_nothing(
    visit: Visit, site: Installation, owner_state: Any
) -> None:
    visitor = visit(state=owner_state)
    page = visitor.go(form_of(site, "new/bigquery/"))
    paste(page, "bigquery://my-shop-1234/sales")
    assert values(page, "project", "dataset") == ["my-shop-1234", "sales"]
    expect(page.locator("[data-paste-words]")).to_contain_text("Filled in: project, dataset.")
    page.locator("#id_project").fill("NO")
    page.locator("#id_dataset").fill("a b")
    page.get_by_role("button", name="Test").click()
    for name, words in (("project", "must be a project id"), ("dataset", "must be the name of a dataset alone")):
        expect(page.locator(f"#id_{name}-fault")).to_contain_text(words)
    expect(page.locator("#id_credentials-fault")).to_have_text("Service account key is missing.")
    page.locator("#id_dataset").fill("sales")  # what is changed is marked no more
    expect(page.locator("#id_dataset-fault")).to_have_count(0)
    assert [one for one in visitor.complaints if "422" not in one] == []


ADDRESSES = [
    (
        r"host=db.example port=5433 user=u password='a b\'c' dbname=shop",
        "",
        {"host": "db.example", "port": "5433", "username": "u", "password": "a b'c", "database": "shop"},
    ),
    (
        'Server=tcp:x.example,1433;Initial Catalog=d;User ID=u;Password="a;b""c"',
        "",
        {"host": "x.example", "port": "1433", "database": "d", "username": "u", "password": 'a;b"c'},
    ),
    (
        "snowflake://u:pw@my-acc/db/schema?warehouse=w",
        "snowflake",
        {"account": "my-acc", "database": "db", "warehouse": "w", "username": "u", "password": "pw"},
    ),
    (
        "mongodb://u:p@a.example:27018,b.example/shop?replicaSet=rs0",
        "mongodb",
        {"host": "a.example", "port": "27018", "database": "shop", "username": "u", "password": "p"},
    ),
    ("mongodb+srv://u:p@c.example/shop", "mongodb", {"database": "shop", "username": "u", "password": "p"}),
    (
        'export DATABASE_URL="postgres://u:pa/s#s@h:5433/d"',
        "postgresql",
        {"host": "h", "port": "5433", "database": "d", "username": "u", "password": "pa/s#s"},
    ),
    (
        "postgres://u:p?a@h:5433/d?sslmode=require",
        "postgresql",
        {"host": "h", "port": "5433", "database": "d", "username": "u", "password": "p?a", "ssl_mode": "require"},
    ),
    ("postgres://h:5433/d?application_name=a@b", "postgresql", {"host": "h", "port": "5433", "database": "d"}),
    ("sftp -P 2222 me@h:/out", "sftp", {"host": "h", "port": "2222", "username": "me", "folder": "/out"}),
    (
        "PGPASSWORD='s e' psql -h h -p 5433 -U me -d shop",
        "postgresql",
        {"host": "h", "port": "5433", "database": "shop", "username": "me", "password": "s e"},
    ),
    (
        'psql "postgres://u:p@h/d"',
        "postgresql",
        {"host": "h", "database": "d", "username": "u", "password": "p"},
    ),
    (
        "mysql -h h -u me -psecret shop",
        "mysql",
        {"host": "h", "database": "shop", "username": "me", "password": "secret"},
    ),
    (
        "https://acme.blob.core.windows.net/exports/a/b?sv=2022-11-02&sr=c&sig=x%3D",
        "azure_blob",
        {"account": "acme", "container": "exports", "prefix": "a/b", "sas_token": "sv=2022-11-02&sr=c&sig=x%3D"},
    ),
    (
        "https://my-bucket.s3.eu-central-1.amazonaws.com/pre/fix/",
        "s3",
        {"bucket": "my-bucket", "region": "eu-central-1", "prefix": "pre/fix"},
    ),
    (
        "scott/ti@g/er@host:1521/SERVICE",
        "oracle",
        {"host": "host", "port": "1521", "service_name": "SERVICE", "username": "scott", "password": "ti@g/er"},
    ),
    ("psql -U u -h h -Atc 'select 1' d", "postgresql", {"host": "h", "database": "d", "username": "u"}),
    (
        "mongosh --host h --port 27018 -u me -p pw --eval 'db.stats()' shop",
        "mongodb",
        {"host": "h", "port": "27018", "database": "shop", "username": "me", "password": "pw"},
    ),
    (
        "jdbc:oracle:thin:@(DESCRIPTION=(ADDRESS=(PROTOCOL=TCPS)(HOST=h)(PORT=2484))(CONNECT_DATA=(SERVICE_NAME=s)))",
        "oracle",
        {"host": "h", "port": "2484", "service_name": "s", "ssl_mode": "on"},
    ),
    (r"sqlcmd -S HOST\SQLEXPRESS,1444 -E -d shop", "sqlserver", {"host": "HOST", "port": "1444", "database": "shop"}),
]  # fmt: skip


def test_addresses_and_commands_as_people_have_them_are_taken_apart(
    visit: Visit, site: Installation, owner_state: Any
) -> None:
    visitor = visit(state=owner_state)
    page = visitor.go(form_of(site))
    for text, kind, found in ADDRESSES:
        read = page.evaluate("text => window.readAddress(text)", text)
        assert (read["type"], {name: value for name, value in read["found"].items() if value}) == (kind, found), text
    assert page.evaluate("['foo://u:p@h', 'hello', '1.2.3.4:5432', 'a b c'].map(window.readAddress)") == [None] * 4
    named = "['constructor foo', 'toString -h x', 'constructor://x', 'valueOf=1 toString=2'].map(window.readAddress)"
    assert page.evaluate(named) == [None] * 4
    words = page.locator("[data-paste-words]")
    paste(page, "postgres://u:p@a.example,b.example:5433/d?application_name=x&sslmode=verify-full")
    expect(words).to_contain_text("the first was taken, and b.example:5433 left out. Not used here: application_name.")
    visitor.go(form_of(site, "new/mongodb/"))
    paste(page, "mongodb+srv://u:p@c.example/shop?tls=true")
    expect(words).to_contain_text("Still empty: host.")
    expect(words).to_contain_text("found by a look-up that is not made here")
    assert values(page, "host", "database", "ssl_mode") == ["", "shop", "verify-full"]
    paste(page, "mongodb://u:p@a.example/shop?replicaSet=rs0")
    expect(words).to_contain_text("The set of replicas is not asked who leads it")
    visitor.go(form_of(site, "new/snowflake/"))
    paste(page, "snowflake://u:p@my-acc/db/schema")
    assert values(page, "account", "database") == ["my-acc", "db"]
    expect(words).to_contain_text("The schema schema is chosen with a table, in the job.")
    assert visitor.complaints == []


def test_what_clients_of_sql_server_and_oracle_say_of_encryption_and_logins_is_used_or_told(
    visit: Visit, site: Installation, owner_state: Any
) -> None:
    visitor = visit(state=owner_state)
    page = visitor.go(form_of(site, "new/sqlserver/"))
    words = page.locator("[data-paste-words]")
    server = "jdbc:sqlserver://h:1433;databaseName=d;encrypt=true;trustServerCertificate="
    for trusted, mode in (("true", "require"), ("false", "verify-full")):
        paste(page, server + trusted)
        assert values(page, "host", "database", "ssl_mode") == ["h", "d", mode]
    paste(page, r"Server=HOST\SQLEXPRESS;Database=d;Trusted_Connection=True")
    expect(words).to_contain_text("The instance SQLEXPRESS is not looked up: its own port is needed in the field Port.")
    expect(words).to_contain_text("A Windows login cannot be used here: a user with its own password is needed.")
    assert values(page, "host", "database") == ["HOST", "d"]
    visitor.go(form_of(site, "new/oracle/"))
    assert values(page, "ssl_mode") == ["disable"]
    paste(page, "jdbc:oracle:thin:@tcps://h:2484/s")
    assert values(page, "host", "port", "service_name", "ssl_mode") == ["h", "2484", "s", "require"]
    assert visitor.complaints == []


def test_what_was_typed_comes_back_after_a_reload_a_way_back_and_a_session_that_ended(
    visit: Visit, site: Installation, owner_state: Any
) -> None:
    visitor = visit(state=owner_state, alone=True)
    page = visitor.go(form_of(site))
    typed = {"host": "typed.example", "port": "5544", "username": "reader", "name": "Typed"}
    for name, value in typed.items():
        page.locator(f"#id_{name}").fill(value)
    page.locator("#id_ssl_mode").select_option("require")
    page.locator("#id_password").fill(SECRET)
    for wrong in (f"u/{SECRET}@h:1521/d", f"u:{SECRET}@h", f"https://h/d?code={SECRET}", f"postgres://u:{SECRET}@h/d"):
        page.locator("#id_database").fill(wrong)  # a secret in the wrong field
        assert SECRET not in page.evaluate("JSON.stringify({...sessionStorage})")
    again = page.get_by_text("What you typed here before is filled in again.")

    def all_there() -> None:
        expect(again).to_be_visible()
        assert values(page, *typed, "ssl_mode", "password", "database") == [*typed.values(), "require", "", ""]
        assert SECRET not in page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}])")

    page.reload()
    all_there()
    visitor.go(form_of(site, "new/mysql/"))
    assert values(page, "host", "name") == ["", ""]
    expect(again).to_be_hidden()
    page.go_back()
    all_there()
    cookies = page.context.cookies()
    page.context.clear_cookies()
    page.locator("#id_password").fill(SECRET)
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    assert values(page, "host", "password") == ["typed.example", SECRET]
    page.context.add_cookies(cookies)  # type: ignore[arg-type]
    page.get_by_role("link", name="Sign in").click()
    page.wait_for_url(f"**{form_of(site)}")
    all_there()
    page.get_by_role("button", name="Start anew").click()
    assert values(page, "host", "port", "name") == ["", "5432", ""]
    page.reload()
    expect(again).to_be_hidden()
    assert [one for one in visitor.complaints if "401" not in one] == []


def test_a_card_stays_when_its_test_finds_that_the_session_ended(
    visit: Visit, site: Installation, owner_state: Any
) -> None:
    visitor = visit(state=owner_state, alone=True)
    page = visitor.go(f"/models/{site.seeded['live']}/etl/")
    card = page.locator(f"#connection-{site.seeded['shop']}")
    expect(card.get_by_text("PostgreSQL", exact=True)).to_be_visible()  # its type in words
    expect(card.get_by_text("Works")).to_be_visible()

    def test() -> None:
        card.get_by_label("Actions for").click()
        card.locator("[data-test-connection]").click()

    cookies = page.context.cookies()
    page.context.clear_cookies()
    test()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    address = page.get_by_role("link", name="Sign in").get_attribute("href")
    assert address is not None and address.startswith("/accounts/login/?next=%2Fmodels%2F")
    expect(card.get_by_text("Works")).to_be_visible()
    page.context.add_cookies(cookies)  # type: ignore[arg-type]
    page.context.set_offline(True)
    for _ in range(2):
        card.locator("[data-test-connection]").click()
    expect(page.locator(".toast", has_text="The server cannot be reached.")).to_have_count(1)
    card.get_by_role("button", name="Switch off").click()  # a whole page is not left for the browser's own
    page.locator("#confirm-modal [data-modal-confirm]").click()
    expect(page.locator(".toast", has_text="There is no network, so nothing was sent.")).to_be_visible()
    expect(page).to_have_url(re.compile("/etl/$"))
    page.context.set_offline(False)
    card.locator("[data-test-connection]").dispatch_event("click")  # an answer takes away what was said before
    expect(page.locator(".toast", has_text="The server cannot be reached.")).to_have_count(0)
    # The server may be on the very machine that has no network.
    page.evaluate("Object.defineProperty(Navigator.prototype, 'onLine', { get: () => false })")
    switch = card.locator("form[action$='/switch/']")
    switch.evaluate("form => form.requestSubmit()")
    page.locator("#confirm-modal [data-modal-confirm]").click()
    expect(page.get_by_text("is switched off.")).to_be_visible()
    switch.evaluate("form => form.requestSubmit()")
    expect(page.get_by_text("is switched on.")).to_be_visible()
