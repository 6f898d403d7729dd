"""Connections over the API: made after a test, changed without their secret leaving, deleted when nobody uses them."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest
from django.db import connection
from tenant_rows import Tenant
from web.api.api_client import ORDER_LINES, Program, Wholesaler, program

from b2b_recs.engine.sources.files import source as files_source
from b2b_recs.runtime.errors import SecretUnreadable
from b2b_recs.web.api import limits
from b2b_recs.web.connections import services, testing
from b2b_recs.web.connections.models import Connection, StoredSecret
from b2b_recs.web.tenancy import scope


def test_unsaved_parameters_are_tried_and_nothing_is_stored(
    acme: Tenant, writer: Program, wholesaler: Wholesaler
) -> None:
    answer = writer.post("connections/test-wizard/", {"type": "postgresql", "parameters": wholesaler.parameters()})
    assert answer.well()["latency_ms"] > 0
    with scope(acme.id):
        assert Connection.objects.count() == 1 and StoredSecret.objects.count() == 1  # those of every tenant


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"password": "wrong"}, "authentication_refused", "password"),
        ({"database": "nothing"}, "database_missing", "database"),
        ({"host": "no-such-host.invalid"}, "host_unknown", "host"),
        ({"host": "file:///etc/passwd"}, "bad_input", "host"),
        ({"port": 0}, "bad_input", "port"),
        ({"port": "many"}, "bad_input", "port"),
        ({"sslcert": "/etc/passwd"}, "bad_input", "sslcert"),
    ],
)
def test_a_refusal_names_the_field_and_what_to_do(
    writer: Program, wholesaler: Wholesaler, changes: dict[str, Any], code: str, field: str
) -> None:
    body = {"type": "postgresql", "parameters": wholesaler.parameters(**changes)}
    for path in ("connections/test-wizard/", "connections/create/"):
        named = {"name": "new"} if "create" in path else {}
        error = writer.post(path, body | named).refused(422, code, field)
        assert wholesaler.password not in str(error)
    assert writer.get("connections/", q="new").well()["total"] == 0


def test_every_wrong_parameter_is_told_at_once(writer: Program) -> None:
    body = {"name": "Shop", "type": "postgresql", "parameters": {"host": "", "port": 99999, "username": "reader"}}
    error = writer.post("connections/test-wizard/", {key: body[key] for key in ("type", "parameters")}).error
    assert {fault["field"] for fault in error["faults"]} == {"host", "port", "database"}


def test_an_unknown_type_is_refused_with_the_known_ones(writer: Program) -> None:
    error = writer.post("connections/test-wizard/", {"type": "h2", "parameters": {}}).refused(422, "bad_input", "type")
    assert "postgresql" in error["advice"]


def test_a_proof_of_other_parameters_does_not_save_the_test(writer: Program, wholesaler: Wholesaler) -> None:
    tried = writer.post("connections/test-wizard/", {"type": "postgresql", "parameters": wholesaler.parameters()})
    wrong = wholesaler.connection(parameters=wholesaler.parameters(password="wrong"), proof=tried.well()["proof"])
    writer.post("connections/create/", wrong).refused(422, "authentication_refused", "password")


def test_a_name_is_taken_once(writer: Program, wholesaler: Wholesaler, connected: int) -> None:
    writer.post("connections/create/", wholesaler.connection()).refused(409, "name_taken", "name")
    writer.post(f"/api/connections/{connected}/update/", {"name": "shop"}).refused(409, "name_taken", "name")
    renamed = writer.post(f"/api/connections/{connected}/update/", {"name": "ERP"}).well()
    assert renamed["connection"]["name"] == "ERP" and renamed["jobs_affected"] == 0


def test_credentials_say_what_is_set_and_never_a_value(
    writer: Program, reader: Program, wholesaler: Wholesaler, connected: int
) -> None:
    items = reader.get(f"/api/connections/{connected}/credentials/").well()["items"]
    assert [(one["field"], one["is_set"]) for one in items] == [("password", True)] and items[0]["set_at"]
    for path in (f"/api/connections/{connected}/", "connections/", f"/api/connections/{connected}/credentials/"):
        assert wholesaler.password not in reader.get(path).response.content.decode()


def test_a_stored_password_does_not_follow_a_change_of_address(
    writer: Program, wholesaler: Wholesaler, connected: int
) -> None:
    path = f"/api/connections/{connected}/update/"
    for change in ({"host": "localhost"}, {"username": "other"}, {"ssl_mode": "disable"}, {"database": "postgres"}):
        writer.post(path, {"parameters": change}).refused(422, "bad_input", "password")
    assert writer.get(f"/api/connections/{connected}/").well()["parameters"]["host"] == "127.0.0.1"
    changed = writer.post(path, {"parameters": {"ssl_mode": "disable", "password": wholesaler.password}}).well()
    assert changed["connection"]["parameters"]["ssl_mode"] == "disable" and changed["changes"]
    back = writer.post(path, {"parameters": {"ssl_mode": None, "password": wholesaler.password}}).well()
    assert "ssl_mode" not in back["connection"]["parameters"]


def test_a_changed_password_is_tested_before_it_is_saved(
    writer: Program, wholesaler: Wholesaler, connected: int
) -> None:
    path = f"/api/connections/{connected}/"
    writer.post(f"{path}update/", {"parameters": {"password": "wrong"}}).refused(
        422, "authentication_refused", "password"
    )
    writer.post(f"{path}update/", {"parameters": {"password": None}}).refused(422, "authentication_refused", "password")
    assert writer.post(f"{path}test/").well()["status"] == "passed"
    set_at = writer.get(f"{path}credentials/").well()["items"][0]["set_at"]
    writer.post(f"{path}update/", {"parameters": {"password": wholesaler.password}}).well()
    assert writer.get(f"{path}credentials/").well()["items"][0]["set_at"] == set_at  # the same one


def test_a_connection_in_use_is_not_deleted_and_the_jobs_are_named(writer: Program, connected: int) -> None:
    job = writer.post("etl/add-source/", {**ORDER_LINES, "connection_id": connected}).well(201)
    error = writer.post(f"/api/connections/{connected}/delete/").refused(409, "in_use")
    assert "order lines" in error["message"] and "Delete" in error["advice"]
    assert writer.post(f"/api/connections/{connected}/update/", {"name": "x"}).well()["jobs_affected"] == 1
    writer.post(f"/api/etl/sources/{job['id']}/delete/").well()
    assert writer.post(f"/api/connections/{connected}/delete/").well() == {"id": connected, "name": "x"}
    assert writer.get(f"/api/connections/{connected}/").status == 404


def test_deleting_a_connection_deletes_its_secrets(acme: Tenant, writer: Program, connected: int) -> None:
    with scope(acme.id):
        assert StoredSecret.objects.filter(name__contains=f"-connection-{connected}-").count() == 1
    writer.post(f"/api/connections/{connected}/delete/").well()
    with scope(acme.id):
        assert StoredSecret.objects.filter(name__contains=f"-connection-{connected}-").count() == 0


def test_a_test_of_a_stored_connection_turns_its_dot(
    writer: Program, connected: int, monkeypatch: pytest.MonkeyPatch, postgres_server: Any
) -> None:
    path = f"/api/connections/{connected}/test/"
    assert writer.post(path).well()["dot"] == "green"
    postgres_server.execute("ALTER ROLE api_reader NOLOGIN")
    try:
        refused = writer.post(path).well()
    finally:
        postgres_server.execute("ALTER ROLE api_reader LOGIN")
    assert (refused["status"], refused["dot"]) == ("failed", "red") and refused["error"]["advice"]

    def closed(*_: Any) -> str:
        raise SecretUnreadable("The stored secret does not open here.", advice="Enter the secret again.")

    with monkeypatch.context() as broken:
        broken.setattr("b2b_recs.runtime.secrets.SecretBox.open", closed)
        unknown = writer.post(path).well()
    assert (unknown["status"], unknown["dot"]) == ("unknown", "yellow")
    kept = writer.get(f"/api/connections/{connected}/").well()
    assert (kept["dot"], kept["last_test_status"], kept["test_trouble"][:17]) == (
        "yellow",
        "failed",
        "The stored secret",
    )
    tables = writer.post(f"/api/connections/{connected}/test-and-fetch-tables/").well()
    assert tables["dot"] == "green" and tables["tables_total"] == 3
    assert writer.get(f"/api/connections/{connected}/").well()["test_trouble"] == ""


def test_a_test_that_takes_too_long_says_nothing_about_the_source(
    writer: Program, connected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(testing, "SECONDS", 0.2)
    monkeypatch.setattr("b2b_recs.engine.sources.postgresql.source.PostgreSQLSource.check", lambda self: time.sleep(2))
    unknown = writer.post(f"/api/connections/{connected}/test/").well()
    assert (unknown["status"], unknown["error"]["code"]) == ("unknown", "test_not_possible")
    assert writer.get(f"/api/connections/{connected}/").well()["last_test_status"] == "passed"


def test_no_transaction_is_open_while_a_source_is_asked(
    writer: Program, connected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []

    def watched(*arguments: Any) -> Any:
        seen.append(connection.in_atomic_block)
        return testing_ask(*arguments)

    testing_ask = testing.ask
    for place in ("testing", "api"):
        monkeypatch.setattr(f"b2b_recs.web.connections.{place}.ask", watched)
    writer.post(f"/api/connections/{connected}/test/").well()
    writer.get(f"/api/connections/{connected}/tables/").well()
    assert seen == [False, False]


def silent_port() -> tuple[socket.socket, int]:
    """A listener whose queue is full, so that a further connection gets no answer, as behind a firewall."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    return listener, listener.getsockname()[1]


