"""Which files of a table may go: those of versions past their time, and those no version ever knew."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
from deltalake import DeltaTable


def remove_unneeded(
    folder: Path, table: DeltaTable | None, moment: datetime, spare: Sequence[str], pinned: Collection[int] = ()
) -> list[str]:
    """Remove the files that no version current at or after ``moment`` has, nor one pinned; returns their paths."""
    found = sorted(path.relative_to(folder).as_posix() for path in (folder / "data").rglob("*.parquet"))
    found = [path for path in found if not any(path.startswith(f"{kept}/") for kept in spare)]
    if table is not None and set(found) <= _listed(table):
        return []
    needed = _needed(folder, table, moment) if table is not None else set()
    for version in pinned:
        needed |= _listed(DeltaTable(str(folder), version=version))
    removed = [path for path in found if path not in needed]
    for path in removed:
        (folder / path).unlink(missing_ok=True)
    _remove_empty(folder / "data")
    return removed


def _needed(folder: Path, table: DeltaTable, moment: datetime) -> set[str]:
    """Files of the version that was current at ``moment``, and every file added since."""
    newest = int(table.version())
    oldest = newest
    needed: set[str] = set()
    for entry in table.history():
        version = int(entry["version"])
        oldest = version
        if datetime.fromtimestamp(entry["timestamp"] / 1000, UTC) <= moment:
            break
    needed.update(_listed(DeltaTable(str(folder), version=oldest)))
    for version in range(oldest + 1, newest + 1):
        needed.update(_added(folder / "_delta_log" / f"{version:020d}.json"))
    return needed


def _listed(table: DeltaTable) -> set[str]:
    actions = pa.table(table.get_add_actions(flatten=True))
    return set(actions["path"].to_pylist()) if actions.num_rows else set()


def _added(entry: Path) -> list[str]:
    with entry.open(encoding="utf-8") as lines:
        documents = [json.loads(line) for line in lines if line.startswith('{"add"')]
    return [unquote(document["add"]["path"]) for document in documents]


def _remove_empty(folder: Path) -> None:
    if not folder.is_dir():
        return
    for child in folder.iterdir():
        if child.is_dir() and not any(child.iterdir()):
            child.rmdir()
