"""The relay before a SQL Server: it carries, holds back, and lets go at once whatever waits."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from b2b_recs.engine.sources.sqlserver.relay import Relay


@contextlib.contextmanager
def joined() -> Iterator[tuple[Relay, socket.socket, socket.socket]]:
    """A relay with the client's and the server's end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        relay = Relay("127.0.0.1", listener.getsockname()[1], 5)
        server, _ = listener.accept()
        with server, socket.create_connection(("127.0.0.1", relay.port), timeout=10) as client:
            server.settimeout(10)
            yield relay, client, server
        relay.cut()
    for thread in threading.enumerate():
        if thread.name == "sqlserver relay":
            thread.join(10)
            assert not thread.is_alive(), "the process that carries is still there"


def test_what_either_side_says_arrives_at_the_other() -> None:
    with joined() as (_, client, server):
        client.sendall(b"who is there")
        assert server.recv(100) == b"who is there"
        sender = threading.Thread(target=server.sendall, args=(b"x" * 5_000_000,))
        sender.start()
        taken = 0
        while taken < 5_000_000:
            taken += len(client.recv(1 << 20))
        sender.join(10)
        server.close()
        assert client.recv(1) == b""


def test_nobody_else_is_let_in() -> None:
    with joined() as (relay, client, server):
        client.sendall(b"first")
        assert server.recv(100) == b"first"
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", relay.port), timeout=1)


def test_a_server_that_cannot_get_rid_of_its_answer_is_let_go_at_once() -> None:
    with joined() as (relay, client, server):

        def send() -> None:
            with contextlib.suppress(OSError):
                server.sendall(b"x" * 20_000_000)

        sender = threading.Thread(target=send)
        sender.start()
        assert client.recv(1) == b"x"
        started = time.monotonic()
        relay.cut()
        relay.cut()
        sender.join(10)
        assert not sender.is_alive() and time.monotonic() - started < 5
        with contextlib.suppress(ConnectionResetError):
            while client.recv(1 << 20):
                pass
