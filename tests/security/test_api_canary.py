"""Secrets planted through the JSON API are in no answer, no log line, no kept answer and not in the document."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from security.traces import told
from tenant_rows import Tenant
from web.api.api_client import ORDER_LINES, Program, Wholesaler, close_wholesaler, open_wholesaler, program
from web.api.test_whole_path import carry_out

from b2b_recs.web.api.models import KeptAnswer
from b2b_recs.web.api.urls import api
from b2b_recs.web.tenancy import scope


@pytest.fixture
def wholesaler(postgres_server: Any) -> Iterator[Wholesaler]:
    """A seller's database whose reader's password is the canary."""
    shop = open_wholesaler(postgres_server, "canary_shop", "canary_reader")
    yield shop
    close_wholesaler(postgres_server, shop)


def walk(writer: Program, wholesaler: Wholesaler, wrong: str, tenant: Tenant) -> list[str]:
    """Everything the API answers on the way from a wrong password to a run, headers included."""
    said: list[str] = []

    def post(path: str, body: Any = None, once: str | None = None) -> Any:
        answer = writer.post(path, body, once)
        said.append(answer.response.content.decode() + str(answer.response.headers))
        return answer.json

    def get(path: str, **query: Any) -> None:
        answer = writer.get(path, **query)
        said.append(answer.response.content.decode() + str(answer.response.headers))

    bad = wholesaler.connection(parameters=wholesaler.parameters(password=wrong))
    post("connections/test-wizard/", {"type": "postgresql", "parameters": bad["parameters"]})
    post("connections/create/", bad, "wrong")
    post("connections/create/", {**bad, "parameters": {**bad["parameters"], "password": [wrong]}})
    post("connections/create/", {**bad, "name": {"password": wrong}})
    post("connections/create/", {**bad, "more": wrong, "parameters": {"sslkey": wrong}})
    made = post("connections/create/", wholesaler.connection(), "right")
    post("connections/create/", wholesaler.connection(), "right")
    post("connections/create/", bad, "right")
    connection = f"/api/connections/{made['id']}/"
    post(f"{connection}update/", {"parameters": {"password": wrong}})
    post(f"{connection}update/", {"parameters": {"host": "localhost"}})
    post(f"{connection}update/", {"parameters": {"password": wholesaler.password}}, "again")
    for path in ("", "credentials/", "tables/"):
        get(f"{connection}{path}")
    get(f"{connection}columns/", schema="public", table="products")
    for path in ("test/", "test-and-fetch-tables/"):
        post(f"{connection}{path}")
    job = post("etl/add-source/", {**ORDER_LINES, "connection_id": made["id"]}, "job")
    run = post(f"/api/etl/sources/{job['id']}/run/", once="run")
    carry_out(tenant, run["id"])
    for path in (f"/api/etl/runs/{run['id']}/status/", f"/api/etl/runs/{run['id']}/rejected/", "etl/sources/"):
        get(path)
    for path in ("etl/runs/", "connections/", "/api/models/", "/api/sources/", f"/api/etl/sources/{job['id']}/"):
        get(path)
    return said


def test_planted_secrets_stay_inside(acme: Tenant, wholesaler: Wholesaler, caplog: pytest.LogCaptureFixture) -> None:
    wrong = f"canary-{secrets.token_hex(16)}"
    writer = program(acme)
    with caplog.at_level(logging.DEBUG):
        said = walk(writer, wholesaler, wrong, acme)
    planted = {"password": wholesaler.password[7:], "wrong": wrong[7:], "key": writer.key.rsplit("_", 1)[1]}
    with scope(acme.id):
        kept = json.dumps([[row.key, row.answer, row.request_digest] for row in KeptAnswer.objects.all()])
    logged = "\n".join(record.getMessage() + str(record.exc_text or "") for record in caplog.records)
    assert len(said) > 25 and any('"completed"' in one for one in said)
    assert "right" in kept and "warehouse" in kept
    for name, text in {"answers": "\n".join(said), "kept": kept, "log": logged}.items():
        assert told(planted, text) == [], name
    assert told(planted, json.dumps(api.get_openapi_schema(), default=str)) == []
