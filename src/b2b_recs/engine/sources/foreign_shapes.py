"""Shapes of another reference system than the warehouse's, which servers send with its number in front."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from b2b_recs.engine.sources.contract import RejectedRow

FOREIGN_SHAPE = "SRID="


def without_foreign_shapes(raw: pa.RecordBatch, shapes: Sequence[str]) -> tuple[pa.RecordBatch, list[RejectedRow]]:
    """The rows without such shapes in these columns, and the rows that have one."""
    refused: list[RejectedRow] = []
    for name in shapes:
        foreign = pc.fill_null(pc.starts_with(raw.column(name), FOREIGN_SHAPE), False)
        if not pc.any(foreign).as_py():
            continue
        for row in raw.filter(foreign).to_pylist():
            texts = {column: None if value is None else str(value) for column, value in row.items()}
            reason = f"{name}: {str(texts[name])[:60]} is a shape of another reference system than WGS 84"
            refused.append(RejectedRow(texts, name, reason))
        raw = raw.filter(pc.invert(foreign))
    return raw, refused
