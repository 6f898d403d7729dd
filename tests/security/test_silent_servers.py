"""Servers that say nothing, hang up, or say nonsense: each ends in words, within a bound, and gets no password."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from b2b_recs.engine import errors
from b2b_recs.engine.sources.mongodb import connection as mongodb
from b2b_recs.engine.sources.mysql import connection as mysql
from b2b_recs.engine.sources.oracle import connection as oracle
from b2b_recs.engine.sources.postgresql import connection as postgresql
from b2b_recs.engine.sources.registry import open_source
from b2b_recs.engine.sources.sftp import session as sftp
from b2b_recs.engine.sources.sqlserver import connection as sqlserver

# The shortest that every driver's own clock can tell; some take whole seconds, and one takes half of it.
SECONDS = 2
BOUND = 8.0
PASSWORD = "canary-of-the-silent"
# Whoever dials a host and port itself, and what it asks for besides host, port, user name and password.
TYPES: dict[str, dict[str, str]] = {
    "postgresql": {"database": "shop"},
    "redshift": {"database": "shop"},
    "mysql": {"database": "shop"},
    "mariadb": {"database": "shop"},
    "sqlserver": {"database": "shop"},
    "oracle": {"service_name": "SHOP"},
    "mongodb": {"database": "shop"},
    "sftp": {"format": "csv"},
}
BEHAVIOURS = ("silent", "hanging up", "nonsense")
PLAIN = [(type, behaviour, False) for type in TYPES if type != "sftp" for behaviour in BEHAVIOURS]
# In silence only those differ that begin an encryption before anything else.
ENCRYPTED = [
    (type, behaviour, True)
    for type in TYPES
    for behaviour in BEHAVIOURS
    if behaviour != "silent" or type in ("oracle", "mongodb", "sftp")
]
CASES = PLAIN + ENCRYPTED
NONSENSE = b"\x00\x7f\xffnothing of the kind\r\n" * 40


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (mongodb, mysql, oracle, postgresql, sftp, sqlserver):
        monkeypatch.setattr(module, "CONNECT_SECONDS", SECONDS)
    monkeypatch.setattr(mongodb, "QUESTION_SECONDS", SECONDS)
    monkeypatch.setattr(mysql, "QUESTION_SECONDS", SECONDS)
    monkeypatch.setattr(sftp, "LOGIN_SECONDS", SECONDS)


@contextlib.contextmanager
def server(behaviour: str, heard: list[bytes]) -> Iterator[int]:
    """The port of a server that takes every connection and misbehaves; ``heard`` is what it was sent."""
    ends: list[socket.socket] = []

    def treat(end: socket.socket) -> None:
        with contextlib.suppress(OSError), end:
            if behaviour == "nonsense":
                end.sendall(NONSENSE)
                end.shutdown(socket.SHUT_WR)
            while behaviour != "hanging up" and (piece := end.recv(65536)):
                heard.append(piece)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                ends.append(listener.accept()[0])
                threading.Thread(target=treat, args=(ends[-1],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)
    for end in ends:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(("type", "behaviour", "encrypted"), CASES)
def test_a_server_without_an_answer_ends_in_words_within_a_bound(type: str, behaviour: str, encrypted: bool) -> None:
    asked: dict[str, Any] = {"host": "quiet.example", "username": "reader", "password": PASSWORD, **TYPES[type]}
    if type != "sftp":
        asked["ssl_mode"] = "require" if encrypted else "disable"
    heard: list[bytes] = []
    with server(behaviour, heard) as port:
        started = time.monotonic()
        with pytest.raises(errors.EngineError) as caught:
            open_source(type, {**asked, "port": port}, lambda host, port: "127.0.0.1").check()
        assert time.monotonic() - started < BOUND
    error = caught.value
    assert error.advice and error.field in ("host", "ssl_mode"), str(error)
    assert isinstance(error, errors.SourceRefused | errors.SourceTimeout)
    for raw in ("_ssl", "[SSL", "Traceback", "DPY-", "errno", "Errno", PASSWORD):
        assert raw not in str(error)
    assert PASSWORD.encode() not in b"".join(heard)
