"""What a copy says of itself while it works, for the log and the stages."""

from __future__ import annotations

from b2b_recs.engine.counting import counted
from b2b_recs.engine.etl.bounds import Bounds
from b2b_recs.engine.etl.choice import NOTHING, Choice
from b2b_recs.engine.etl.spec import CopyResult, CopySpec, Files, Incremental

MEGABYTE = 1_000_000


def reading_words(spec: CopySpec, bounds: Bounds | None, choice: Choice = NOTHING) -> str:
    """Which rows are about to be read."""
    table = f"{spec.source_schema}.{spec.source_table}".lstrip(".")
    if isinstance(spec.load, Files):
        size = sum(file.size for file in choice.load) / MEGABYTE
        return f"Reading {counted(len(choice.load), 'new or changed file')} of {table}, {size:,.1f} MB."
    if bounds is None or not isinstance(spec.load, Incremental):
        return f"Reading all of {table}."
    if bounds.upper is None:
        return f"Reading {table}: it has no row with a {spec.load.cursor} yet."
    since = f"from {bounds.lower} " if bounds.lower is not None else ""
    beside = f", and the rows without a {spec.load.cursor}" if bounds.with_null and bounds.before is not None else ""
    if bounds.reread:
        span = f"{since or 'everything '}up to {bounds.upper}"
        return f"The job was changed: reading {table} by {spec.load.cursor} again, {span}{beside}."
    if bounds.earlier:
        span = f"{since or 'everything '}up to {bounds.upper}"
        return f"The backfill reaches further back now: reading {table} by {spec.load.cursor}, {span}{beside}."
    if bounds.anew:
        span = f"{since or 'everything '}up to {bounds.upper}"
        return f"No run can go on from {bounds.before}: reading {table} by {spec.load.cursor} again, {span}{beside}."
    return f"Reading {table} by {spec.load.cursor}, {since}up to {bounds.upper}{beside}."


def read_words(read: int, rejected: int, size: int) -> str:
    """What was read."""
    refused = f", {rejected:,} of them rejected" if rejected else ""
    return f"{counted(read, 'row')} read{refused}, {size / MEGABYTE:,.1f} MB"


def load_words(result: CopyResult, table: str) -> str:
    """What the warehouse got."""
    if not result.changed:
        return f"Nothing new: {table} stays at version {result.table_version}"
    parts = [f"{counted(result.rows_loaded, 'row')} loaded into {table}, version {result.table_version}"]
    if result.rows_known:
        parts.append(f"{counted(result.rows_known, 'was', 'were')} there already")
    if result.rows_replaced:
        parts.append(counted(result.rows_replaced, "replaced an older one", "replaced older ones"))
    if result.rows_deleted:
        parts.append(
            counted(result.rows_deleted, "removed because it left the source", "removed because they left the source")
        )
    if result.rows_appeared is not None:
        parts.append(
            f"{counted(result.rows_appeared, 'new key')}, {result.rows_vanished:,} gone since the version before"
        )
    return "; ".join(parts)
