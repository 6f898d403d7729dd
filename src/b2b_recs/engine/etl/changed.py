"""What a job makes of its rows, noted with every commit, against what it made of those the table holds.

Rows that were read by another key, in another time zone or date format, or without a column that is read now, are read
again: the job begins at the beginning of its table, and what is read takes the place of what was stored. Where stored
rows cannot be found again by a key, the run is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.dataset as ds

from b2b_recs.engine.errors import JobChanged
from b2b_recs.engine.etl.cursor import TIME_TYPES
from b2b_recs.engine.etl.drift import Layout
from b2b_recs.engine.etl.reached import MEANING, differs, later_columns, newest_note
from b2b_recs.engine.etl.spec import Catalog, CopySpec, Files, Incremental
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.sources.contract import ColumnInfo
from b2b_recs.engine.warehouse.local import LocalTable

_OTHERWISE = "load into a new warehouse table, or copy the whole table each time."


@dataclass(frozen=True, slots=True)
class Changed:
    """What a run does about a job that was changed, and what it tells of that.

    ``reread``: everything loaded so far is read again. ``keys`` are those by which stored rows are found again;
    ``key_held`` is whether the stored rows have the columns of the key of now.
    """

    warnings: tuple[str, ...] = ()
    reread: bool = False
    keys: tuple[tuple[str, ...], ...] = ()
    key_held: bool = True


UNCHANGED = Changed()


def meaning_of(
    spec: CopySpec, columns: Sequence[ColumnMapping], propose: Callable[[], Mapping[str, ColumnMapping]]
) -> dict[str, Any]:
    """What decides which rows are the same and what their values mean, as values JSON can hold."""
    proposed = propose() if columns else {}
    return {
        "key": list(spec.load.key) if isinstance(spec.load, Incremental) else [],
        "zone": spec.time_zone,
        "zoned": [column.name for column in columns if _zoned(column, proposed.get(column.name))],
        "formats": {column.name: column.format for column in columns if column.format},
        "chosen": list(spec.columns),
        "read": [column.name for column in columns],
        "names": {spec.called_in_source(column.name): column.name for column in columns},
    }


def _zoned(column: ColumnMapping, proposed: ColumnMapping | None) -> bool:
    """Whether the job's time zone decides what the values of a column become."""
    if proposed is None or column.warehouse_type not in TIME_TYPES or column.warehouse_type is proposed.warehouse_type:
        return False
    return proposed.warehouse_type in TIME_TYPES or column.warehouse_type is WarehouseType.TIMESTAMP


def refuse_renames(spec: CopySpec, table: LocalTable, columns: Sequence[ColumnInfo]) -> None:
    """Raise JobChanged where a column would go to another column of the table than its values of before."""
    for refusal in renames(spec, table, columns).values():
        raise refusal


def renames(spec: CopySpec, table: LocalTable, columns: Sequence[ColumnInfo]) -> dict[str, JobChanged]:
    """The refusal of each such column, by its name in the source."""
    note = newest_note(table)
    if note is None or isinstance(spec.load, Catalog) or differs(note, spec.origin):
        return {}
    found: dict[str, JobChanged] = {}
    called, stored = note.get(MEANING, {}).get("names", {}), table.schema().names
    for column in columns:
        source = spec.called_in_source(column.name)
        before = called.get(source, column.name)
        if before == column.name or before not in stored or (spec.columns and column.name not in spec.columns):
            continue
        found[source] = JobChanged(
            f"The column {source} is called {before} in the warehouse table and {column.name} in the job now, so each "
            "of the two would hold some of the rows.",
            advice=f"Call it {before} again, {_OTHERWISE}",
            field="names",
        )
    return found


