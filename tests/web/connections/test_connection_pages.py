"""The pages of connections: tested in the background, refused beside the field, never echoing a secret."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone
from tenant_rows import Tenant

from b2b_recs.engine.errors import AuthenticationRefused
from b2b_recs.engine.sources.contract import CheckResult
from b2b_recs.engine.sources.registry import SOURCE_TYPES
from b2b_recs.runtime.guard import OutgoingGuard
from b2b_recs.web.connections import services, views
from b2b_recs.web.connections.changing import update_connection
from b2b_recs.web.connections.models import Connection
from b2b_recs.web.tenancy import scope

HTMX = {"HX-Request": "true"}
CANARY = "canary-secret-typed"


def signed_in(tenant: Tenant, role: str = "owner") -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(tenant.people[role], backend="django.contrib.auth.backends.ModelBackend")
    return client


def place(tenant: Tenant, rest: str = "") -> str:
    return f"/models/{tenant.id_of('ModelEndpoint')}/etl/connections/{rest}"


def test_every_wrong_field_is_told_and_no_secret_comes_back(acme: Tenant) -> None:
    typed = {"do": "test", "port": "many", "password": CANARY, "username": ""}
    answer = signed_in(acme).post(place(acme, "new/postgresql/"), typed, headers=HTMX)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert all(f'data-fault="{field}"' in text for field in ("host", "port", "database", "username"))
    assert CANARY not in text


def test_a_whole_address_as_host_and_a_name_too_long_are_told_by_the_test(acme: Tenant) -> None:
    typed = {"host": "postgresql://u:pw-7@h/d", "port": "5432", "database": "d", "username": "u", "name": "n" * 500}
    answer = signed_in(acme).post(place(acme, "new/postgresql/"), {**typed, "do": "test"}, headers=HTMX)
    text = answer.content.decode()
    assert answer.status_code == 422 and "pw-7" not in text
    assert "Host cannot be used: this is a whole address." in text and "Put it into “Paste an address” above" in text
    assert "This name is 400 characters too long" in text


def test_a_type_whose_driver_is_missing_cannot_be_tested_and_says_what_to_install(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def button() -> str:
        text = signed_in(acme).get(place(acme, "new/oracle/")).content.decode()
        found = re.search(r'<button[^>]*name="do" value="test"[^>]*>', text)
        assert found is not None
        told = re.search(r'id="install-words">.*?<p class="mono">(.*?)</p>', text, re.S)
        return f"{found[0]} {told[1] if told else ''}"

    assert "disabled" not in button()
    monkeypatch.setattr(type(SOURCE_TYPES["oracle"]), "driver", "a_driver_nobody_has")
    assert 'disabled aria-describedby="install-words"' in button()
    assert "-m pip install -r" in button() and "oracle.txt" in button()


@pytest.mark.parametrize("kind", ["h2", "PostgreSQL", "postgresql;"])
def test_a_type_that_is_none_is_missing(acme: Tenant, kind: str) -> None:
    assert signed_in(acme).get(place(acme, f"new/{kind}/")).status_code == 404


def test_a_stored_secret_is_told_of_and_not_shown(acme: Tenant) -> None:
    text = signed_in(acme).get(place(acme, f"{acme.id_of('Connection')}/edit/")).content.decode()
    assert 'type="password"' in text
    assert "canary" not in text


def test_one_answer_stands_at_a_stored_password_that_is_left_empty(acme: Tenant) -> None:
    def form(rest: str) -> str:
        return " ".join(signed_in(acme).get(place(acme, rest)).content.decode().split())

    with scope(acme.id):
        typed = {"host": "db", "database": "d", "username": "u", "password": CANARY}
        update_connection(Connection.objects.get(id=acme.id_of("Connection")), None, None, typed)
    saved, new = form(f"{acme.id_of('Connection')}/edit/"), form("new/postgresql/")
    again = "Left empty, it stays; after a change of another setting give it again."
    assert saved.count(again) == 1 and 'placeholder="stored" data-stored' in saved
    assert "Passwords and keys are not: give them again where another setting was changed." in saved
    for other in ("Left empty when the server asks for none.", "leave empty to keep", "are not kept: give them again"):
        assert other not in saved
    assert "Left empty when the server asks for none." in new and again not in new
    assert "Passwords and keys are not kept: give them again." in new


def test_a_test_runs_in_the_background_and_its_card_asks_until_it_ended(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[tuple[int, int]] = []
    monkeypatch.setattr(views, "begin", lambda organization, connection: begun.append((organization, connection)))
    client, number = signed_in(acme), acme.id_of("Connection")
    text = client.post(place(acme, f"{number}/test/"), headers=HTMX).content.decode()
    assert begun == [(acme.id, number)]
    assert "Testing" in text and "every 1s" in text
    since = (timezone.now() - timedelta(seconds=2)).isoformat()
    assert "every 1s" in client.get(place(acme, f"{number}/card/"), {"since": since}).content.decode()
    with scope(acme.id):
        Connection.objects.filter(id=number).update(last_test_at=timezone.now(), last_test_status="passed")
    ended = client.get(place(acme, f"{number}/card/"), {"since": since}).content.decode()
    assert "Works" in ended and "every 1s" not in ended


@pytest.mark.parametrize(
    "since", ["", "yesterday", "2024-13-45T00:00:00Z", "2024-01-01T00:00:00", "2020-01-01T00:00:00Z"]
)
def test_a_card_does_not_ask_for_ever(acme: Tenant, since: str) -> None:
    answer = signed_in(acme).get(place(acme, f"{acme.id_of('Connection')}/card/"), {"since": since})
    assert answer.status_code == 200
    assert "every 1s" not in answer.content.decode()


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    allowed = OutgoingGuard(enabled=True, folders=[tmp_path])
    monkeypatch.setattr(services, "guard", lambda: allowed)
    return tmp_path


@pytest.mark.parametrize("kind", ["csv", "parquet", "json", "excel", "sqlite", "postgresql", "s3", "bigquery"])
def test_the_form_names_the_allowed_folders_where_files_of_this_machine_are_read(
    acme: Tenant, files: Path, kind: str
) -> None:
    text = signed_in(acme).get(place(acme, f"new/{kind}/")).content.decode()
    assert (str(files) in text) == (kind in ("csv", "parquet", "json", "excel", "sqlite"))


def test_a_folder_without_files_is_told_as_one_and_no_login_is_spoken_of(acme: Tenant, files: Path) -> None:
    answer = signed_in(acme).post(place(acme, "new/csv/"), {"do": "test", "location": "."}, headers=HTMX)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "has no CSV file yet" in text
    assert "login" not in text


def test_a_connection_in_use_is_not_deleted(acme: Tenant) -> None:
    client = signed_in(acme)
    answer = client.post(place(acme, f"{acme.id_of('Connection')}/delete/"), follow=True)
    assert "is used by “orders”" in answer.content.decode()
    with scope(acme.id):
        assert Connection.objects.filter(id=acme.id_of("Connection")).exists()


def test_a_saved_connection_offers_to_copy_a_table_and_its_name_leads_to_its_settings(
    acme: Tenant, files: Path
) -> None:
    client, typed = signed_in(acme), {"do": "save", "location": ".", "name": "files <b>"}
    text = client.post(place(acme, "new/csv/"), typed, follow=True).content.decode()
    with scope(acme.id):
        number = Connection.objects.get(name="files <b>").id
    assert f'etl/jobs/new/?connection={number}">Copy a table</a>' in text.split('class="notice')[1]
    assert (
        f'etl/connections/{number}/edit/">files &lt;b&gt;</a>' in text and "<b>" not in text.split('class="notice')[1]
    )


@pytest.mark.parametrize(("pressed", "told"), [("save", True), ("test", False)])
def test_a_change_whose_login_is_refused_says_that_nothing_was_saved(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch, pressed: str, told: bool
) -> None:
    def refuse(*asked: object) -> None:
        raise AuthenticationRefused("The password was refused.", field="password")

    monkeypatch.setattr(views, "_check", refuse)
    typed = {"do": pressed, "host": "db", "database": "d", "username": "u", "password": "wrong", "name": "shop"}
    answer = signed_in(acme).post(place(acme, f"{acme.id_of('Connection')}/edit/"), typed, headers=HTMX)
    text = answer.content.decode()
    assert answer.status_code == 422 and "The password was refused." in text
    assert ("Nothing was saved." in text) == told


def test_a_form_that_was_opened_before_the_last_save_is_refused_with_what_is_saved(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "_check", lambda *asked: None)
    client, address = signed_in(acme), place(acme, f"{acme.id_of('Connection')}/edit/")
    found = re.search(r'name="mark" value="(\w+)"', client.get(address).content.decode())
    assert found is not None
    typed = {"do": "save", "port": "5432", "database": "d", "username": "u", "mark": found[1]}
    assert "HX-Redirect" in client.post(address, {**typed, "host": "db2", "name": "first"}, headers=HTMX).headers
    second = {**typed, "host": "db3", "name": "second"}
    stale = client.post(address, second, headers=HTMX)
    text = stale.content.decode()
    assert stale.status_code == 422 and "Nothing was saved." in text
    assert "saved elsewhere after this page was opened" in text and "the name “first”, host db2" in text
    fresh = re.search(r'id="connection-mark" name="mark" value="(\w+)"', text)
    assert fresh is not None
    assert "HX-Redirect" in client.post(address, {**second, "mark": fresh[1]}, headers=HTMX).headers


def test_a_connection_stored_with_its_port_as_text_is_tested_and_renamed_without_its_password(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "_check", lambda *asked: CheckResult(1.0, "16.4", ()))
    number = acme.id_of("Connection")
    with scope(acme.id):
        address = {"host": "db", "port": 48685, "database": "d", "username": "u"}
        update_connection(Connection.objects.get(id=number), None, None, {**address, "password": CANARY})
        Connection.objects.filter(id=number).update(parameters={**address, "port": "48685", "ca_certificate": ""})
    client, address = signed_in(acme), place(acme, f"{number}/edit/")
    typed = {"host": "db", "port": "48685", "database": "d", "username": "u", "ssl_mode": "prefer", "name": "renamed"}
    assert "It works" in client.post(address, {**typed, "do": "test"}, headers=HTMX).content.decode()
    assert "HX-Redirect" in client.post(address, {**typed, "do": "save"}, headers=HTMX).headers
    other = client.post(address, {**typed, "port": "48686", "do": "test"}, headers=HTMX)
    assert other.status_code == 422 and "password was not given again" in other.content.decode()
    with scope(acme.id):
        assert Connection.objects.get(id=number).name == "renamed"


def test_who_is_signed_out_is_told_so_and_comes_back_to_the_page_of_the_form(acme: Tenant) -> None:
    address, page = place(acme, f"{acme.id_of('Connection')}/test/"), place(acme)
    part = Client(headers={"host": "localhost"}).post(address, headers=HTMX)
    assert part.status_code == 401 and "Sign in first" in part.content.decode()
    strict = Client(enforce_csrf_checks=True, headers={"host": "localhost"})  # no cookie is left at all
    assert strict.post(address, headers=HTMX).status_code == 401
    for referer, after in ((f"http://localhost{page}?q=a", f"{page}?q=a"), ("https://evil.example/x", "/"), ("", "/")):
        answer = Client(headers={"host": "localhost"}).post(address, headers={"Referer": referer})
        assert answer["Location"] == f"/accounts/login/?{urlencode({'next': after}, safe='/')}"
