"""Copies killed at random while a writer writes: the warehouse holds the writer's ledger, row by row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kill.ledger import Tally, kill_copies


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["appended", "merged", "replaced"])
def test_seventy_copies_killed_at_random_leave_the_ledger_row_by_row(
    postgres_server: Any, tmp_path: Path, kind: str
) -> None:
    url = postgres_server.create_database(f"ledger_{kind}")
    tally = Tally()
    kill_copies(url, tmp_path, kind, 70, 11, tally)
    assert tally.killed >= 70 and tally.at_steps >= 20
    assert tally.compared >= 2 and tally.rows > 100
    postgres_server.drop_database(f"ledger_{kind}")
