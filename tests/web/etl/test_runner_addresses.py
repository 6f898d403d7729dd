"""The addresses of runners: one token opens one attempt at one run while it is under way, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from remote_shop import PASSWORD_OF_ANOTHER, RemoteShop, make_remote_shop
from run_rows import make_shop
from web_support import TestDatabase

from b2b_recs.web.accounts.api_keys import create_key
from b2b_recs.web.connections.models import Connection
from b2b_recs.web.etl.models import ETLRun
from b2b_recs.web.etl.remote import tokens
from b2b_recs.web.etl.remote.tokens import make_token, permit_of
from b2b_recs.web.etl.services import cancel_run, start_run
from b2b_recs.web.tenancy import scope

ADDRESSES = {"": "get", "progress/": "post", "used/": "post", "interrupted/": "post", "end/": "post"}
STAGES = [{"name": "read", "state": "running", "detail": "half"}]
END = {"status": "completed", "rows_loaded": 3, "results": {"changed": True}}


@pytest.fixture
def remote(platform_database: TestDatabase, postgres_server: Any) -> Any:
    yield make_remote_shop(postgres_server)
    postgres_server.drop_database("remote_source")


@pytest.fixture
def run(remote: RemoteShop) -> ETLRun:
    with scope(remote.id):
        run = start_run(remote.shop.jobs[0])
    remote.begin(run)
    return remote.run()


def token_of(run: ETLRun, attempt: int = 1) -> str:
    return make_token(run.organization_id, run.id, attempt)


def ask(run_id: int, path: str, authorization: str, body: object = None, method: str = "") -> HttpResponse:
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    return getattr(client, method or ADDRESSES[path])(
        f"/api/etl/runner/runs/{run_id}/{path}",
        **({} if path == "" else {"data": json.dumps(body or {}), "content_type": "application/json"}),
        headers={"Authorization": authorization} if authorization else {},
    )


def with_token(run: ETLRun, path: str, body: object = None, token: str = "") -> HttpResponse:
    return ask(run.id, path, f"RunToken {token or token_of(run)}", body)


def test_the_assignment_holds_all_a_copy_needs_and_the_secret_of_its_own_connection_only(
    remote: RemoteShop, run: ETLRun, postgres_server: Any
) -> None:
    answer = with_token(run, "")
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    found = answer.json()
    assert found["task"]["secrets"] == {"password": postgres_server.password}
    assert found["task"]["parameters"]["database"] == "remote_source"
    assert "password" not in found["task"]["parameters"]
    assert found["task"]["spec"]["source_table"] == "orders"
    assert (found["attempt"], found["task"]["run_id"]) == (1, run.id)
    assert PASSWORD_OF_ANOTHER not in answer.content.decode()


def test_nobody_gets_in_without_a_valid_token_and_all_are_answered_alike(
    remote: RemoteShop, run: ETLRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scope(remote.id):
        _, key = create_key("x", scopes=["read", "write"])
    good = token_of(run)
    other = make_token(remote.id, run.id + 1, 1)
    wrong = ["", "RunToken", f"RunToken {good}x", f"RunToken {other}", f"Token {good}", f"RunToken {key}"]
    for path in ADDRESSES:
        answers = [ask(run.id, path, authorization) for authorization in wrong]
        answers.append(ask(9_000_000, path, f"RunToken {good}"))
        assert {answer.status_code for answer in answers} == {401}, path
        assert len({answer.content for answer in answers}) == 1, path
    for path in ADDRESSES:
        assert ask(run.id, path, f"Bearer {key}").status_code == 401
        assert ask(run.id, path, f"Bearer {good}").status_code == 401
    monkeypatch.setattr(tokens, "LIFETIME", -1)
    assert with_token(run, "", token=good).status_code == 401
    assert remote.run().status == "running"


def test_another_method_and_a_report_without_end_are_refused_in_words(run: ETLRun) -> None:
    answer = ask(run.id, "end/", f"RunToken {token_of(run)}", method="put")
    assert (answer.status_code, answer["Allow"], answer.json()["error"]["advice"]) == (405, "POST", "Use POST.")
    answer = with_token(run, "used/", {"refusal": "x" * (5 * 1024 * 1024)})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


def test_a_run_token_opens_no_other_address(run: ETLRun) -> None:
    client = Client(raise_request_exception=False)
    for address in ("/api/models/", f"/api/etl/runs/{run.id}/status/", "/", "/operator/"):
        answer = client.get(address, headers={"Authorization": f"RunToken {token_of(run)}"})
        assert answer.status_code in (301, 302, 401, 403, 404), address


def test_a_token_of_another_organization_reaches_nothing(run: ETLRun) -> None:
    rival = make_shop("Rival")
    assert with_token(run, "", token=make_token(rival.id, run.id, 1)).status_code == 409


def test_progress_is_written_and_answers_whether_to_stop(remote: RemoteShop, run: ETLRun) -> None:
    lines = [{"at": "2026-03-01T12:00:00+00:00", "level": "info", "message": "from\u0000 afar"}]
    report = {"counters": {"rows_read": 7, "fraction": 0.5}, "stages": STAGES, "lines": lines}
    answer = with_token(run, "progress/", report)
    assert (answer.status_code, answer.json()) == (200, {"cancel_requested": False, "token": None})
    now = remote.run()
    assert (now.rows_read, now.fraction, now.stages[0]["detail"]) == (7, 0.5, "half")
    assert remote.lines()[-1] == "from\N{REPLACEMENT CHARACTER} afar"
    with scope(remote.id):
        ETLRun.objects.update(cancel_requested=True)
    assert with_token(run, "progress/", {"stages": STAGES}).json()["cancel_requested"] is True


def test_a_token_is_replaced_before_it_expires(run: ETLRun, monkeypatch: pytest.MonkeyPatch) -> None:
    old = token_of(run)
    monkeypatch.setattr(tokens.Permit, "is_ageing", property(lambda permit: True))
    fresh = with_token(run, "progress/", {"stages": STAGES}, token=old).json()["token"]
    assert fresh is not None
    permit = permit_of(f"RunToken {fresh}")
    assert permit is not None
    assert (permit.organization_id, permit.run_id, permit.attempt) == (run.organization_id, run.id, 1)


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("progress/", {"stages": STAGES, "counters": {"rows_read": -1}}, "counters.rows_read"),
        ("progress/", {"stages": STAGES, "counters": {"status": 1}}, "counters.status"),
        ("progress/", {"stages": [{"name": "read", "state": "won"}]}, "stages.0.state"),
        ("progress/", {}, "stages"),
        (
            "progress/",
            {"stages": STAGES, "lines": [{"at": "0001-01-01T00:00:00+20:00", "level": "info", "message": "x"}]},
            "lines.0.at",
        ),
        ("used/", {"refusal": "x" * 20_001}, "refusal"),
        ("end/", {"status": "running"}, "status"),
        ("end/", {"status": "completed", "organization_id": 1}, "organization_id"),
    ],
)
def test_a_report_that_cannot_be_read_changes_nothing(
    remote: RemoteShop, run: ETLRun, path: str, body: object, field: str
) -> None:
    answer = with_token(run, path, body)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)
    now = remote.run()
    assert (now.status, now.rows_read) == ("running", 0)


def test_an_attempt_that_was_taken_over_gets_nothing_and_writes_nothing(remote: RemoteShop, run: ETLRun) -> None:
    old = token_of(run)
    remote.begin(run)
    for path, body in (("", None), ("progress/", {"stages": STAGES}), ("used/", {}), ("end/", END)):
        answer = with_token(run, path, body, token=old)
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "fenced"), path
    now = remote.run()
    assert (now.status, now.attempt, now.stages[0]["state"]) == ("running", 2, "waiting")
    assert with_token(run, "", token=token_of(run, 2)).status_code == 200


def test_the_end_of_a_run_is_the_end_of_its_token(remote: RemoteShop, run: ETLRun) -> None:
    answer = with_token(run, "end/", END)
    assert (answer.status_code, answer.json()) == (200, {"again": False})
    ended = remote.run()
    assert (ended.status, ended.rows_loaded, ended.results) == ("completed", 3, {"changed": True})
    for path, body in (("", None), ("progress/", {"stages": STAGES}), ("used/", {}), ("end/", {"status": "failed"})):
        assert with_token(run, path, body).status_code == 409, path
    assert remote.run().status == "completed"


def test_a_passing_cause_says_that_the_run_is_tried_again(remote: RemoteShop, run: ETLRun) -> None:
    report = {"status": "failed", "error_code": "connection_lost", "error": "It broke.", "transient": True}
    assert with_token(run, "end/", report).json() == {"again": True}
    assert (remote.run().status, remote.run().next_attempt_at is not None) == ("pending", True)
    assert with_token(run, "progress/", {"stages": STAGES}).status_code == 409


def test_whether_the_source_let_the_runner_in_is_kept_on_the_connection(remote: RemoteShop, run: ETLRun) -> None:
    assert with_token(run, "used/", {"refusal": "The password was refused."}).status_code == 200
    with scope(remote.id):
        connection = Connection.objects.get(name="source")
    assert (connection.last_test_status, connection.last_test_message) == ("failed", "The password was refused.")


def test_a_connection_that_is_switched_off_is_refused_in_words(remote: RemoteShop, run: ETLRun) -> None:
    with scope(remote.id):
        Connection.objects.update(enabled=False)
    answer = with_token(run, "")
    assert answer.status_code == 422
    assert "switched off" in answer.json()["error"]["message"]


def test_cancelling_a_run_elsewhere_is_answered_to_its_next_report(remote: RemoteShop, run: ETLRun) -> None:
    from run_rows import begin

    begin("execute_etl_run", run.id)
    with scope(remote.id):
        cancel_run(remote.run())
    assert with_token(run, "progress/", {"stages": STAGES}).json()["cancel_requested"] is True
    assert with_token(run, "end/", {"status": "cancelled", "error_code": "cancelled"}).status_code == 200
    assert remote.run().status == "cancelled"
