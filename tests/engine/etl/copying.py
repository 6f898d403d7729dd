"""Orders to copy, ways to load them, and an eye on a copy."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from engine.etl.arena import NOW, Table

from b2b_recs.engine.etl import stage
from b2b_recs.engine.progress import Silent

COLUMNS = {"id": "bigint!", "at": "timestamptz", "amount": "bigint", "note": "text"}
KEYED: dict[str, Any] = {"load": {"cursor": "at", "key": ["id"]}}
UNKEYED: dict[str, Any] = {"load": {"cursor": "at"}}
CATALOG: dict[str, Any] = {"load": {"keep_days": 7}}


def row(number: int, at: datetime | None = None, **values: Any) -> dict[str, Any]:
    moment = at if at is not None else NOW - timedelta(days=10) + timedelta(minutes=number)
    return {"id": number, "at": moment, "amount": number * 10, "note": f"n{number}", **values}


def orders(*numbers: int) -> Table:
    return Table(dict(COLUMNS), [row(number) for number in numbers], primary=("id",))


class Watcher(Silent):
    """Keeps what a run told; raises what it is given at the stage it is given."""

    def __init__(self) -> None:
        self.stages: list[tuple[str, str, str]] = []
        self.lines: list[str] = []
        self.stop = False

    def stage(self, name: str, state: str, detail: str = "") -> None:
        self.stages.append((name, state, detail))

    def log(self, message: str, level: str = "info") -> None:
        self.lines.append(message)

    def cancelled(self) -> bool:
        return self.stop


def write_small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a handful of rows makes several parts."""
    monkeypatch.setattr(stage, "PART_BYTES", 1500)
