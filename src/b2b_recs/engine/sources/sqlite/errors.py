"""What SQLite says, in the engine's words."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from b2b_recs.engine.errors import (
    ColumnMissing,
    ConnectionLost,
    EngineError,
    SourceRefused,
    SourceTimeout,
    StorageFull,
    TableMissing,
)
from b2b_recs.engine.sources.error_table import TOO_MUCH as TOO_MUCH_ANSWERED

TOO_MUCH = replace(TOO_MUCH_ANSWERED, advice="Check the file.", field="file")
_BUSY = ("locked", "busy")
_BROKEN = ("malformed", "disk I/O error", "file is not a database", "unable to open")


def statement_error(error: Exception, subject: str, place: str, *, changed: bool) -> EngineError:
    """The refusal for what went wrong with ``subject``; ``changed`` when the file is not the one that was opened."""
    said = str(error)
    if isinstance(error, sqlite3.OperationalError) and any(word in said for word in _BUSY):
        return SourceTimeout(
            f"{place} was locked by another program for too long.", advice="Try again when it is not being written."
        )
    if "no such table" in said:
        return TableMissing(f"{place} has no table {subject}.", advice="Choose another table.")
    if "no such column" in said:
        return ColumnMissing(f"{subject}: {said}.", advice="Choose the columns again.")
    if "full" in said and isinstance(error, sqlite3.OperationalError):
        return StorageFull(f"There is no room to sort {subject}.", advice="Free some space for temporary files.")
    if changed or any(word in said for word in _BROKEN):
        if changed:
            return ConnectionLost(f"{place} was replaced or cut while {subject} was read.", advice="Run the job again.")
        return SourceRefused(
            f"{place} is damaged: {said}.",
            advice="Check the file with PRAGMA integrity_check, or restore it from a copy.",
            field="file",
        )
    if "interrupted" in said:
        return SourceTimeout(
            f"{place} took too long to answer about {subject}.", advice="Simplify the view, or copy it."
        )
    if "prohibited" in said or "not authorized" in said or "unsafe use" in said:
        return SourceRefused(
            f"{subject} does more than read tables of {place}, which is not allowed: {said}.",
            advice="Choose a table, or a view that only selects.",
        )
    return SourceRefused(f"{place} refused to read {subject}: {said[:300]}.", advice="Look at the table or the view.")
