"""Servers and clients at the two ends of the guarded proxy."""

from __future__ import annotations

import base64
import socket
import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from b2b_recs.engine import errors
from b2b_recs.engine.sources.proxy import GuardedProxy


class Server:
    """A TCP server on this machine whose every connection is handled by one function."""

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self.accepted = 0
        self._serve = serve
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self._handle, args=(link,), daemon=True).start()

    def _handle(self, link: socket.socket) -> None:
        with link:
            try:
                self._serve(link)
            except OSError:
                return

    def close(self) -> None:
        self._listener.close()


class Asked:
    """A dialer that answers this machine for every name and keeps what it was asked."""

    def __init__(self) -> None:
        self.questions: list[tuple[str, int]] = []

    def __call__(self, host: str, port: int) -> str:
        self.questions.append((host, port))
        return "127.0.0.1"


def refusing(host: str, port: int) -> str:
    raise errors.AddressForbidden(f"The address of {host} is not public.", field="host")


def echo(link: socket.socket) -> None:
    while piece := link.recv(65536):
        link.sendall(piece)


def all_of(link: socket.socket) -> bytes:
    pieces = []
    while piece := link.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


def request_to(proxy: GuardedProxy, head: str, *, credential: bool = True, body: bytes = b"") -> socket.socket:
    """A connection to the proxy on which a head was sent."""
    link = socket.create_connection(("127.0.0.1", proxy.port), timeout=10)
    if credential:
        parts = urlsplit(proxy.url)
        word = base64.b64encode(f"{parts.username}:{parts.password}".encode()).decode()
        head += f"\r\nProxy-Authorization: Basic {word}"
    link.sendall(head.encode() + b"\r\n\r\n" + body)
    return link


def head_of(link: socket.socket) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        piece = link.recv(1)
        if not piece:
            break
        head += piece
    return head


def eventually(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until and not condition():
        time.sleep(0.01)
    return condition()
