"""Taking tables out of the warehouse: aside in one step each, off the disk later."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from deltalake import DeltaTable

from b2b_recs.engine.warehouse.local import LocalTable, TableBusy
from b2b_recs.engine.warehouse.names import kept_beside


def identity_of(folder: Path) -> str:
    """What tells a table from another of its name made later; empty for a folder without one."""
    if not DeltaTable.is_deltatable(str(folder)):
        return ""
    return str(DeltaTable(str(folder)).metadata().id)


def folders_of(table: LocalTable) -> Iterator[Path]:
    """The folder of a table and those of the tables kept beside it."""
    yield table.folder
    beside = table.folder.parent.iterdir() if table.folder.parent.is_dir() else ()
    for path in sorted(beside):
        rest = path.name.removeprefix(f"{table.name}__")
        if rest != path.name and "_" not in rest and kept_beside(path.name):
            yield path


def move_aside(folder: Path, target: Path, identity: str = "") -> bool:
    """Move a folder below ``target`` in one step; returns whether that is done or there is nothing left to do.

    With an ``identity``, only while it still holds that table: one made anew stays. False while a run writes to it.
    """
    if not folder.is_dir() or (identity and identity_of(folder) != identity):
        return True
    target.mkdir(parents=True, exist_ok=True)
    if not identity:
        return _move(folder, target)
    try:
        with LocalTable(folder, folder.parent.name, folder.name).lock():
            return identity_of(folder) != identity or _move(folder, target)
    except TableBusy:
        return False


def _move(folder: Path, target: Path) -> bool:
    with suppress(FileNotFoundError):  # somebody else moved it meanwhile
        folder.rename(target / f"{folder.name}-{secrets.token_hex(4)}")
    return True
