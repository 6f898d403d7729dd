"""What every source promises of memory: a table several times larger than the bound is read below the bound."""

from __future__ import annotations

import contextlib
import gc
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
from contract.asking import asked_of
from contract.lines import Arena, request_for

_STATM = Path("/proc/self/statm")
_PAGE = 4096
# The part of the table's bytes by which this process may grow while it is read.
_PART = 0.6


class MemoryContract:
    """Part of the contract of sources."""

    heavy_rows: ClassVar[int]
    heavy_text: ClassVar[int]
    # Whether the server keeps its rows outside this process, so that what this one grows by is the source's.
    measures_memory: ClassVar[bool] = True

    @asked_of(lambda suite: suite.measures_memory)
    def test_a_large_table_is_read_within_the_bound(self, heavy: Arena) -> None:
        whole = self.heavy_rows * self.heavy_text
        rows = 0
        with heavy.open() as source:
            request = request_for(source, heavy, heavy.named("heavy"), batch_bytes=256 * 1024)
            for _ in zip(source.read(request), range(3), strict=False):
                pass  # what is loaded once and kept, such as parts of the driver
            with _growth() as growth:
                for batch in source.read(request):
                    rows += batch.rows.num_rows
        assert rows == self.heavy_rows
        assert whole > 19_000_000
        assert max(growth) < whole * _PART, f"{max(growth):,} of {whole:,} bytes"


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
