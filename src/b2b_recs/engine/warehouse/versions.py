"""Time travel: which versions a table has, which one was current at a moment, and which must not expire."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from b2b_recs.engine.errors import BadInput, WarehouseTableMissing
from b2b_recs.engine.warehouse.commits import Commit
from b2b_recs.engine.warehouse.compaction import COMPACTION
from b2b_recs.engine.warehouse.local import LocalTable
from b2b_recs.engine.warehouse.parts import storage_errors

_PIN = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a table: its rows and bytes on disk, the run that made it, and whether it can still be read.

    ``operation`` is what was done: created, loaded, replaced, columns added, or rearranged (the same rows in other
    files).
    """

    number: int
    at: datetime
    operation: str
    rows: int
    size_bytes: int
    made_by: str
    readable: bool


def versions(table: LocalTable, limit: int | None = None, skip: int = 0) -> Iterator[Version]:
    """The table's versions, newest first, at most ``limit`` after ``skip``; none for a table never loaded."""
    there = {path.relative_to(table.folder).as_posix() for path in (table.folder / "data").rglob("*.parquet")}
    for commit in table.history(None if limit is None else skip + limit)[skip:]:
        files = table.contents(commit.version)
        yield Version(
            number=commit.version,
            at=commit.at,
            operation=_operation(commit),
            rows=sum(rows for rows, _ in files.values()),
            size_bytes=sum(size for _, size in files.values()),
            made_by=str(commit.notes.get("app") or ""),
            readable=files.keys() <= there,
        )


def _operation(commit: Commit) -> str:
    if str(commit.notes.get("app") or "").startswith(COMPACTION):
        return "rearranged"
    known = {"CREATE TABLE": "created", "ADD COLUMN": "columns added"}
    return known.get(commit.operation, "replaced" if commit.replaced else "loaded")


def version_at(table: LocalTable, moment: datetime) -> int:
    """The version that was current at a moment with a zone. Raises WarehouseTableMissing before the first load."""
    commits = table.history()
    for commit in commits:
        if commit.at <= moment:
            return commit.version
    subject = f"The warehouse table {table.dataset}.{table.name}"
    if not commits:
        raise WarehouseTableMissing(f"{subject} has never been loaded.", advice="Run its job first.")
    raise WarehouseTableMissing(
        f"{subject} had not been loaded at {moment:%Y-%m-%d %H:%M %Z}.",
        advice=f"Choose a later moment; the first load was on {commits[-1].at:%Y-%m-%d at %H:%M} UTC.",
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
