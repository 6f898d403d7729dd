"""Batches of a bounded size, cut out of whatever size a driver hands over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa


def slices(batch: pa.RecordBatch, batch_bytes: int) -> Iterator[pa.RecordBatch]:
    """Parts of ``batch`` of about ``batch_bytes`` each, in order, without copying; nothing for an empty batch."""
    rows = batch.num_rows
    if not rows:
        return
    parts = max(1, -(-batch.nbytes // max(batch_bytes, 1)))
    step = max(1, -(-rows // parts))
    for start in range(0, rows, step):
        yield batch.slice(start, step)


def sized(batches: Iterable[pa.RecordBatch], batch_bytes: int) -> Iterator[pa.RecordBatch]:
    """The same rows in the same order in batches of about ``batch_bytes``: small ones joined, large ones cut."""
    kept: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        for part in slices(batch, batch_bytes):
            if kept and part.schema != kept[0].schema:
                # Some drivers choose the type of a column anew for every batch.
                yield pa.concat_batches(kept)
                kept, size = [], 0
            kept.append(part)
            size += part.nbytes
            if size >= batch_bytes:
                yield pa.concat_batches(kept)
                kept, size = [], 0
    if kept:
        yield pa.concat_batches(kept)
