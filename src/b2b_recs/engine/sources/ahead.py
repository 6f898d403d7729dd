"""Reading ahead: the driver works in its own thread, so that source and warehouse are busy at once."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from b2b_recs.engine.errors import Cancelled
from b2b_recs.engine.sources.contract import Batch, ReadRequest

# Batches that may wait for the reader; with the one being made and the one in use, four are in memory.
_AHEAD = 2
_POLL_SECONDS = 0.2
# How long a driver may go on that cannot be made to give up; then it is left to itself.
LEFT_SECONDS = 8.0


def read_ahead(
    produce: Callable[[], Iterator[Batch]],
    request: ReadRequest,
    cancelled: Callable[[], bool],
    interrupt: Callable[[], None] = lambda: None,
) -> Iterator[Batch]:
    """The batches of ``produce``, which runs in a thread of its own and raises the engine's errors.

    ``interrupt`` makes a driver that waits give up; it is called again and again until the thread has ended, so that
    however this ends, nothing of the read goes on behind it. Only a driver that waits for a server that hangs, and
    cannot be interrupted, is left behind after a while; its rows go nowhere. Raises Cancelled when asked to stop.
    """
    worker = _Worker(produce, f"{request.schema}.{request.table}")
    worker.start()
    try:
        while True:
            if cancelled():
                raise Cancelled(f"Reading {request.schema}.{request.table} was stopped.".replace(" .", " "))
            try:
                item = worker.done.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                continue
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        worker.stop(interrupt)


class _Worker(threading.Thread):
    """Runs the producer and puts its batches, then None or the error, into ``done``."""

    def __init__(self, produce: Callable[[], Iterator[Batch]], subject: str) -> None:
        super().__init__(name=f"read {subject}", daemon=True)
        self.done: queue.Queue[Batch | BaseException | None] = queue.Queue(maxsize=_AHEAD)
        self._produce = produce
        self._stopping = threading.Event()

    def run(self) -> None:
        """Read until the end, an error, or a stop."""
        last: BaseException | None = None
        try:
            for batch in self._produce():
                if not self._put(batch):
                    break
        except BaseException as error:
            last = error
        self._put(last)

    def stop(self, interrupt: Callable[[], None]) -> None:
        """End the producer and the thread."""
        self._stopping.set()
        until = time.monotonic() + LEFT_SECONDS
        while self.is_alive() and time.monotonic() < until:
            # Asked again and again: the statement may not have begun when first asked.
            with suppress(Exception):
                interrupt()
            self.join(timeout=0.05)

    def _put(self, item: Batch | BaseException | None) -> bool:
        while not self._stopping.is_set():
            try:
                self.done.put(item, timeout=_POLL_SECONDS)
                return True
            except queue.Full:
                continue
        return False
