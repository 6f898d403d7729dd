"""Ending a statement that waits for its server: the server is asked first; one that does not answer is hung up on."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

# How long a server may take to end a statement, or a session, that it is asked to end.
PATIENCE_SECONDS = 2.0
_AGAIN_SECONDS = 0.2


class Interruption:
    """Called again and again until the statement has ended, from another thread than the one that waits.

    ``ask`` may itself wait for the server, so it runs beside; ``hang_up`` ends the session's connection at once.
    """

    def __init__(self, ask: Callable[[], object], hang_up: Callable[[], object]) -> None:
        self._ask, self._hang_up = ask, hang_up
        self._asking: threading.Thread | None = None
        self._until: float | None = None

    def __call__(self) -> None:
        """Ask the server to end the statement, or end the connection when it was asked long ago."""
        if self._until is None:
            self._until = time.monotonic() + PATIENCE_SECONDS
        if time.monotonic() > self._until:
            self._hang_up()
        elif self._asking is None or not self._asking.is_alive():
            self._asking = threading.Thread(target=self._ask_once, name="interrupt", daemon=True)
            self._asking.start()
            # Most servers are quick, and then nothing is left running behind the read.
            self._asking.join(PATIENCE_SECONDS / 4)

    def _ask_once(self) -> None:
        with suppress(Exception):
            self._ask()


@contextmanager
def patiently(hang_up: Callable[[], object]) -> Iterator[None]:
    """Hangs up, again and again, once what is done meanwhile has waited for its server too long."""
    done = threading.Event()

    def watch() -> None:
        late = not done.wait(PATIENCE_SECONDS)
        while late:
            with suppress(Exception):
                hang_up()
            late = not done.wait(_AGAIN_SECONDS)

    watching = threading.Thread(target=watch, name="hang up", daemon=True)
    watching.start()
    try:
        yield
    finally:
        done.set()
        watching.join()


def hang_up(line: socket.socket | None) -> None:
    """End a connection under whatever waits for it; nothing for None, or for one that has ended."""
    if line is not None:
        with suppress(OSError):
            socket.socket.shutdown(line, socket.SHUT_RDWR)
