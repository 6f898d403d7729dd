"""A process that has loaded everything a run needs and waits: each run is done by a copy of it.

Loading takes 2 to 3 s of a processor, a copy some hundredths of one. The copies are children of the waiting process,
which is a child of the worker; with one of them the kernel ends what hangs on it, so none outlives the worker.
This file is the waiting process's side; ``prepared_runs`` is the worker's.

They speak over a socket in lines of JSON. Asked, with the number of a run: ``start`` with what to do, and ``signal``.
Told: ``ready``, ``started``, ``ended`` (with the exit code, negative for a signal, as ``subprocess`` has it).
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import sys
import traceback
import warnings
from collections.abc import Callable
from typing import Any, NoReturn

from b2b_recs.runtime.process import end_with_parent, signal_group

Work = Callable[[list[Any]], int]


def serve(channel: socket.socket, work: Work) -> int:
    """Wait for runs until the other side is gone; call from the main thread of a process without other threads.

    Returns 0 then. In each copy ``work`` is called with what was asked for; what it returns is the copy's exit code.
    """
    waiting = _Waiting(channel)
    gc.freeze()  # what is loaded is not looked through again in each copy, which would copy its memory
    waiting.tell(ready=True)
    while (asked := waiting.next()) is not None:
        if "signal" in asked:
            waiting.signal(int(asked["run"]), int(asked["signal"]))
        elif waiting.start(int(asked["run"])):
            _do(work, list(asked["start"]))
    gc.unfreeze()  # libraries that count what is left at the end would report all of it
    return 0


def _do(work: Work, what: list[Any]) -> NoReturn:
    """Do the run and end this copy, without taking apart all that was loaded: that costs more than many a run."""
    code = 1
    try:
        code = work(what)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(bool(end.code))
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)


class _Waiting:
    """The waiting process: its copies by the numbers of their runs, and what it has read of the next line."""

    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self.copies: dict[int, int] = {}
        self.unread = b""
        self.heard, self.woken = os.pipe()
        os.set_blocking(self.heard, False)
        os.set_blocking(self.woken, False)
        signal.set_wakeup_fd(self.woken, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)

    def tell(self, **words: Any) -> None:
        """Send one line; a worker that is gone hears nothing."""
        with contextlib.suppress(OSError):
            self.channel.sendall(json.dumps(words).encode() + b"\n")

    def next(self) -> dict[str, Any] | None:
        """The next line asked, None when the other side is gone; meanwhile copies that ended are told."""
        while b"\n" not in self.unread:
            readable, _, _ = select.select([self.channel, self.heard], [], [])
            if self.heard in readable:
                os.read(self.heard, 4096)
                self.collect()
            if self.channel in readable:
                part = self.channel.recv(65536)
                if not part:
                    self.end_all()
                    return None
                self.unread += part
        line, _, self.unread = self.unread.partition(b"\n")
        asked: dict[str, Any] = json.loads(line)
        return asked

    def start(self, run: int) -> bool:
        """Make a copy for the run; True in the copy."""
        end_with_me = end_with_parent(signal.SIGKILL)
        with warnings.catch_warnings():
            # the threads of a numeric library's pool, which it ends and makes anew around a fork
            warnings.simplefilter("ignore", DeprecationWarning)
            try:
                pid = os.fork()
            except OSError:
                # Without memory or a place for one more process; those that run must not end with this one.
                self.tell(run=run, ended=-int(signal.SIGKILL))
                return False
        if pid:
            with contextlib.suppress(OSError):
                os.setpgid(pid, pid)
            self.copies[run] = pid
            self.tell(run=run, started=pid)
            return False
        os.setpgid(0, 0)
        if end_with_me is not None:
            end_with_me()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self.channel.close()
        os.close(self.heard)
        os.close(self.woken)
        return True

    def signal(self, run: int, number: int) -> None:
        """Signal the group of a run that has not ended."""
        if run in self.copies:
            signal_group(self.copies[run], number)

    def collect(self) -> None:
        """Tell which copies ended; what they started and left is ended with them."""
        for run, pid in list(self.copies.items()):
            if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                continue
            signal_group(pid, signal.SIGKILL)  # still its own: the leader is dead but not yet collected
            _, status = os.waitpid(pid, 0)
            del self.copies[run]
            self.tell(run=run, ended=os.waitstatus_to_exitcode(status))

    def end_all(self) -> None:
        """Kill every copy: whoever asked for them is gone."""
        for pid in self.copies.values():
            signal_group(pid, signal.SIGKILL)
