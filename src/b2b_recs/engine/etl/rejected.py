"""The rows a table could not take: kept beside it, each once, with the column and the reason."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain, islice

import pyarrow as pa

from b2b_recs.engine.etl.journal import Journal, Staged
from b2b_recs.engine.etl.known_rejects import KnownRejects, fingerprint
from b2b_recs.engine.sources.contract import RejectedRow
from b2b_recs.engine.warehouse.commits import Commit
from b2b_recs.engine.warehouse.local import LocalTable

SCHEMA = pa.schema(
    [
        pa.field("row", pa.string(), False, {b"warehouse_type": b"JSON"}),
        pa.field("column", pa.string(), False, {b"warehouse_type": b"STRING"}),
        pa.field("reason", pa.string(), False, {b"warehouse_type": b"STRING"}),
        pa.field("run", pa.string(), False, {b"warehouse_type": b"STRING"}),
        pa.field("rejected_at", pa.timestamp("us", tz="UTC"), False, {b"warehouse_type": b"TIMESTAMP"}),
        pa.field("fingerprint", pa.string(), False, {b"warehouse_type": b"STRING"}),
    ]
)
_BATCH = 10_000


def commit_rejected(
    table: LocalTable, journal: Journal, staged: Sequence[Staged], at: datetime, app: str, *, replace: bool
) -> Commit | None:
    """Commit the rejected rows of a run; None when there is nothing to change.

    A row rejected before (read again inside the window) is not kept twice. A catalog run replaces those of the run
    before, because it read every row anew.
    """
    target = table.rejected
    done = target.committed(app)
    if done is not None:
        return done
    any_rejected = any(item.rejected for item in staged)
    exists = target.exists()
    if not any_rejected and not (replace and exists and target.row_count()):
        return None
    batches = in_batches(rejected_rows(journal, staged), journal.run_key, at)
    if exists and not replace:
        batches = _fresh(batches, KnownRejects(table))
    first = next(batches, None)
    if first is None and not replace:
        return None
    write = target.replace if replace else target.append
    return write(chain([first] if first is not None else [], batches), schema=SCHEMA, app=app)


def rejected_rows(journal: Journal, staged: Sequence[Staged]) -> Iterator[RejectedRow]:
    """The rejected rows of a run, every value as text."""
    for item in staged:
        if item.rejected:
            with journal.rejected_path(item.part).open(encoding="utf-8") as lines:
                for line in lines:
                    yield RejectedRow(*json.loads(line))


def _fresh(batches: Iterator[pa.RecordBatch], known: KnownRejects) -> Iterator[pa.RecordBatch]:
    """Only rows that are not kept yet; equal rows inside one run are all kept."""
    for batch in batches:
        fresh = batch.filter(pa.array([not known.take(mark) for mark in batch.column("fingerprint").to_pylist()]))
        if fresh.num_rows:
            yield fresh


def in_batches(rows: Iterable[RejectedRow], run_key: str, at: datetime) -> Iterator[pa.RecordBatch]:
    """Rejected rows as they are kept: each with its run and the time."""
    left = iter(rows)
    while some := list(islice(left, _BATCH)):
        yield _batch(some, run_key, at)


def _batch(rows: list[RejectedRow], run_key: str, at: datetime) -> pa.RecordBatch:
    texts = [json.dumps(row.row, ensure_ascii=False) for row in rows]
    columns, reasons = [row.column for row in rows], [row.reason for row in rows]
    marks = [fingerprint(row) for row in rows]
    count = len(rows)
    return pa.RecordBatch.from_arrays(
        [
            pa.array(texts, pa.string()),
            pa.array(columns, pa.string()),
            pa.array(reasons, pa.string()),
            pa.array([run_key] * count, pa.string()),
            pa.array([at] * count, pa.timestamp("us", tz="UTC")),
            pa.array(marks, pa.string()),
        ],
        schema=SCHEMA,
    )
