"""A watch over the addresses a driver dials by itself, such as those a server sends it on to."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Check = Callable[[str, int], object]

_here = threading.local()
_installing = threading.Lock()
_installed = False


@contextmanager
def watched(check: Check) -> Iterator[None]:
    """While this lasts, ``check(address, port)`` is asked before this thread connects a socket.

    What it raises forbids the connection. Python's own sockets only: a driver with a network of its own is not seen.
    """
    _install()
    before = getattr(_here, "check", None)
    _here.check = check
    try:
        yield
    finally:
        _here.check = before


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
    finally:
        _here.check = check