@pytest.mark.parametrize(("kind", "field"), [("postgresql", "host"), ("s3", "endpoint"), ("csv", "location")])
def test_closed_and_filtered_ports_are_told_apart_neither_by_words_nor_by_time(
    writer: Program, wholesaler: Wholesaler, monkeypatch: pytest.MonkeyPatch, kind: str, field: str
) -> None:
    monkeypatch.setattr(testing, "UNREACHABLE_SECONDS", 1.5)
    monkeypatch.setattr(files_source, "CHECK_SECONDS", 1.0)
    monkeypatch.setattr(services.guard(), "enabled", True)
    monkeypatch.setattr(type(services.guard()), "_passes", lambda self, address: True)
    listener, filtered = silent_port()
    fillers = [socket.socket() for _ in range(4)]
    for filler in fillers:
        filler.setblocking(False)
        filler.connect_ex(("127.0.0.1", filtered))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        closed = probe.getsockname()[1]

    def told(port: int) -> tuple[dict[str, Any], float]:
        started = time.monotonic()
        at = f"https://127.0.0.1:{port}"
        parameters = {
            "postgresql": wholesaler.parameters(port=port),
            "s3": {"bucket": "shop", "anonymous": True, "format": "csv", "endpoint": at},
            "csv": {"location": f"{at}/a.csv"},
        }[kind]
        body = {"type": kind, "parameters": parameters}
        error = writer.post("connections/test-wizard/", body).refused(422, "connection_refused", field)
        return error, time.monotonic() - started

    apart = []
    while len(apart) < 3 and min(apart, default=1.0) >= 0.7:  # a busy machine may hold one answer up, not each time
        (words, first), (same, second) = told(closed), told(filtered)
        assert words == same and min(first, second) >= 1.4
        apart.append(abs(first - second))
    for filler in fillers:
        filler.close()
    listener.close()
    assert min(apart) < 0.7


