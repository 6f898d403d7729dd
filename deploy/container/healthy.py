"""Ends with 0 when the process of this container does its work: pages and endpoint answer, the worker is alive."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import psutil

from b2b_recs.runtime.children import answers
from b2b_recs.runtime.home import Home
from b2b_recs.runtime.worker import ALIVE_FILE


def worker_lives() -> bool:
    """Whether the worker's file names a process that is there."""
    try:
        return psutil.pid_exists(int((Home.current().run / ALIVE_FILE).read_text("utf-8")))
    except (OSError, ValueError):
        return False


command = Path("/proc/1/cmdline").read_bytes().split(b"\0")
if b"worker" in command:
    healthy = worker_lives()
elif b"serve" in command:
    healthy = answers(int(os.environ.get("B2B_RECS_SERVING_PORT", "8001")), "/health")(1)
else:
    healthy = answers(int(os.environ.get("B2B_RECS_PORT", "8000")), "/health/")(1)
sys.exit(0 if healthy else 1)
