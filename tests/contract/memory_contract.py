"""What every source promises of memory: a table several times larger than the bound is read below the bound."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

from contract.asking import asked_of
from contract.lines import Arena
from contract.suite import Suite

# The part of the table's bytes by which the reading process may grow.
_PART = 0.6


class MemoryContract(Suite):
    """Part of the contract of sources."""

    measures_memory: ClassVar[bool] = True
    # Rows, and characters of each, of the table that is measured where ``heavy`` is smaller than a few blocks.
    measured: ClassVar[tuple[int, int] | None] = None
    # What may not be too much: the growth of the process, or the most that Arrow had in use at once.
    memory_of: ClassVar[str] = "growth"

    @staticmethod
    def make_heavy(arena: Any, table: str, rows: int, text: int) -> None:
        """A table of numbered rows with a text of this length each."""
        arena.make(table, {"id": "integer", "word": "text"}, [(at, "x" * text) for at in range(rows)])

    def prepared(self, arena: Any) -> list[Any]:
        """What a process of its own has to call to reach the server: ``module:function`` and its arguments."""
        return []

    @asked_of(lambda suite: suite.measures_memory)
    def test_a_large_table_is_read_within_the_bound(self, heavy: Arena) -> None:
        rows, text = self.measured or (self.heavy_rows, self.heavy_text)
        if self.measured is not None:
            self.make_heavy(heavy, "measured", rows, text)
        table, whole = "measured" if self.measured else "heavy", rows * text
        found = _read_apart(heavy, table, self.prepared(heavy))
        assert found["rows"] == rows
        assert whole > 19_000_000
        taken = found[self.memory_of]
        assert taken < whole * _PART, f"{taken:,} of {whole:,} bytes"


def _read_apart(arena: Arena, table: str, prepare: list[Any]) -> dict[str, int]:
    """The table read by a process of its own: rows, the bytes by which it grew, and the most that Arrow used."""
    folder = getattr(arena, "folder", None) or getattr(arena, "path", None)
    task = {
        "type": arena.type,
        "parameters": arena.parameters(),
        "schema": arena.schema,
        "table": arena.named(table),
        "batch_bytes": 256 * 1024,
        "folders": [str(folder.parent)] if isinstance(folder, Path) else [],
        "prepare": prepare,
    }
    script = Path(__file__).with_name("reading_process.py")
    done = subprocess.run(
        [sys.executable, str(script)], input=json.dumps(task), capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return found
