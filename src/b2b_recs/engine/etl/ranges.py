"""Cutting a large read into ranges, which several sessions of one snapshot read at the same time."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from b2b_recs.engine.errors import EngineError
from b2b_recs.engine.etl.plan import BATCH_BYTES, Plan
from b2b_recs.engine.etl.spec import CopySpec
from b2b_recs.engine.sources.contract import KeyRange, Source, SourceType

# Rows below which a second session costs more than it brings.
LARGE_ROWS = 200_000
# Several ranges per session, so that one that is slower than the others does not keep the rest waiting.
_RANGES_EACH = 3
_RANGE_ROWS = 1_000_000
_MOST_RANGES = 256


def cut(plan: Plan, source_type: SourceType, source: Source, spec: CopySpec, expected: int | None) -> Plan:
    """The plan with its first read cut into ranges for several sessions; the plan itself when that does not pay.

    Only a read without a row limit is cut: a limit counts the rows of the whole.
    """
    sessions = min(spec.parallel, os.cpu_count() or 1)
    if not plan.segments or not source_type.capabilities.key_ranges or sessions < 2:
        return plan
    first = plan.segments[0]
    if first.row_limit is not None or first.files or (expected or 0) < LARGE_ROWS:
        return plan
    parts = min(_MOST_RANGES, max(sessions * _RANGES_EACH, (expected or 0) // _RANGE_ROWS))
    column = first.order_by[0] if first.order_by else plan.primary[0] if plan.primary else ""
    try:
        ranges = source.key_ranges(first, column, parts)
    except EngineError as error:
        if error.transient:
            raise
        # A table that cannot be cut is still a table that can be read.
        return plan
    return spread(plan, ranges, spec)


def spread(plan: Plan, ranges: Sequence[KeyRange], spec: CopySpec) -> Plan:
    """The plan with its first read cut into exactly these ranges, as a killed run had cut it."""
    if len(ranges) < 2:
        return plan
    sessions = min(spec.parallel, os.cpu_count() or 1, len(ranges))
    first, *others = plan.segments
    cut_up = [replace(first, key_range=key_range, batch_bytes=BATCH_BYTES // sessions) for key_range in ranges]
    return replace(plan, segments=(*cut_up, *others), ranges=tuple(ranges), sessions=sessions)


def whole(plan: Plan) -> Plan:
    """The plan with its first read in one piece again."""
    if not plan.ranges:
        return plan
    others = plan.segments[len(plan.ranges) :]
    first = replace(plan.segments[0], key_range=None, batch_bytes=BATCH_BYTES)
    return replace(plan, segments=(first, *others), ranges=(), sessions=1)
