"""Runs copies of the ledger table, each in a process forked for it, and kills them as told.

    python copy_forks.py

Reads one JSON document a line: folder, url, run_key, and ``at_step`` (kill at that step of the copy, counted from 1),
``step`` with ``count`` (kill at the count-th time it comes to the step of that name), ``after`` (kill after so many
seconds), or none. Answers each with one line: ``done``, ``killed`` or ``failed``.
A fork starts in milliseconds what a new interpreter takes seconds to import.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from kill import copy_child

from b2b_recs.engine import faults
from b2b_recs.engine.etl import late, ranges


def _die_at(number: int) -> None:
    left = number

    def hook(step: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    faults.install(hook)


def _copy(order: dict[str, Any]) -> int:
    if order.get("large"):
        ranges.LARGE_ROWS = 1
    if order.get("at_step"):
        _die_at(order["at_step"])
    if order.get("step"):
        copy_child.die_at(order["step"], order["count"])
    try:
        copy_child.copy(Path(order["folder"]), order["url"], order["run_key"])
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _ended(pid: int, after: float | None) -> int:
    if after is not None:
        limit = time.monotonic() + after
        while time.monotonic() < limit:
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                return status
            time.sleep(0.002)
        os.kill(pid, signal.SIGKILL)
    return os.waitpid(pid, 0)[1]


def main() -> None:
    """Answer until there is nothing more to do."""
    late.load()
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            code = _copy(order)
            sys.stderr.flush()
            os._exit(code)
        status = _ended(pid, order.get("after"))
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        print("killed" if killed else "done" if status == 0 else "failed", flush=True)


if __name__ == "__main__":
    main()
