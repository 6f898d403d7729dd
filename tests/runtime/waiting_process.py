"""A waiting process for the tests: each run does what its first word says."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from b2b_recs.runtime.prepared import serve

LOADED = os.getpid()


def work(what: list[Any]) -> int:
    """Do one run; the second word names a file."""
    kind, note = what[0], Path(str(what[1]))
    if kind == "code":
        note.write_text(f"{LOADED} {os.getppid()} {os.getpgid(0) == os.getpid()}")
        return int(what[2])
    if kind == "raises":
        raise RuntimeError("for the log")
    if kind == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    started = subprocess.Popen(["sleep", "600"])
    note.with_suffix(".part").write_text(f"{os.getpid()} {started.pid}")
    note.with_suffix(".part").rename(note)
    if kind == "leaves":
        return 0
    time.sleep(600)
    return 0


def refuse_the_second_copy() -> None:
    """As on a machine that has room for one run and no more."""
    fork, made = os.fork, []

    def refusing() -> int:
        if made:
            raise BlockingIOError("Resource temporarily unavailable")
        made.append(True)
        return fork()

    os.fork = refusing


if __name__ == "__main__":
    if "--room-for-one" in sys.argv:
        refuse_the_second_copy()
    sys.exit(serve(socket.socket(fileno=int(sys.argv[-1])), work))
