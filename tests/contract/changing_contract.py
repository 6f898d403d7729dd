"""What every source promises of a table that is renamed, or may no longer be read, while it is copied.

Either every row arrives, or the run fails with advice; a part of a table never passes for the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from contract.asking import asked_of
from contract.broken_lines_contract import Doing
from contract.copying_contract import Copying
from contract.suite import Suite

from b2b_recs.engine import errors, faults
from b2b_recs.engine.etl import plan

# So many that most of them are still to come when the first batch is there.
ROWS, TEXT = 2_000, 500
_LONG = 15.0


class ChangingContract(Suite):
    """Part of the contract of sources."""

    # Whether the arena can take the right to read a table from the reader, by ``revoke`` and ``grant``.
    revokes: ClassVar[bool] = False

    @pytest.fixture
    def moving(self, arena: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Copying]:
        """A job over a table of several batches."""
        monkeypatch.setattr(plan, "BATCH_BYTES", 64 * 1024)
        arena.make("moving", {"id": "integer", "word": "text"}, [(at, "x" * TEXT) for at in range(ROWS)])
        yield Copying(arena, arena.named("moving"), tmp_path, {"strategy": "catalog"})
        faults.install(None)

    def test_a_table_renamed_while_it_is_copied_is_copied_whole_or_not_at_all(
        self, arena: Any, moving: Copying
    ) -> None:
        self.copied_whole_or_not_at_all(moving, lambda: arena.rename("moving", "moved"))
        with pytest.raises(errors.TableMissing) as caught:
            moving.run()
        assert "moving" in caught.value.message and caught.value.advice
        arena.drop("moved")

    @asked_of(lambda suite: suite.revokes)
    def test_a_right_taken_away_while_it_is_used_is_never_half_a_table(self, arena: Any, moving: Copying) -> None:
        try:
            self.copied_whole_or_not_at_all(moving, lambda: arena.revoke("moving"))
            with pytest.raises((errors.PermissionMissing, errors.TableMissing, errors.DatabaseMissing)) as caught:
                moving.run()
            assert caught.value.advice
        finally:
            arena.grant("moving")

    @staticmethod
    def copied_whole_or_not_at_all(job: Copying, change: Callable[[], None]) -> None:
        """A copy during which the change is begun; a server may let it wait until the reader is done."""
        begun: list[Doing] = []

        def once(step: str) -> None:
            if step == "copy.read" and not begun:
                begun.append(Doing(change))
                begun[0].join(0.5)

        faults.install(once)
        try:
            result = job.run()
        except errors.EngineError as refusal:
            assert refusal.advice and not job.table.exists()
        else:
            assert (result.rows_read, result.rows_loaded, result.rows_rejected) == (ROWS, ROWS, 0)
            assert sorted(job.table.read(columns=["id"])["id"].to_pylist()) == list(range(ROWS))
        finally:
            faults.install(None)
        begun[0].join(_LONG)
        assert not begun[0].is_alive() and begun[0].error is None
