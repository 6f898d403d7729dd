"""Which of all rows stay, counted filter by filter as a build applies them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal
from zoneinfo import ZoneInfo

from b2b_recs.engine.datasets.expressions import NEEDED_ROLES, steps
from b2b_recs.engine.datasets.spec import DatasetSpec

Table = Any  # ibis expressions; the library carries no types
Cause = Literal["unknown", "where", "history", "orders", "top"]


@dataclass(frozen=True)
class Staying:
    """All rows of the joined tables, those each filter takes of what the ones before left, and what stays of all.

    ``unknown`` are rows without a customer, a product or a time; ``of_worth`` is the part of the revenue that stays.
    """

    all_rows: int
    gone: tuple[tuple[Cause, int], ...]
    rows: int
    of_worth: float


def staying(spec: DatasetSpec, table: Table, zone: ZoneInfo) -> Staying:
    """What stays of a table of ``with_roles``, with its ``worth_of`` as ``worth``, after every filter."""
    all_rows, all_worth = _measured(table)
    before, worth, gone = all_rows, all_worth, []
    for cause, narrows in _by_cause(spec, zone):
        for narrow in narrows:
            table = narrow(table)
        rows, worth = _measured(table)
        gone.append((cause, before - rows))
        before = rows
    return Staying(all_rows, tuple(gone), before, worth / all_worth if all_worth else 0.0)


def _measured(table: Table) -> tuple[int, float]:
    """The rows and their worth."""
    (found,) = table.aggregate(rows=table.count(), worth=table.worth.sum()).to_pyarrow().to_pylist()
    return int(found["rows"] or 0), float(found["worth"] or 0)


def _by_cause(spec: DatasetSpec, zone: ZoneInfo) -> list[tuple[Cause, list[Callable[[Table], Table]]]]:
    """The steps of a build in their order, those of one cause together."""
    filters = spec.filters
    times: dict[Cause, int] = {
        "unknown": len(NEEDED_ROLES),
        "where": len(filters.where),
        "history": int(filters.history_days is not None),
        "orders": int(filters.min_orders_per_customer > 1),
        "top": int(filters.top_revenue_share < 1),
    }
    causes = [cause for cause, count in times.items() for _ in range(count)]
    found: dict[Cause, list[Callable[[Table], Table]]] = {}
    for cause, (_, narrow) in zip(causes, steps(spec, zone), strict=True):
        found.setdefault(cause, []).append(narrow)
    return list(found.items())
