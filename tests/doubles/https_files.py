"""An https server with files in memory, which redirects, changes, cuts off and lies as a test tells it."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from certificates import Authority


@dataclass
class Served:
    """One file; ``told`` is the length the server announces, ``sent`` how much it sends before it hangs up."""

    content: bytes
    status: int = 200
    location: str = ""
    tag: bool = True
    told: int | None = None
    sent: int | None = None
    head: bool = True


@dataclass
class HttpsFiles:
    """``files`` by path; ``asked`` lists method and path of every request."""

    hosts: tuple[str, ...] = ("files.test",)
    files: dict[str, Served] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.authority = Authority()
        self._server = _Server(("127.0.0.1", 0), type("Bound", (_Handler,), {"double": self}))
        self._server.socket = self.authority.server_context(*self.hosts).wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def address(self, path: str, host: str = "files.test") -> str:
        return f"https://{host}:{self.port}{path}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that does not like the certificate hangs up."""


class _Handler(BaseHTTPRequestHandler):
    double: HttpsFiles
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        self.double.asked.append((self.command, self.path))
        served = self.double.files.get(self.path.partition("?")[0], Served(b"", 404))
        status = 405 if not served.head and not body else served.status
        self.send_response(status)
        if served.location:
            self.send_header("Location", served.location)
        content = served.content if status == 200 else b""
        self.send_header("Content-Length", str(served.told if served.told is not None else len(content)))
        if served.tag:
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.end_headers()
        if body:
            self.wfile.write(content[: served.sent] if served.sent is not None else content)
        if served.sent is not None:
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Quiet."""
