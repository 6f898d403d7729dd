"""What a read of a source brings, and waiting for what comes true later."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from b2b_recs.engine.schema.arrow import arrow_schema
from b2b_recs.engine.sources.contract import ReadRequest, Source


def table_of(source: Source, request: ReadRequest) -> pa.Table:
    """Every good row of a read."""
    return pa.Table.from_batches([batch.rows for batch in source.read(request)], arrow_schema(request.columns))


def ids(source: Source, request: ReadRequest) -> list[Any]:
    """The ids of a read, sorted unless the read has an order of its own."""
    found = table_of(source, request).column("id").to_pylist()
    return found if request.order_by else sorted(found)


def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether the condition comes true before the time is up."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.02)
    return condition()