def test_tests_are_limited_for_a_key_and_for_an_organization(
    acme: Tenant, writer: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "A_PERSON", 3)
    monkeypatch.setattr(limits, "AN_ORGANIZATION", 5)
    monkeypatch.setattr(limits, "seconds_now", lambda: 1_000_000)
    body = {"type": "h2", "parameters": {}}
    assert [writer.post("connections/test-wizard/", body).status for _ in range(4)] == [422, 422, 422, 429]
    again = writer.post("connections/test-wizard/", body)
    assert again.refused(429, "too_many_requests")["advice"] and int(again.response["Retry-After"]) <= 60
    another = program(acme)
    assert [another.post("connections/test-wizard/", body).status for _ in range(2)] == [429, 429]
    monkeypatch.setattr(limits, "seconds_now", lambda: 1_000_061)
    assert writer.post("connections/test-wizard/", body).status == 422


def test_tables_and_columns_are_shown_with_samples_and_a_proposal(writer: Program, connected: int) -> None:
    listed = writer.get(f"/api/connections/{connected}/tables/", q="PROD").well()
    assert [one["source_table"] for one in listed["tables"]] == ["products"]
    proposal = writer.get(f"/api/connections/{connected}/columns/", schema="public", table="products").well()
    by_name = {column["name"]: column for column in proposal["columns"]}
    assert proposal["key"] == ["product_id"] and proposal["proposed"]["load"] == {"strategy": "catalog"}
    assert by_name["active"]["proposed"]["warehouse_type"] == "BOOL"
    assert by_name["code"]["proposed"]["warehouse_type"] == "STRING" and by_name["code"]["samples"][0] == "00001"
    assert all(len(column["samples"]) <= 5 and column["proposed"]["reason"] for column in proposal["columns"])
    writer.get(f"/api/connections/{connected}/columns/", schema="public", table="nothing").refused(422, "table_missing")


