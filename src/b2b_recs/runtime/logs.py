"""Log files of child processes: appended to, and turned over before they grow without end."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

MAX_BYTES = 10 * 1024 * 1024
KEPT = 3


def turn_over(paths: Iterable[Path], max_bytes: int = MAX_BYTES) -> None:
    """Copy each grown log to ``name.1`` (older ones move up) and empty it.

    The writer keeps its open file: it appends, so emptying under it is safe; lines of that instant may be lost.
    A full disk only empties the log.
    """
    for path in paths:
        with contextlib.suppress(OSError):
            if path.stat().st_size <= max_bytes:
                continue
            try:
                for number in range(KEPT - 1, 0, -1):
                    older = path.with_name(f"{path.name}.{number}")
                    if older.exists():
                        older.replace(path.with_name(f"{path.name}.{number + 1}"))
                shutil.copyfile(path, path.with_name(f"{path.name}.1"))
            finally:
                os.truncate(path, 0)


def tail(path: Path, lines: int = 8, max_bytes: int = 8_000) -> list[str]:
    """The last lines of a log, without blank ones; empty when there is no log."""
    try:
        with path.open("rb") as source:
            source.seek(max(0, path.stat().st_size - max_bytes))
            text = source.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip()][-lines:]
