"""Running heavy work in a process of its own, which can be stopped and never outlives its starter."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from b2b_recs.runtime.process import end_with_parent, signal_group

POLL_SECONDS = 0.05
STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class ChildEnd:
    """How a child ended: its exit code (negative: the signal), and whether it had been asked to stop."""

    code: int
    stopped: bool

    @property
    def killed_by(self) -> str | None:
        """Name of the signal that ended it, None when it ended by itself."""
        if self.code >= 0:
            return None
        try:
            return signal.Signals(-self.code).name
        except ValueError:
            return f"signal {-self.code}"


def run_in_child(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    stop_seconds: Callable[[], float] = lambda: STOP_SECONDS,
    on_start: Callable[[int], None] | None = None,
    on_exit: Callable[[ChildEnd], None] | None = None,
    output: Path | None = None,
) -> ChildEnd:
    """Start ``argv``, wait for its end and return it; call from a thread that may block.

    When ``should_stop`` turns true the child's process group gets SIGTERM, and SIGKILL ``stop_seconds()`` later.
    Whatever it started is ended with it. If this process is killed, the kernel kills the child.
    ``output`` receives what the child prints (appended), otherwise it prints where this process does.
    """
    with contextlib.ExitStack() as stack:
        sink = stack.enter_context(output.open("ab")) if output else None
        child = subprocess.Popen(
            list(argv), env=None if env is None else dict(env), stdin=subprocess.DEVNULL,
            stdout=sink, stderr=subprocess.STDOUT if sink else None,
            process_group=0, preexec_fn=end_with_parent(signal.SIGKILL),  # noqa: PLW1509
        )  # fmt: skip
    try:
        if on_start is not None:
            on_start(child.pid)
        stopped = _wait(child.pid, should_stop, stop_seconds)
    except BaseException:
        signal_group(child.pid, signal.SIGKILL)
        child.wait()
        raise
    # The group is still ours: the leader is dead but not yet collected.
    signal_group(child.pid, signal.SIGKILL)
    end = ChildEnd(child.wait(), stopped)
    if on_exit is not None:
        on_exit(end)
    return end


def _wait(pid: int, should_stop: Callable[[], bool], stop_seconds: Callable[[], float]) -> bool:
    """Wait until the child ended (left uncollected); whether it was asked to stop."""
    asked_at: float | None = None
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if asked_at is None and should_stop():
            asked_at = time.monotonic()
            signal_group(pid, signal.SIGTERM)
        if asked_at is not None and time.monotonic() - asked_at > stop_seconds():
            signal_group(pid, signal.SIGKILL)
        time.sleep(POLL_SECONDS)
    return asked_at is not None
