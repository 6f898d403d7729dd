"""The worker's side of ``prepared``: does runs in copies of a waiting process and tells how each ended."""

from __future__ import annotations

import contextlib
import itertools
import json
import logging
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from b2b_recs.runtime.child import POLL_SECONDS, ChildEnd
from b2b_recs.runtime.process import end_with_parent

logger = logging.getLogger(__name__)
COMMAND = (sys.executable, "-m", "b2b_recs.cli.main", "job", "wait")
READY_SECONDS = 120.0
KILLED = -int(signal.SIGKILL)
# The number of a run and what is told of it.
Begun = tuple[int, "queue.SimpleQueue[dict[str, Any]]"]


class NotPrepared(Exception):
    """The waiting process did not come up, or ended before the run began: nothing was done."""


class PreparedRuns:
    """One waiting process, started anew when it is gone; safe to use from many threads."""

    def __init__(self, command: Sequence[str] = COMMAND, ready_seconds: float = READY_SECONDS) -> None:
        self._command, self._ready_seconds = list(command), ready_seconds
        self._lock = threading.Lock()
        self._process: _Process | None = None

    def run(
        self,
        what: Sequence[str | int],
        *,
        should_stop: Callable[[], bool] = lambda: False,
        stop_seconds: Callable[[], float] = lambda: 10.0,
    ) -> ChildEnd:
        """Have ``what`` done by a copy, wait for its end and return it. Raises NotPrepared before anything was done.

        When ``should_stop`` turns true its process group gets SIGTERM, and SIGKILL ``stop_seconds()`` later.
        """
        process = self.start()
        if not process.wait_ready(self._ready_seconds):
            raise NotPrepared("The process that prepares runs did not come up.")
        with process.begin(what) as begun:
            return _wait(process, begun, should_stop, stop_seconds)

    def start(self) -> _Process:
        """The waiting process, started when there is none; it may still be loading.

        The kernel ends it with the thread that started it: call it first from one that stays.
        """
        with self._lock:
            if self._process is None or self._process.gone.is_set():
                self.close()
                self._process = _Process(self._command)
            return self._process

    def close(self) -> None:
        """End the waiting process and every run it still has."""
        process, self._process = self._process, None
        if process is not None:
            process.close()


class _Process:
    """The waiting process and the runs that were asked of it."""

    def __init__(self, command: list[str]) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._child = subprocess.Popen(
                [*command, "--channel", str(theirs.fileno())], stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()], process_group=0, preexec_fn=end_with_parent(signal.SIGKILL),  # noqa: PLW1509
            )  # fmt: skip
        self._channel, self._sending = ours, threading.Lock()
        self._numbers = itertools.count(1)
        self._told: dict[int, queue.SimpleQueue[dict[str, Any]]] = {}
        self._loaded, self.gone = threading.Event(), threading.Event()
        self._reader = threading.Thread(target=self._read, name="prepared runs", daemon=True)
        self._reader.start()

    def wait_ready(self, seconds: float) -> bool:
        """Whether it waits for runs; asked for until it is so, it is gone, or the seconds have passed."""
        until = time.monotonic() + seconds
        while not self._loaded.wait(POLL_SECONDS):
            if self.gone.is_set() or time.monotonic() > until:
                return False
        return not self.gone.is_set()

    @contextlib.contextmanager
    def begin(self, what: Sequence[str | int]) -> Iterator[Begun]:
        """Ask for a run; gives its number and the queue of what is told of it. Raises NotPrepared."""
        number = next(self._numbers)
        told = self._told[number] = queue.SimpleQueue()
        try:
            self.ask(run=number, start=list(what))
            yield number, told
        finally:
            # however this side ends, the run does not go on without it
            with contextlib.suppress(NotPrepared):
                self.ask(run=number, signal=int(signal.SIGKILL))
            del self._told[number]

    def ask(self, **words: Any) -> None:
        """Send one line. Raises NotPrepared when the process is gone."""
        try:
            with self._sending:
                self._channel.sendall(json.dumps(words).encode() + b"\n")
        except OSError as error:
            raise NotPrepared("The process that prepares runs is gone.") from error

    def _read(self) -> None:
        """Hand on what is told, until the process is gone; then every run it had was killed with it."""
        with contextlib.suppress(OSError), self._channel.makefile("rb") as lines:
            for line in lines:
                words = json.loads(line)
                if "ready" in words:
                    self._loaded.set()
                elif (told := self._told.get(words["run"])) is not None:
                    told.put(words)
        self._child.wait()
        self.gone.set()
        for told in list(self._told.values()):
            told.put({"ended": KILLED})

    def close(self) -> None:
        """Hang up, at which it ends with all its copies."""
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)
        self._reader.join()
        self._channel.close()


def _wait(
    process: _Process,
    begun: Begun,
    should_stop: Callable[[], bool],
    stop_seconds: Callable[[], float],
) -> ChildEnd:
    """Wait until the run ended, asking it to stop when that is wished."""
    number, told = begun
    asked_at: float | None = None
    while True:
        with contextlib.suppress(queue.Empty):
            words = told.get(timeout=POLL_SECONDS)
            if "ended" in words:
                return ChildEnd(int(words["ended"]), asked_at is not None)
        with contextlib.suppress(NotPrepared):  # then its end is told in a moment
            if asked_at is None and should_stop():
                asked_at = time.monotonic()
                process.ask(run=number, signal=int(signal.SIGTERM))
            elif asked_at is not None and time.monotonic() - asked_at > stop_seconds():
                process.ask(run=number, signal=int(signal.SIGKILL))
