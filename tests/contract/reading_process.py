"""A process that reads one table and says how much memory that took: ``python reading_process.py < task.json``.

It is a process of its own so that neither the doubles of the tests nor their other threads are counted.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parent.parent))

from b2b_recs.engine.sources.contract import ReadRequest
from b2b_recs.engine.sources.registry import SOURCE_TYPES, open_source
from b2b_recs.runtime.guard import OutgoingGuard

_STATM = Path("/proc/self/statm")
_PAGE = 4096


class _Here(OutgoingGuard):
    """Every host is this machine; the folders of the test may be read."""

    def __call__(self, host: str, port: int) -> str:
        """This machine."""
        return "127.0.0.1"


def measure(task: dict[str, Any]) -> dict[str, int]:
    """Rows read, and bytes: the largest growth after a first read of a few batches has loaded what is kept, and the
    most that Arrow had in use at once.
    """
    if task["prepare"]:
        module, _, function = task["prepare"][0].partition(":")
        getattr(importlib.import_module(module), function)(*task["prepare"][1:])
    guard = _Here(enabled=False, folders=[Path(folder) for folder in task["folders"]])
    rows = 0
    with open_source(task["type"], task["parameters"], guard) as source:
        columns = SOURCE_TYPES[task["type"]].propose(source.columns(task["schema"], task["table"]), {}, "UTC")
        request = ReadRequest(task["schema"], task["table"], tuple(columns), batch_bytes=task["batch_bytes"])
        for _ in zip(source.read(request), range(3), strict=False):
            pass
        with _growth() as growth:
            for batch in source.read(request):
                rows += batch.rows.num_rows
    return {"rows": rows, "growth": max(growth), "arrow": pa.default_memory_pool().max_memory()}


@contextlib.contextmanager
def _growth() -> Iterator[list[int]]:
    """By how many bytes this process had grown, looked at every few milliseconds."""
    gc.collect()
    pa.default_memory_pool().release_unused()
    before, seen, done = _resident(), [0], threading.Event()

    def look() -> None:
        while not done.wait(0.005):
            seen.append(_resident() - before)

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    try:
        yield seen
    finally:
        done.set()
        looking.join()


def _resident() -> int:
    return int(_STATM.read_text().split()[1]) * _PAGE


if __name__ == "__main__":
    print(json.dumps(measure(json.load(sys.stdin))))
