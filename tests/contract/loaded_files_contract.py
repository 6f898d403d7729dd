"""What every source of files promises of a job that loads each file once: files that are loaded stay closed."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

import pytest
from contract.copying_contract import Copying
from contract.suite import Suite

from b2b_recs.engine.sources.contract import FileInfo, Source

COLUMNS = {"id": "integer", "word": "text"}


def opened_by(arena: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the files that sources of this arena open from now on, each as often as it is opened."""
    opened: list[str] = []
    really = arena.open

    def counting() -> Source:
        source: Any = really()
        store, open_file = source._store, source._store.open

        def noted(file: FileInfo) -> BinaryIO:
            opened.append(file.path)
            content: BinaryIO = open_file(file)
            return content

        monkeypatch.setattr(store, "open", noted)
        return source  # type: ignore[no-any-return]

    monkeypatch.setattr(arena, "open", counting)
    return opened


class LoadedFilesContract(Suite):
    """Part of the contract of files."""

    def test_a_run_opens_new_and_changed_files_and_no_others(
        self, arena: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one, two, three = (arena.named(f"again-{at}").partition("#")[0] for at in (1, 2, 3))
        arena.make("again-1", COLUMNS, [(1, "a")])
        arena.make("again-2", COLUMNS, [(2, "b")])
        job = Copying(arena, arena.named("again-*"), tmp_path, {"strategy": "files"})
        opened = opened_by(arena, monkeypatch)

        def run() -> tuple[set[str], Any]:
            opened.clear()
            result = job.run()
            return set(opened), result

        try:
            assert run()[0] == {one, two}
            paths, result = run()
            assert (paths, result.changed, result.warnings) == (set(), False, ())
            arena.add("again-2", [(3, "c")])
            paths, result = run()
            assert (paths, result.rows_loaded, result.rows_replaced) == ({two}, 2, 1)
            arena.make("again-3", {**COLUMNS, "price": "integer"}, [(4, "d", 5)])
            paths, result = run()
            assert (paths, result.added_columns, result.rows_loaded) == ({three}, ("price",), 1)
            paths, result = run()
            assert (paths, result.changed, result.table_rows) == (set(), False, 4)
        finally:
            for at in (1, 2, 3):
                arena.drop(f"again-{at}")
