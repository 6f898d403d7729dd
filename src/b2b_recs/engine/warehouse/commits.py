"""What a commit of a table says about itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction

_KEY = "b2bRecs"

# Old log entries are what time travel and exactly-once stand on, so the log is kept.
# Summed up every 20 commits: reading each of a hundred takes longer than most commits do.
SETTINGS = {
    "delta.logRetentionDuration": "interval 36500 days",
    "delta.enableExpiredLogCleanup": "false",
    "delta.checkpointInterval": "20",
}


@dataclass(frozen=True, slots=True)
class Commit:
    """One version of a table: its number, when it was made, what it did, and the notes committed with it.

    ``fresh`` is False when the same work had been committed before and nothing was written now. ``replaced`` tells
    that nothing of the version before stayed; only the history knows it.
    """

    version: int
    at: datetime
    operation: str
    notes: Mapping[str, Any] = field(default_factory=dict)
    fresh: bool = True
    replaced: bool = False


def properties(app: str | None, number: int, notes: Mapping[str, Any]) -> CommitProperties:
    """Commit properties that keep the notes, and the transaction's number when an ``app`` is given."""
    document = {"app": app, "number": number, **notes}
    return CommitProperties(
        custom_metadata={_KEY: json.dumps(document, default=str)},
        max_commit_retries=0 if app else None,
        app_transactions=[Transaction(app, number)] if app else None,
    )


def history(table: DeltaTable, limit: int | None = None) -> Iterator[Commit]:
    """Commits of the table, newest first."""
    for entry in table.history(limit):
        yield Commit(
            version=int(entry["version"]),
            at=datetime.fromtimestamp(entry["timestamp"] / 1000, UTC),
            operation=str(entry.get("operation", "")),
            notes=json.loads(entry[_KEY]) if _KEY in entry else {},
            replaced=(entry.get("operationParameters") or {}).get("mode") == "Overwrite",
        )


def commit_of(table: DeltaTable, app: str, number: int, *, fresh: bool) -> Commit:
    """The commit made under ``app`` and ``number``. Raises LookupError when the log has none."""
    for limit in (5, None):
        for commit in history(table, limit):
            if commit.notes.get("app") == app and commit.notes.get("number") == number:
                return Commit(commit.version, commit.at, commit.operation, commit.notes, fresh)
    raise LookupError(f"no commit of {app}")


def has_new_wall_clocks(table: DeltaTable, schema: pa.Schema) -> bool:
    """Whether the schema has times without a zone, and the table's log does not know of such yet."""
    there = any(pa.types.is_timestamp(kind) and kind.tz is None for kind in schema.types)
    return there and "timestampNtz" not in (table.protocol().writer_features or ())
