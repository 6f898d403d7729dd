"""Bytes between the driver and the server through a socket of ours, so that we dial and can always let go.

The driver's own way to give up waits for a lock that the thread which reads may hold. A cut connection needs no lock,
and the server ends what it does for a client that is gone.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading

_LOCAL = "127.0.0.1"
_PIECE = 256 * 1024


class Relay:
    """One connection to ``address``, offered once at ``port`` of this machine's own address. Raises OSError."""

    def __init__(self, address: str, port: int, seconds: float) -> None:
        family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
        self._server = socket.socket(family, socket.SOCK_STREAM)
        self._client: socket.socket | None = None
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._cut = False
        try:
            self._server.settimeout(seconds)
            self._server.connect((address, port))
            self._server.settimeout(None)
            _prepare(self._server)
            self._listener.bind((_LOCAL, 0))
            self._listener.listen(1)
            self._listener.settimeout(seconds)
        except OSError:
            self._server.close()
            self._listener.close()
            raise
        self.port = int(self._listener.getsockname()[1])
        self._start(self._serve)

    def cut(self) -> None:
        """End the connection on both sides, from any thread; safe to call twice."""
        self._cut = True
        for end in (self._server, self._client, self._listener):
            if end is not None:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        """Take the one client, let nobody else in, and carry until both sides are done."""
        try:
            with self._listener:
                self._client, _ = self._listener.accept()
            self._client.settimeout(None)
            _prepare(self._client)
            if not self._cut:
                back = self._start(self._carry, self._client, self._server)
                self._carry(self._server, self._client)
                back.join()
        except OSError:
            pass
        finally:
            self._server.close()
            if self._client is not None:
                self._client.close()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        piece = bytearray(_PIECE)
        view = memoryview(piece)
        with contextlib.suppress(OSError):
            while count := source.recv_into(view):
                target.sendall(view[:count])
        # Whichever side ends, the other is told.
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def _start(work: object, *arguments: object) -> threading.Thread:
        thread = threading.Thread(target=work, args=arguments, name="sqlserver relay", daemon=True)  # type: ignore[arg-type]
        thread.start()
        return thread


def _prepare(end: socket.socket) -> None:
    """Send small packets at once, and notice within minutes an end that is gone without a word."""
    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    end.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, option):
            end.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
