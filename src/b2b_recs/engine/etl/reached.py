"""How far a table has been loaded by its cursor, at either end, from the notes of its commits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pyarrow.compute as pc

from b2b_recs.engine.etl.cursor import TIME_TYPES, before, first_bound, parse, text_of
from b2b_recs.engine.etl.spec import Incremental
from b2b_recs.engine.schema.types import ColumnMapping
from b2b_recs.engine.warehouse.local import LocalTable

# The name under which a copy leaves its note in a commit.
NOTE = "copy"
# The part of that note which says what the job made of its rows.
MEANING = "meaning"
_RECENT = 10
# The clocks of two time zones are never further apart.
_ZONES_APART = timedelta(hours=26)


def last_cursor(table: LocalTable, column: str, source: Sequence[str]) -> str | None:
    """The cursor committed with the newest rows that were loaded by ``column``; None before the first.

    Also None when they came from another table or connection than ``source``, of which its cursor says nothing.
    """
    note = newest_note(table)
    same = note is not None and note.get("column") == column and not differs(note, source)
    return str(note["cursor"]) if note is not None and same and note.get("cursor") else None


def source_before(table: LocalTable, source: Sequence[str]) -> str:
    """What the newest rows came from when it is another table or connection than ``source``, else empty."""
    for commit in table.history(_RECENT) if table.exists() else ():
        note = commit.notes.get(NOTE)
        if note is not None:
            if not differs(note, source):
                return ""
            before = note["source"][:2]
            return (
                "another connection" if before == list(source[:2]) else ".".join(str(part) for part in before if part)
            )
    return ""


def differs(note: Mapping[str, Any], source: Sequence[str]) -> bool:
    """Whether a note tells of another source; a part that one of the two does not name is the same."""
    return any(before != now for before, now in zip(note.get("source", ()), source, strict=False))


def newest_note(table: LocalTable) -> Mapping[str, Any] | None:
    """What the newest copy into the table noted; None before the first."""
    for few in (_RECENT, None):
        for commit in table.history(few) if table.exists() else ():
            if commit.notes.get(NOTE) is not None:
                note: Mapping[str, Any] = commit.notes[NOTE]
                return note
    return None


def noted_key(table: LocalTable) -> tuple[str, ...]:
    """The columns by which the newest copy told rows apart; empty when it knew none."""
    for commit in table.history(_RECENT):
        note = commit.notes.get(NOTE)
        if note is not None:
            return tuple(str(name) for name in note.get("key") or ())
    return ()


def later_columns(table: LocalTable, names: Sequence[str], added: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """The columns among ``names`` that rows of the table were loaded without, by the runs that brought them, oldest
    first. ``added`` are those this run brings, which is asked only of tables whose notes do not tell their columns.
    """
    found: list[tuple[str, ...]] = []
    for few in (_RECENT, None):
        held, found = None, []
        for commit in table.history(few):
            note = commit.notes.get(NOTE)
            if note is None:
                continue
            # A run that ended between widening the table and loading its rows has left no note of its own.
            # A job may read fewer columns than its table has; of files, each may have columns of its own.
            read = note.get(MEANING, {}).get("read") if note.get("strategy") != "files" else None
            held = (read or note.get("columns")) if held is None else held
            if "later" in note or note.get("strategy") == "catalog":
                found += [tuple(step) for step in reversed(note.get("later", ()))]
                return _steps(found, [name for name in names if name not in held] if held is not None else added)
            if brought := note["result"].get("added_columns"):
                found.append(tuple(brought))
    return _steps(found, added)


def _steps(newest_first: Sequence[tuple[str, ...]], now: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    return (*reversed(newest_first), *([tuple(now)] if now else []))


def since(table: LocalTable, column: str) -> str | None:
    """The cursor from which on everything has been loaded by ``column``; None when that is everything."""
    for few in (_RECENT, None):
        first = None
        for commit in table.history(few):
            note = commit.notes.get(NOTE)
            if note is None or note.get("column") != column:
                continue
            if "since" in note:
                return None if note["since"] is None else str(note["since"])
            first = note
        if few is None and first is not None and first.get("bounds"):
            lower = first["bounds"].get("lower")
            return None if lower is None or first["bounds"].get("before") is not None else str(lower)
    return None


def earlier_start(
    table: LocalTable, load: Incremental, cursor: ColumnMapping, now: datetime, zone: str
) -> tuple[str | None, bool]:
    """Where to begin when the job's backfill reaches further back than what has been loaded, and whether it does."""
    loaded = since(table, load.cursor)
    if loaded is None:
        return None, False
    if load.backfill == "all":
        return None, True
    if cursor.warehouse_type not in TIME_TYPES:
        return None, False
    wanted = first_bound(load, cursor, now, zone)
    if wanted is None or not before(parse(wanted, cursor), parse(loaded, cursor)):
        return None, False
    return wanted, True


def beginning(table: LocalTable, start: str | None, cursor: ColumnMapping, zone: str) -> str | None:
    """Where to begin when everything in the table is read again: at ``start``, or before it; None for everything.

    Runs look back by their lag, also to before where the first one began. In another time zone than the rows were read
    in, the clocks of the source tell other moments; ``zone`` is that of now.
    """
    first: Any = parse(start, cursor) if start is not None and cursor.warehouse_type in TIME_TYPES else None
    if first is None:
        return start
    smallest = text_of(_smallest(table, cursor.name))
    stored = parse(smallest, cursor) if smallest is not None else None
    first = stored if before(stored, first) else first
    try:
        if (newest_note(table) or {}).get(MEANING, {}).get("zone", zone) != zone:
            first -= _ZONES_APART if isinstance(first, datetime) else timedelta(days=2)
    except OverflowError:
        return None
    return text_of(first)


def _smallest(table: LocalTable, column: str) -> Any:
    """The smallest value of a column; None where it has none."""
    rows = table.arrow_dataset()
    if column not in rows.schema.names:
        return None
    found = [pc.min(batch.column(0)).as_py() for batch in rows.to_batches(columns=[column]) if batch.num_rows]
    return min((value for value in found if value is not None), default=None)
