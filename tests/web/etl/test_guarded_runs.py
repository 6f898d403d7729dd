"""The guard is asked by the run itself: what was saved, tested or changed before makes no difference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from remote_shop import ROWS, RemoteShop, make_remote_shop
from web_support import TestDatabase

from b2b_recs.runtime.guard import OutgoingGuard, allowed_networks
from b2b_recs.web.connections.models import Connection
from b2b_recs.web.etl import execution
from b2b_recs.web.etl.execution import execute
from b2b_recs.web.etl.services import start_run
from b2b_recs.web.tenancy import scope

ALLOW = {"B2B_RECS_ALLOW_ADDRESSES": "127.0.0.0/8"}


@pytest.fixture
def remote(platform_database: TestDatabase, postgres_server: Any) -> Iterator[RemoteShop]:
    yield make_remote_shop(postgres_server, "guarded_source")
    postgres_server.drop_database("guarded_source")


def guarded(monkeypatch: pytest.MonkeyPatch, **settings: Any) -> None:
    monkeypatch.setattr(execution, "guard", lambda: OutgoingGuard(**settings))


def copy(remote: RemoteShop) -> Any:
    with scope(remote.id):
        run = start_run(remote.shop.jobs[0])
    assert execute(remote.id, run.id) == 0
    return remote.run()


def test_a_host_changed_by_update_is_refused_by_the_run_and_reads_as_advice(
    remote: RemoteShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    guarded(monkeypatch, enabled=True)
    with scope(remote.id):  # as it would be after a passed test of another host
        Connection.objects.filter(name="source").update(last_test_status="passed")
    ended = copy(remote)
    assert (ended.status, ended.error_code, ended.attempt) == ("failed", "address_forbidden", 1)
    assert ended.error == "The address of 127.0.0.1 is not public and may not be reached from here."
    assert ended.advice == "Use a public address, or ask the operator of this installation to allow it."
    assert f"{ended.error} {ended.advice}" in remote.lines()
    assert remote.loaded() == []
    with scope(remote.id):
        connection = Connection.objects.get(name="source")
    assert (connection.last_test_status, connection.last_test_message) == ("failed", f"{ended.error} {ended.advice}")


def test_what_the_operator_allows_is_copied(remote: RemoteShop, monkeypatch: pytest.MonkeyPatch) -> None:
    guarded(monkeypatch, enabled=True, allowed=allowed_networks(ALLOW))
    assert copy(remote).status == "completed"
    assert remote.loaded() == ROWS


def test_our_own_database_is_refused_by_the_run_whatever_is_allowed(
    remote: RemoteShop, monkeypatch: pytest.MonkeyPatch, postgres_server: Any
) -> None:
    guarded(monkeypatch, enabled=False, allowed=allowed_networks(ALLOW), own=[("127.0.0.1", postgres_server.port)])
    ended = copy(remote)
    assert (ended.status, ended.error_code) == ("failed", "address_forbidden")
    assert "is the database of this installation itself" in ended.error
    assert ended.advice == "Name the database your data comes from."


def test_a_name_that_turns_inside_between_two_runs_is_refused_by_the_second(
    remote: RemoteShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scope(remote.id):
        connection = Connection.objects.get(name="source")
        connection.parameters = {**connection.parameters, "host": "shop.example.com"}
        connection.save()
    answers = {"now": ["127.0.0.1"]}
    allowed = allowed_networks({"B2B_RECS_ALLOW_ADDRESSES": "127.0.0.1"})
    guarded(monkeypatch, enabled=True, allowed=allowed, resolve=lambda host, port: answers["now"])
    assert copy(remote).status == "completed"
    answers["now"] = ["127.0.0.1", "10.0.0.1"]
    assert (copy(remote).status, remote.run().error_code) == ("failed", "address_forbidden")
    assert remote.loaded() == ROWS
