"""Time travel: which versions a table has, which one was current at a moment, and which must not expire."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from b2b_recs.engine.errors import BadInput, WarehouseTableMissing
from b2b_recs.engine.warehouse.local import LocalTable
from b2b_recs.engine.warehouse.parts import storage_errors

_PIN = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a table: its rows and bytes on disk, the run that made it, and whether it can still be read."""

    number: int
    at: datetime
    rows: int
    size_bytes: int
    made_by: str
    readable: bool


def versions(table: LocalTable, limit: int | None = None) -> Iterator[Version]:
    """The table's versions, newest first; none for a table never loaded."""
    there = {path.relative_to(table.folder).as_posix() for path in (table.folder / "data").rglob("*.parquet")}
    for commit in table.history(limit):
        sizes = table.file_sizes(commit.version)
        yield Version(
            number=commit.version,
            at=commit.at,
            rows=table.row_count(commit.version),
            size_bytes=sum(sizes.values()),
            made_by=str(commit.notes.get("app") or ""),
            readable=sizes.keys() <= there,
        )


def version_at(table: LocalTable, moment: datetime) -> int:
    """The version that was current at a moment with a zone. Raises WarehouseTableMissing before the first load."""
    for commit in table.history():
        if commit.at <= moment:
            return commit.version
    raise WarehouseTableMissing(
        f"The warehouse table {table.dataset}.{table.name} had not been loaded at {moment:%Y-%m-%d %H:%M %Z}.",
        advice="Choose a later moment.",
    )


def pin(table: LocalTable, name: str, version: int) -> None:
    """Keep a version readable under ``name`` for as long as it is pinned; another pin of the name moves there.

    Raises WarehouseTableMissing for a version that does not exist or has expired.
    """
    table.arrow_dataset(version)
    target = table.pins_folder / _checked(name)
    with storage_errors():
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_name(f".{target.name}.new")
        with fresh.open("w", encoding="ascii") as handle:
            handle.write(str(version))
            handle.flush()
            os.fsync(handle.fileno())
        fresh.replace(target)


def unpin(table: LocalTable, name: str) -> None:
    """Let a pinned version expire as others do; nothing happens when the name has no pin."""
    (table.pins_folder / _checked(name)).unlink(missing_ok=True)


def _checked(name: str) -> str:
    if not _PIN.fullmatch(name):
        raise BadInput(f"{name[:60]!r} cannot name a pin.", advice="Use letters, digits, - and _.", field="name")
    return name
