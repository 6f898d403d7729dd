"""The rows a table could not take: kept beside it, each once, with the column and the reason."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc

from b2b_recs.engine.etl.journal import Journal, Staged
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
    seen: set[str] = set()
    if exists and not replace:
        seen.update(target.read(columns=["fingerprint"])["fingerprint"].to_pylist())
    batches = _fresh(_batches(journal, staged, at), seen)
    first = next(batches, None)
    if first is None and not replace:
        return None
    write = target.replace if replace else target.append
    return write(chain([first] if first is not None else [], batches), schema=SCHEMA, app=app)


def rejected_rows(journal: Journal, staged: Sequence[Staged]) -> Iterator[dict[str, str | None]]:
    """The rejected rows of a run, every value as text."""
    for item in staged:
        if item.rejected:
            with journal.rejected_path(item.part).open(encoding="utf-8") as lines:
                for line in lines:
                    yield json.loads(line)[0]


def _fresh(batches: Iterator[pa.RecordBatch], seen: set[str]) -> Iterator[pa.RecordBatch]:
    """Only rows whose fingerprint was not seen before this run; equal rows inside one run are all kept."""
    known = pa.array(sorted(seen), pa.string())
    for batch in batches:
        fresh = batch.filter(pc.invert(pc.is_in(batch.column("fingerprint"), known)))
        if fresh.num_rows:
            yield fresh


def _batches(journal: Journal, staged: Sequence[Staged], at: datetime) -> Iterator[pa.RecordBatch]:
    rows: list[tuple[str, str, str]] = []
    for item in staged:
        if not item.rejected:
            continue
        with journal.rejected_path(item.part).open(encoding="utf-8") as lines:
            for line in lines:
                row, column, reason = json.loads(line)
                rows.append((json.dumps(row, ensure_ascii=False), column, reason))
                if len(rows) >= _BATCH:
                    yield _batch(rows, journal.run_key, at)
                    rows = []
    if rows:
        yield _batch(rows, journal.run_key, at)


def _batch(rows: list[tuple[str, str, str]], run_key: str, at: datetime) -> pa.RecordBatch:
    texts, columns, reasons = (list(values) for values in zip(*rows, strict=True))
    marks = [hashlib.sha256("\0".join(row).encode("utf-8", "surrogatepass")).hexdigest() for row in rows]
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