def test_a_connection_switched_off_is_not_opened(writer: Program, connected: int) -> None:
    writer.post(f"/api/connections/{connected}/update/", {"enabled": False}).well()
    assert "switched off" in writer.get(f"/api/connections/{connected}/tables/").refused(422, "bad_input")["message"]


def test_only_those_who_may_change_may_test(reader: Program, wholesaler: Wholesaler) -> None:
    body = {"type": "postgresql", "parameters": wholesaler.parameters()}
    reader.post("connections/test-wizard/", body).refused(403, "not_allowed")
    reader.post("connections/create/", wholesaler.connection()).refused(403, "not_allowed")


def test_bounds_are_told_in_words(writer: Program, wholesaler: Wholesaler) -> None:
    body = {"type": "postgresql", "parameters": wholesaler.parameters(port="many")}
    error = writer.post("connections/test-wizard/", body).refused(422, "bad_input", "port")
    assert error["message"] == "Port “many” cannot be used: must be a whole number."
    assert error["advice"] == "Give a number from 1 to 65,535."


def test_a_rule_about_several_settings_is_told_at_one_of_them(writer: Program) -> None:
    parameters = {"account": "shop-account1", "warehouse": "small", "database": "shop", "username": "reader"}
    body = {"type": "snowflake", "parameters": parameters}
    error = writer.post("connections/test-wizard/", body).refused(422, "bad_input", "password")
    assert error["message"].startswith("Give either a private key or a password")


def test_looking_at_columns_leaves_the_tests_alone(
    writer: Program, connected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "A_PERSON", 1)
    monkeypatch.setattr(limits, "seconds_now", lambda: 2_000_000)
    path = f"/api/connections/{connected}/columns/"
    looks = [writer.get(path, schema="public", table="products").status for _ in range(7)]
    assert looks == [200] * 6 + [429]
    assert writer.post(f"/api/connections/{connected}/test/").status == 200
    assert writer.post(f"/api/connections/{connected}/test/").status == 429
