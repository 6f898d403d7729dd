"""The rows a table could not take: kept beside it, each once, with the column and the reason."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain, islice

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from b2b_recs.engine.etl.journal import Journal, Staged
from b2b_recs.engine.etl.known_rejects import KnownRejects, fingerprint
from b2b_recs.engine.sources.contract import FILE_COLUMN, RejectedRow
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
    table: LocalTable,
    journal: Journal,
    staged: Sequence[Staged],
    at: datetime,
    app: str,
    *,
    replace: bool,
    anew: Collection[str] = (),
) -> Commit | None:
    """Commit the rejected rows of a run; None when there is nothing to change.

    A row rejected before (read again inside the window) is not kept twice. A catalog run replaces those of the run
    before, because it read every row anew; a run by files those of the files whose rows it replaces, ``anew``.
    """
    target = table.rejected
    done = target.committed(app)
    if done is not None:
        return done
    any_rejected = any(item.rejected for item in staged)
    exists = target.exists()
    stale = exists and bool(anew) and any(not keep.all() for _, keep in _by_file(target, anew))
    if not any_rejected and not stale and not (replace and exists and target.row_count()):
        return None
    batches = in_batches(rejected_rows(journal, staged), journal.run_key, at)
    if stale:
        return target.replace(chain(_of_other_files(target, anew), batches), schema=SCHEMA, app=app)
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


def _of_other_files(target: LocalTable, anew: Collection[str]) -> Iterator[pa.RecordBatch]:
    """The rows that are kept of other files than these."""
    for batch, keep in _by_file(target, anew):
        if keep.any():
            yield batch.filter(pa.array(keep))


def _by_file(target: LocalTable, anew: Collection[str]) -> Iterator[tuple[pa.RecordBatch, npt.NDArray[np.bool_]]]:
    """Batches of the rows that are kept, each with whether its rows are of other files than these."""
    wanted = set(anew)
    for batch in target.arrow_dataset().to_batches(columns=SCHEMA.names):
        paths = (json.loads(text).get(FILE_COLUMN) for text in batch.column("row").to_pylist())
        yield batch, np.array([path not in wanted for path in paths], dtype=np.bool_)


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
