"""Which of all rows stay, counted filter by filter as a build applies them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from b2b_recs.engine.datasets.expressions import Cause, steps
from b2b_recs.engine.datasets.spec import DatasetSpec

Table = Any  # ibis expressions; the library carries no types


@dataclass(frozen=True)
class Staying:
    """All rows of the joined tables, those each filter takes of what the ones before left, and what stays of all.

    ``unknown`` are rows without a customer, a product or a time; ``of_worth`` is the part of the revenue that stays,
    ``days`` the time from the first to the last row that stays. ``apart`` are the conditions that were asked to be
    counted one by one, in words, each with what it takes of what the ones before left; ``gone`` has them too.
    """

    all_rows: int
    gone: tuple[tuple[Cause, int], ...]
    rows: int
    of_worth: float
    days: float = 0.0
    apart: tuple[tuple[str, int], ...] = ()


def staying(spec: DatasetSpec, table: Table, zone: ZoneInfo, apart: int = 0) -> Staying:
    """What stays of a table of ``with_roles``, with its ``worth_of`` as ``worth``, after every filter; so many of the
    first conditions are also counted one by one."""
    all_rows, all_worth = _measured(table)
    before, worth, gone = all_rows, all_worth, []
    counted: list[tuple[str, int]] = []
    for cause, narrows in groupby(steps(spec, zone), key=attrgetter("cause")):
        left = before
        for step in narrows:
            table = step.narrow(table)
            if cause == "where" and len(counted) < apart:
                rows, _ = _measured(table)
                counted.append((step.name, left - rows))
                left = rows
        rows, worth = _measured(table)
        gone.append((cause, before - rows))
        before = rows
    (ends,) = table.aggregate(first=table.role_time.min(), last=table.role_time.max()).to_pyarrow().to_pylist()
    days = (ends["last"] - ends["first"]) / timedelta(days=1) if before else 0.0
    return Staying(all_rows, tuple(gone), before, worth / all_worth if all_worth else 0.0, days, tuple(counted))


def _measured(table: Table) -> tuple[int, float]:
    """The rows and their worth."""
    (found,) = table.aggregate(rows=table.count(), worth=table.worth.sum()).to_pyarrow().to_pylist()
    return int(found["rows"] or 0), float(found["worth"] or 0)
