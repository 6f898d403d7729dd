"""Waiting for the control database while it is away, for instance because it restarts."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connections

OUTAGES = (OperationalError, InterfaceError)
WAIT_SECONDS = 60.0
PAUSE_SECONDS = 0.5
Result = TypeVar("Result")


def patiently(call: Callable[[], Result], seconds: float = WAIT_SECONDS) -> Result:
    """What ``call`` returns, tried again on fresh connections while the database is away, for so many seconds.

    ``call`` enters its own scope and must be safe to repeat: its commit may have arrived although the answer did not.
    Raises what the database raised last.
    """
    until = time.monotonic() + seconds
    while True:
        try:
            return call()
        except OUTAGES:
            connections.close_all()
            if time.monotonic() > until:
                raise
            time.sleep(PAUSE_SECONDS)
