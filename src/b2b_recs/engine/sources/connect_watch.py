"""A watch over the addresses a driver dials by itself, such as those a server sends it on to."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Self

Check = Callable[[str, int], object]
Tell = Callable[[socket.socket], object]

_here = threading.local()
_installing = threading.Lock()
_installed = False


@contextmanager
def watched(check: Check, tell: Tell | None = None) -> Iterator[None]:
    """While this lasts, ``check(address, port)`` is asked before this thread connects a socket.

    What it raises forbids the connection. ``tell`` is then handed the socket.
    Python's own sockets only: a driver with a network of its own is not seen.
    """
    _install()
    before = getattr(_here, "check", None), getattr(_here, "tell", None)
    _here.check, _here.tell = check, tell
    try:
        yield
    finally:
        _here.check, _here.tell = before


class Deadline:
    """Cuts every socket it was told of when the block takes longer than ``seconds``, and forbids further ones."""

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self._ends: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def tell(self, end: socket.socket) -> None:
        """Keep an eye on a socket. Raises TimeoutError when the time is over."""
        with self._lock:
            if self.passed:
                raise TimeoutError
            # A copy, because encryption takes the socket itself away from its first owner.
            self._ends.append(end.dup())

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            for end in self._ends:
                end.close()
            self._ends.clear()

    def _cut(self) -> None:
        with self._lock:
            self.passed = True
            for end in self._ends:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)


def _install() -> None:
    global _installed  # noqa: PLW0603 - a hook of the interpreter is there once, for good
    with _installing:
        if not _installed:
            sys.addaudithook(_asked)
            _installed = True


def _asked(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "socket.connect":
        return
    check = getattr(_here, "check", None)
    address = arguments[1]
    if check is None or not isinstance(address, tuple):
        return
    _here.check = None  # the check itself may ask a name server
    try:
        check(str(address[0]), int(address[1]))
        if _here.tell is not None:
            _here.tell(arguments[0])
    finally:
        _here.check = check
