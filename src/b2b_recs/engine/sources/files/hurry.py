"""The moment by which a place has to have answered: a test of a connection waits so long and no longer."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpcore

# How long a test may take, connecting, signing in and listing together.
CHECK_SECONDS = 14.0
# What is left once the time is over: enough for a system call to say so.
_LEAST = 0.001
_FOR_EVER = 86_400.0


class Hurry:
    """Seconds that every step of a session may take: as many as it asks for, fewer while a test is under way."""

    def __init__(self) -> None:
        self._until: float | None = None

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """While this lasts, all steps together end after so many seconds."""
        self._until = time.monotonic() + seconds
        try:
            yield
        finally:
            self._until = None

    def left(self, seconds: float) -> float:
        """How long a step may take that asks for ``seconds``; never nothing, which would mean for ever."""
        if self._until is None:
            return seconds
        return max(_LEAST, min(seconds, self._until - time.monotonic()))

    def allows(self, pause: float) -> bool:
        """Whether there is time for another try after a pause."""
        return self._until is None or self._until - time.monotonic() > pause


class HurriedStream(httpcore.NetworkStream):
    """A connection whose steps take no longer than the hurry leaves them."""

    def __init__(self, stream: httpcore.NetworkStream, hurry: Hurry) -> None:
        self._stream = stream
        self._hurry = hurry

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._hurry.left(timeout or _FOR_EVER))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._hurry.left(timeout or _FOR_EVER))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        seconds = self._hurry.left(timeout or _FOR_EVER)
        return HurriedStream(self._stream.start_tls(ssl_context, server_hostname, seconds), self._hurry)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
