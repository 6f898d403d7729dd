"""Several sessions of one snapshot reading segments at the same time."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from b2b_recs.engine.errors import Cancelled, EngineError
from b2b_recs.engine.etl.journal import Staged
from b2b_recs.engine.sources.contract import ReadRequest, Source

_PAUSE_SECONDS = 0.1

Segment = tuple[int, ReadRequest]
ReadSegment = Callable[[Source, int, ReadRequest, Callable[[], bool]], Iterator[Staged]]


def read_beside(
    source: Source, sessions: int, left: deque[Segment], read: ReadSegment, pause: Callable[[], None]
) -> Iterator[Staged]:
    """The finished files of the segments in ``left``, in no order, read by ``sessions`` threads with a session each.

    ``pause`` is called in the caller's thread while it waits and may raise; then, as after an error of one thread,
    all of them stop before this ends. The first session is ``source`` itself; where no other can be opened, it reads
    everything.
    """
    with ExitStack() as stack:
        readers = [source, *_beside(source, min(sessions, len(left)) - 1, stack)]
        pool = stack.enter_context(ThreadPoolExecutor(len(readers), thread_name_prefix="read"))
        crew = _Crew(left, read)
        stack.callback(crew.stop.set)
        for reader in readers:
            pool.submit(crew.work, reader)
        ended = 0
        while ended < len(readers):
            pause()
            try:
                item = crew.done.get(timeout=_PAUSE_SECONDS)
            except queue.Empty:
                continue
            if isinstance(item, BaseException):
                raise item
            if item is None:
                ended += 1
            else:
                yield item


def _beside(source: Source, count: int, stack: ExitStack) -> list[Source]:
    """Up to ``count`` more sessions; fewer when the source has no room for them."""
    found: list[Source] = []
    for _ in range(count):
        try:
            found.append(stack.enter_context(source.beside()))
        except EngineError:
            break
    return found


class _Crew:
    """The threads' common work: segments to take, and what came of them. None in ``done`` is the end of one thread."""

    def __init__(self, left: deque[Segment], read: ReadSegment) -> None:
        self.done: queue.SimpleQueue[Staged | BaseException | None] = queue.SimpleQueue()
        self.stop = threading.Event()
        self._left = left
        self._read = read

    def work(self, source: Source) -> None:
        """Take one segment after the other until none is left, one fails, or all are told to stop."""
        try:
            while not self.stop.is_set():
                try:
                    number, request = self._left.popleft()
                except IndexError:
                    break
                for item in self._read(source, number, request, self.stop.is_set):
                    self.done.put(item)
        except Cancelled as cancelled:
            if not self.stop.is_set():
                self.done.put(cancelled)
            return
        except BaseException as error:
            self.done.put(error)
            return
        self.done.put(None)
