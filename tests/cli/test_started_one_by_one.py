"""Commands find processes that were started one by one, as containers are, and not by ``b2b-recs up``."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from b2b_recs.cli import apart
from b2b_recs.cli.apart import work_apart
from b2b_recs.runtime.home import Home

SECRET = "kq8Zr1vW0nB5xT7mY3pL9sD2fG6hJ4cA"


@pytest.fixture
def home(tmp_path: Path, postgres_server: Any, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home whose control database is elsewhere and knows of no worker."""
    url = postgres_server.create_database("apart")
    postgres_server.execute("CREATE TABLE procrastinate_workers (last_heartbeat timestamptz)", "apart")
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("B2B_RECS_SECRET_KEY", SECRET)
    # the application's roles belong to the whole server, which other tests share
    monkeypatch.setattr(apart.ControlDatabase, "current", lambda *_: SimpleNamespace(worker=url))
    return Home(tmp_path)


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Something that answers /health where the endpoint is said to be; no model is deployed yet."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(503 if self.path == "/health" else 500)
            self.end_headers()

        def log_message(self, *words: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("B2B_RECS_SERVING_URL", f"http://127.0.0.1:{server.server_port}")
    yield
    server.shutdown()
    server.server_close()


def test_a_worker_is_found_by_its_heartbeat_only_while_it_is_fresh(home: Home, postgres_server: Any) -> None:
    assert not work_apart(home, worker=True, serving=False)
    postgres_server.execute("INSERT INTO procrastinate_workers VALUES (now() - interval '10 minutes')", "apart")
    assert not work_apart(home, worker=True, serving=False)
    postgres_server.execute("INSERT INTO procrastinate_workers VALUES (now())", "apart")
    assert work_apart(home, worker=True, serving=False)


def test_an_endpoint_that_answers_is_used(home: Home, endpoint: None) -> None:
    assert work_apart(home, worker=False, serving=True)


def test_an_endpoint_that_is_not_there_is_not_used(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("B2B_RECS_SERVING_URL", "http://127.0.0.1:1")
    assert not work_apart(home, worker=False, serving=True)


def test_a_database_without_the_tables_has_no_worker(home: Home, postgres_server: Any) -> None:
    postgres_server.execute("DROP TABLE procrastinate_workers", "apart")
    assert not work_apart(home, worker=True, serving=False)


def test_the_embedded_database_is_never_looked_into(
    home: Home, endpoint: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL")
    assert not work_apart(home, worker=False, serving=True)
