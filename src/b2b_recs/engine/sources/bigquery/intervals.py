"""Intervals as BigQuery prints them: Arrow has no text for them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

_SECOND, _MINUTE, _HOUR = 1_000_000_000, 60_000_000_000, 3_600_000_000_000


def printed_intervals(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with every interval as text ``Y-M D H:M:S[.F]``."""
    for at, field in enumerate(batch.schema):
        if field.type == pa.month_day_nano_interval():
            texts = pa.array([_printed(value) for value in batch.column(at).to_pylist()], pa.string())
            batch = batch.set_column(at, field.name, texts)
    return batch


def _printed(value: Any) -> str | None:
    if value is None:
        return None
    years, months = divmod(abs(value.months), 12)
    hours, rest = divmod(abs(value.nanoseconds), _HOUR)
    minutes, rest = divmod(rest, _MINUTE)
    seconds, fraction = divmod(rest, _SECOND)
    part = f".{fraction:09d}".rstrip("0").rstrip(".")
    calendar = f"{'-' if value.months < 0 else ''}{years}-{months}"
    clock = f"{'-' if value.nanoseconds < 0 else ''}{hours}:{minutes}:{seconds}{part}"
    return f"{calendar} {value.days} {clock}"
