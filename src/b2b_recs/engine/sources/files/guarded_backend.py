"""The network under the HTTP library: dialled where the guard said, hurried, and ended by another thread when asked."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
import weakref
from collections.abc import Iterable
from typing import Any

import httpcore

from b2b_recs.engine.sources.contract import Dialer
from b2b_recs.engine.sources.files.hurry import HurriedStream, Hurry

CONNECT_SECONDS = 10.0


class GuardedBackend(httpcore.NetworkBackend):
    """Connects to the address that the guard gives for a host, at the moment of connecting."""

    def __init__(self, dial: Dialer, hurry: Hurry) -> None:
        self._dial = dial
        self._hurry = hurry
        self._plain = httpcore.SyncBackend()
        self._open: weakref.WeakSet[_Stream] = weakref.WeakSet()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to the checked address; the name stays for TLS to verify."""
        address = str(ipaddress.ip_address(self._dial(host, port)))
        seconds = self._hurry.left(timeout or CONNECT_SECONDS)
        stream = self._plain.connect_tcp(address, port, seconds, local_address, socket_options)
        return _Stream(HurriedStream(stream, self._hurry), self._open)

    def connect_unix_socket(self, path: str, *_: Any, **__: Any) -> httpcore.NetworkStream:
        """Never: no address means a socket."""
        raise httpcore.ConnectError("no sockets")

    def sleep(self, seconds: float) -> None:
        """Wait as the library asks."""
        self._plain.sleep(seconds)

    def interrupt(self) -> None:
        """End every connection, so that whoever waits for one gives up at once."""
        for stream in list(self._open):
            stream.interrupt()


class _Stream(httpcore.NetworkStream):
    """A connection that another thread can end, which closing does not do to a thread that waits."""

    def __init__(self, stream: httpcore.NetworkStream, opened: weakref.WeakSet[_Stream]) -> None:
        self._stream = stream
        self._opened = opened
        opened.add(self)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        self._opened.discard(self)
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        self._opened.discard(self)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, timeout), self._opened)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def interrupt(self) -> None:
        """End the connection both ways."""
        with contextlib.suppress(OSError):
            self._stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
