"""A request sent twice with one ``Idempotency-Key`` is carried out once, also when both come at the same time."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connections
from tenant_rows import Tenant
from web.api.api_client import ORDER_LINES, Answer, Program, Wholesaler, program

from b2b_recs.web.api.models import KeptAnswer
from b2b_recs.web.connections.models import Connection
from b2b_recs.web.etl.models import DataSource, ETLRun
from b2b_recs.web.tenancy import scope


def test_the_second_answer_is_the_first_one_and_nothing_is_done_twice(
    acme: Tenant, writer: Program, wholesaler: Wholesaler
) -> None:
    first = writer.post("connections/create/", wholesaler.connection(), once="k-1")
    second = writer.post("connections/create/", wholesaler.connection(), once="k-1")
    assert first.well(201) == second.well(201)
    assert second.response["Idempotency-Replayed"] == "true" and "Idempotency-Replayed" not in first.response
    with scope(acme.id):
        assert Connection.objects.filter(name="warehouse").count() == 1
        kept = KeptAnswer.objects.get(key="k-1")
    assert wholesaler.password not in f"{kept.answer}{kept.request_digest}"


def test_the_same_key_for_another_request_is_refused(writer: Program, connected: int) -> None:
    body = {**ORDER_LINES, "connection_id": connected}
    writer.post("etl/add-source/", body, once="k-2").well(201)
    writer.post("etl/add-source/", {**body, "name": "another"}, once="k-2").refused(422, "bad_input", "Idempotency-Key")
    writer.post("etl/run/", once="k-2").refused(422, "bad_input", "Idempotency-Key")


def test_a_refused_request_may_be_mended_under_the_same_key(writer: Program, connected: int) -> None:
    body = {**ORDER_LINES, "connection_id": connected}
    writer.post(
        "etl/add-source/", {**body, "columns": ["order_id", "line_no", "ordered_at", "missing"]}, once="k-3"
    ).refused(422, "bad_input", "columns")
    writer.post("etl/add-source/", body, once="k-3").well(201)


def test_keys_of_organizations_do_not_meet(writer: Program, rival: Tenant, connected: int) -> None:
    other = program(rival)
    draft = {"name": "half", "connection_id": connected}
    writer.post("etl/save-draft/", draft, once="k-4").well()
    own = {"name": "half", "connection_id": rival.id_of("Connection")}
    assert other.post("etl/save-draft/", own, once="k-4").well()["connection_id"] == own["connection_id"]


def test_a_key_is_forgotten_after_a_day(acme: Tenant, writer: Program, connected: int) -> None:
    with scope(acme.id):
        DataSource.objects.update(draft=False)
    body = {**ORDER_LINES, "connection_id": connected}
    job = writer.post("etl/add-source/", body, once="k-5").well(201)
    with scope(acme.id):
        KeptAnswer.objects.filter(key="k-5").update(created_at=datetime.now(UTC) - timedelta(hours=24, seconds=1))
    writer.post("etl/add-source/", body, once="k-5").refused(409, "name_taken", "name")
    assert writer.get(f"/api/etl/sources/{job['id']}/").status == 200


def test_a_key_that_is_none_is_refused(writer: Program) -> None:
    for key in ("x" * 201, "with space"):
        assert writer.post("etl/run/", once=key).refused(422, "bad_input", "Idempotency-Key")


def test_two_at_once_make_one(acme: Tenant, writer: Program, connected: int) -> None:
    job = writer.post("etl/add-source/", {**ORDER_LINES, "connection_id": connected}).well(201)
    with scope(acme.id):
        ETLRun.objects.all().delete()
    answers: list[Answer] = []
    begin = threading.Barrier(4)

    def ask() -> None:
        begin.wait()
        answers.append(writer.post("etl/save-draft/", {"name": "half", "connection_id": connected}, once="k-6"))
        answers.append(writer.post(f"/api/etl/sources/{job['id']}/run/", once="k-7"))
        connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status for answer in answers) == [200] * 4 + [202] * 4
    kinds: dict[int, set[Any]] = {200: set(), 202: set()}
    for answer in answers:
        kinds[answer.status].add(answer.json["id"])
    assert {status: len(ids) for status, ids in kinds.items()} == {200: 1, 202: 1}
    with scope(acme.id):
        assert ETLRun.objects.count() == 1 and DataSource.objects.filter(name="half").count() == 1
