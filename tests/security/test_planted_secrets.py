"""A connection of every type, through everything the API does with one: its secrets are in the secret store only."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any

import pytest
from django.core.cache import cache
from security.planted_secrets import Planted, fresh, plantings
from security.traces import rows, told
from tenant_rows import Tenant
from web.api.api_client import Program, program
from web.api.test_whole_path import carry_out
from web_support import TestDatabase

from b2b_recs.engine.errors import ConnectionRefused
from b2b_recs.engine.sources.contract import Dialer
from b2b_recs.engine.sources.registry import SOURCE_TYPES
from b2b_recs.project_file.export import export_project
from b2b_recs.web.connections import services, testing
from b2b_recs.web.connections.models import Connection
from b2b_recs.web.connections.services import with_secrets
from b2b_recs.web.connections.tested import proof_of
from b2b_recs.web.etl import execution
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.tenancy import scope

PLANTED = plantings()


class Unreachable:
    """A guard behind which nothing answers."""

    enabled = False

    def for_organization(self, organization_id: int) -> Dialer:
        return self

    def __call__(self, host: str, port: int) -> str:
        raise ConnectionRefused(f"Nothing listens on port {port} of {host}.", advice="Check the port.", field="port")

    def folder(self, path: str) -> Any:
        raise ConnectionRefused("There is no such folder.", advice="Check the folder.", field="location")


@pytest.fixture(autouse=True)
def nothing_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """No source can be reached, so no test of this module leaves the machine."""
    guard = Unreachable()
    for module in (services, testing, execution):
        monkeypatch.setattr(module, "guard", lambda: guard)
    monkeypatch.setattr(testing, "SECONDS", 1.0)


def walk(writer: Program, planted: Planted, other: Planted, tenant: Tenant) -> tuple[int, list[str]]:
    """The id of the connection, and everything the API answers about it, headers included."""
    said: list[str] = []

    def keep(answer: Any) -> Any:
        said.append(answer.response.content.decode() + str(answer.response.headers))
        return answer

    body = {"type": planted.type, "parameters": planted.parameters}
    proof = proof_of(writer.model_id, planted.type, planted.parameters)
    assert keep(writer.post("connections/test-wizard/", body)).status in (422, 503)
    assert keep(writer.post("connections/create/", {"name": "untested", **body}, "untested")).status in (422, 503)
    made = keep(writer.post("connections/create/", {"name": "planted", **body, "proof": proof}, "made")).well(201)
    keep(writer.post("connections/create/", {"name": "planted", **body, "proof": proof}, "made")).well(201)
    own = f"/api/connections/{made['id']}/"
    for path in (own, f"{own}credentials/", "connections/"):
        keep(writer.get(path))
    keep(writer.get(f"{own}columns/", schema="shop", table="orders"))
    for change in (
        {"parameters": other.parameters},
        {"parameters": {**other.secret, "host": "elsewhere.example.com", "more": next(iter(other.marks.values()), "")}},
        {"name": "renamed"},
    ):
        keep(writer.post(f"{own}update/", change, "changed"))
    assert keep(writer.post(f"{own}test-and-fetch-tables/")).well()["status"] != "passed"
    load = {"strategy": "files"} if SOURCE_TYPES[planted.type].capabilities.files else {"strategy": "catalog"}
    job = {"name": "job", "connection_id": made["id"], "source_table": "orders", "load": load, "check_source": False}
    made_job = keep(writer.post("etl/add-source/", job, "job")).well(201)
    run = keep(writer.post(f"/api/etl/sources/{made_job['id']}/run/", once="run")).well(202)
    carry_out(tenant, run["id"])
    failed = keep(writer.get(f"/api/etl/runs/{run['id']}/status/")).well()
    assert failed["log"] and failed["rows_read"] == 0
    return int(made["id"]), said


def misshapen(writer: Program, planted: Planted) -> list[str]:
    """What is answered to secrets given where and how they do not belong."""
    said = []
    for name, mark in planted.marks.items():
        for shape in ([mark], {mark: mark}, f"{mark}\x01", f"-----BEGIN PRIVATE KEY-----\n{mark}", f'{{"{mark}": 1}}'):
            body = {"type": planted.type, "parameters": {**planted.parameters, name: shape}}
            answer = writer.post("connections/create/", {"name": "odd", **body, "proof": mark})
            assert answer.status in (422, 429, 503), answer.json
            said.append(answer.response.content.decode())
    return said


@pytest.mark.parametrize("planted", PLANTED, ids=lambda one: "-".join([one.type, *one.marks]))
def test_a_secret_of_any_type_stays_in_the_secret_store(
    platform_database: TestDatabase, acme: Tenant, planted: Planted, caplog: pytest.LogCaptureFixture, capfd: Any
) -> None:
    writer, other = program(acme), fresh(planted)
    with scope(acme.id):
        writer.model_id = ModelEndpoint.objects.create(organization_id=acme.id, name="planted").id
    marks = {**planted.marks, **{f"other {name}": mark for name, mark in other.marks.items()}}
    with caplog.at_level(logging.DEBUG):
        connection_id, said = walk(writer, planted, other, acme)
        cache.clear()  # the tests of a minute are used up
        said += misshapen(writer, planted)
    with scope(acme.id):
        row = Connection.objects.get(id=connection_id)
        kept = {name: value.get_secret_value() for name, value in with_secrets(row).items() if name in planted.marks}
        said.append(export_project(ModelEndpoint.objects.get(id=writer.model_id)))
    assert kept == planted.secret  # the store has them
    with platform_database.superuser() as session:
        tables = dict(rows(session))
    assert {"public.connections_storedsecret", "public.api_keptanswer", "public.procrastinate_jobs"} <= set(tables)
    assert any(name.endswith("connectionevent") and text for name, text in tables.items())
    logged = [f"{record.getMessage()} {record.args} {record.exc_text or ''}" for record in caplog.records]
    printed = capfd.readouterr()
    places = {"answers": "\n".join(said), "log": "\n".join(logged), "printed": printed.out + printed.err, **tables}
    assert {name: told(marks, text) for name, text in places.items() if told(marks, text)} == {}


def test_every_type_is_planted_with_every_one_of_its_secrets() -> None:
    filled: dict[str, set[str]] = {}
    for planted in PLANTED:
        filled.setdefault(planted.type, set()).update(planted.marks)
    assert filled == {kind: set(declared.secret_fields) for kind, declared in SOURCE_TYPES.items()}
    every = Counter(mark for planted in PLANTED for mark in planted.marks.values())
    assert all(len(mark) >= 32 for mark in every)


def test_the_search_would_find_each_of_them() -> None:
    for planted in PLANTED:
        for name, mark in planted.marks.items():
            assert told({name: mark}, repr(planted.parameters[name])) == [name]
            assert told({name: mark}, str(planted.parameters[name]).encode()) == [name]