def changed_since(spec: CopySpec, table: LocalTable, layout: Layout, meaning: Mapping[str, Any]) -> Changed:
    """What follows from a job that is another one than when its newest rows were loaded. Raises JobChanged."""
    note = newest_note(table)
    if note is None or isinstance(spec.load, Catalog) or differs(note, spec.origin) or not table.row_count():
        return UNCHANGED
    was = note.get(MEANING, {})
    stored, read = table.schema().names, [column.name for column in layout.columns]
    affected, reasons = _affected(was, meaning)
    missing: list[str] = []
    warnings: tuple[str, ...] = ()
    if "read" in was and set(was["chosen"]) != set(meaning["chosen"]):
        missing = [name for name in read if name not in was["read"]]
        dropped = [name for name in stored if name in was["read"] and name not in read]
        if dropped:
            warnings = (f"The job no longer reads {', '.join(dropped)}: rows loaded from now on are empty there.",)
    unread = [name for name in stored if name not in read]
    if isinstance(spec.load, Files):
        if note.get("strategy") != "files" or not (affected or missing):
            return Changed(warnings)
        if unread and not affected:
            return Changed((*warnings, _not_filled(missing)))
        return Changed((*warnings, _files_told(reasons, missing), *_emptied(unread, table)), reread=True)
    late = {name for step in later_columns(table, read, [field.name for field in layout.added]) for name in step}
    held = {name for name in stored if name in read} - late - set(missing)
    key, before = spec.load.key, tuple(was.get("key") or note.get("key") or ())
    rekeyed = _rekeyed(note, key, held)
    if rekeyed:
        reasons = [f"its key is {_key(key)} now and was {_key(was.get('key', before))}", *reasons]
    if not (rekeyed or affected or missing):
        return Changed(warnings)
    keys = tuple(one for one in dict.fromkeys((before, key)) if one and set(one) <= held - affected)
    if not keys and (rekeyed or affected):
        raise _cannot(reasons, rekeyed=rekeyed)
    if not keys or (unread and not (rekeyed or affected)):
        # Reading again would empty the columns that the job does not read.
        return Changed((*warnings, _not_filled(missing)))
    told = (_told(reasons, missing, kept=spec.load.deletes != "remove"), *_emptied(unread, table))
    return Changed((*warnings, *told), reread=True, keys=keys, key_held=not key or key in keys)


def _affected(was: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[set[str], list[str]]:
    """Columns of both whose values mean something else now, and why."""
    both = [name for name in now["read"] if name in was.get("read", ())]
    reasons = []
    zoned = [name for name in both if name in now["zoned"]] if was.get("zone", now["zone"]) != now["zone"] else []
    if zoned:
        reasons.append(f"its time zone is {now['zone']} now and was {was['zone']}, which {', '.join(zoned)} depends on")
    written = [name for name in both if was["formats"].get(name, "") != now["formats"].get(name, "")]
    reasons += [f"{name} is read as {now['formats'].get(name, 'a date of the usual form')} now" for name in written]
    return {*zoned, *written}, reasons


def _rekeyed(note: Mapping[str, Any], key: Sequence[str], held: Collection[str]) -> bool:
    """Whether the stored rows were told apart by other columns than ``key``, or cannot be told apart by it."""
    if not note.get("column"):
        return not set(key) <= set(held)
    if MEANING in note:
        return set(note[MEANING]["key"]) != set(key)
    # Commits of earlier releases name a key that is the job's or, where it had none, the source's.
    return bool(key and note.get("key")) and set(note["key"]) != set(key)


def _key(columns: Sequence[str]) -> str:
    return ", ".join(columns) or "none"


def _why(reasons: Sequence[str], missing: Sequence[str]) -> str:
    added = [f"it reads {', '.join(missing)} now"] if missing else []
    return f"The job was changed: {', and '.join([*reasons, *added])}."


def _told(reasons: Sequence[str], missing: Sequence[str], *, kept: bool) -> str:
    stay = " Those that the source no longer has stay as they were." if kept else ""
    return f"{_why(reasons, missing)} The rows loaded before were read again.{stay}"


def _files_told(reasons: Sequence[str], missing: Sequence[str]) -> str:
    return f"{_why(reasons, missing)} All files were loaded again; rows of files that are gone stay as they were."


def _not_filled(missing: Sequence[str]) -> str:
    return f"{_why((), missing)} Rows loaded before stay empty there: to fill them, {_OTHERWISE}"


def _emptied(unread: Sequence[str], table: LocalTable) -> tuple[str, ...]:
    dataset = table.arrow_dataset() if unread else None
    held = [name for name in unread if dataset is not None and dataset.count_rows(filter=ds.field(name).is_valid())]
    if not held:  # nothing was there, or an earlier run emptied it
        return ()
    return (
        f"Those rows are empty in {', '.join(held)}, which the job does not read; version {table.version()} still "
        "has what was there.",
    )


def _cannot(reasons: Sequence[str], *, rekeyed: bool) -> JobChanged:
    why = _why(reasons, ())
    return JobChanged(
        f"{why} The rows loaded before cannot be found again by a key, so they would be there twice.",
        advice=f"Set it back, {_OTHERWISE}",
        field="key" if rekeyed else "time_zone" if "time zone" in why else "types",
    )
