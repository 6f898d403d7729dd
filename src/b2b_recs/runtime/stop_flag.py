"""A flag that a signal handler may raise at any instant."""

from __future__ import annotations

import contextlib
import os
import select


class StopFlag:
    """Like ``threading.Event``, which must not be set by a signal handler: should the signal come while the main
    thread enters or leaves ``wait``, it holds the event's lock, and the handler would wait for it for ever.

    Here nothing is locked: a byte in a pipe wakes whoever waits, and it is never taken out.
    """

    def __init__(self) -> None:
        self._raised = False
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)

    def is_set(self) -> bool:
        """Whether it was raised."""
        return self._raised

    def set(self) -> None:
        """Raise it for good."""
        self._raised = True
        with contextlib.suppress(BlockingIOError):
            os.write(self._writer, b"!")

    def wait(self, timeout: float | None = None) -> bool:
        """Whether it is raised, after at most ``timeout`` seconds of waiting for it."""
        if not self._raised:
            select.select([self._reader], [], [], timeout)
        return self._raised

    def __del__(self) -> None:
        with contextlib.suppress(OSError, AttributeError):
            os.close(self._reader)
            os.close(self._writer)
