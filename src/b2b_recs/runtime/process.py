"""Starting child processes that end with their parent, and telling a process from one that reuses its id."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psutil

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform.startswith("linux") else None


def end_with_parent(number: int = signal.SIGTERM) -> Callable[[], None] | None:
    """A ``preexec_fn`` by which the kernel signals the child when the starting thread's process ends.

    None where the platform has no such thing; there the next start ends what was left behind.
    Start such children from a thread that lives as long as the process.
    """
    if _LIBC is None:
        return None
    parent, prctl = os.getpid(), _LIBC.prctl

    def arm() -> None:
        prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return arm


def signal_group(pid: int, number: int) -> None:
    """Signal the process group a child leads; one that is gone gets nothing. Only for children not yet collected."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process named so that another one with the same id is never taken for it."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> ProcessIdentity | None:
        """The identity of a live process, None when there is none."""
        try:
            return cls(pid, psutil.Process(pid).create_time())
        except psutil.Error:
            return None

    @classmethod
    def from_json(cls, value: Any) -> ProcessIdentity | None:
        """The identity written by ``as_json``, None when the value is something else."""
        try:
            return cls(int(value["pid"]), float(value["started"]))
        except (KeyError, TypeError, ValueError):
            return None

    def as_json(self) -> dict[str, float | int]:
        """A mapping for a state file."""
        return {"pid": self.pid, "started": self.started}

    def process(self) -> psutil.Process | None:
        """The live process, None when it ended (a zombie counts as ended)."""
        try:
            found = psutil.Process(self.pid)
            same = abs(found.create_time() - self.started) < 0.05
            return found if same and found.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None

    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.process() is not None

    def signal_group(self, number: int) -> None:
        """Signal the process group led by the process, or the process when it leads none."""
        if self.process() is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getpgid(self.pid) == self.pid:
                os.killpg(self.pid, number)
            else:
                os.kill(self.pid, number)

    def wait_gone(self, seconds: float) -> bool:
        """Whether the process ended within that time."""
        until = time.monotonic() + seconds
        while self.alive():
            if time.monotonic() >= until:
                return False
            time.sleep(0.02)
        return True
