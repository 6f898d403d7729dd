"""What is good and bad about a dataset, in numbers an analyst can act on."""

from __future__ import annotations

from typing import Any

import numpy as np

from b2b_recs.engine.counting import counted, percent
from b2b_recs.engine.datasets.interactions import FilterStep, Interactions

DAY = 86_400_000_000  # microseconds


def quality_of(interactions: Interactions, rows: int, steps: tuple[FilterStep, ...]) -> dict[str, Any]:
    """Counts, a score of 0 to 100, and the notes that lowered it; every value is plain JSON.

    ``rows`` are those read, before any step. ``repeated_lines`` equal the line before them in customer, product, order,
    time, quantity and revenue; ``longest_gap_days`` is the longest time between two orders of anyone.
    """
    sold = np.bincount(interactions.product, minlength=interactions.products)
    owner = np.zeros(int(interactions.order.max()) + 1 if len(interactions) else 0, dtype=np.int64)
    owner[interactions.order] = interactions.customer
    orders = np.bincount(owner, minlength=interactions.customers)
    days = np.unique(interactions.time // DAY)
    span = int(days[-1] - days[0]) + 1 if len(days) else 0
    facts: dict[str, Any] = {
        "rows_read": rows,
        "rows_kept": len(interactions),
        "rows_without": {step.name.removesuffix(" known"): step.rows_before - step.rows_after for step in steps[:3]},
        "repeated_lines": _repeated(interactions),
        "lines_without_revenue": int((interactions.revenue == 0).sum()),
        "span_days": span,
        "days_without_orders": span - len(days),
        "longest_gap_days": int(np.diff(days).max()) if len(days) > 1 else 0,
        "products_sold_once": int((sold == 1).sum()),
        "customers_with_one_order": int((orders == 1).sum()),
        "orders": len(owner),
    }
    facts["score"], facts["notes"] = _score(facts, interactions)
    return facts


def _repeated(interactions: Interactions) -> int:
    columns = (
        interactions.time,
        interactions.customer,
        interactions.product,
        interactions.order,
        interactions.quantity,
        interactions.revenue,
    )
    same = np.ones(max(len(interactions) - 1, 0), dtype=bool)
    for column in columns:  # the rows are sorted by all of them, so equal ones are neighbours
        same &= column[1:] == column[:-1]
    return int(same.sum())


def _score(facts: dict[str, Any], interactions: Interactions) -> tuple[int, list[str]]:
    """100 less what each weakness costs; docs/datasets.md has the same table in words."""
    lines, products = max(len(interactions), 1), max(interactions.products, 1)
    lost = sum(facts["rows_without"].values()) / max(facts["rows_read"], 1)
    single = facts["customers_with_one_order"] / max(interactions.customers, 1)
    rare = facts["products_sold_once"] / products
    again = facts["repeated_lines"] / lines
    free = facts["lines_without_revenue"] / lines
    span, gap = facts["span_days"], facts["longest_gap_days"]
    found = (
        (lost > 0.01, min(20.0, 40 * lost), f"{percent(lost)} of the rows read have no customer, product or time."),
        (single > 0.2, min(20.0, 30 * single), f"{percent(single)} of the customers ordered only once."),
        (span < 90, 20.0, f"The orders cover {counted(span, 'day')}; three months or more are better."),
        (gap > 21, 10.0, f"There is a gap of {counted(gap, 'day')} without any order."),
        (rare > 0.3, 10.0, f"{percent(rare)} of the products were sold only once."),
        (again > 0.01, min(10.0, 100 * again), f"{percent(again)} of the lines repeat another line exactly."),
        (free > 0.1, 10.0, f"{percent(free)} of the lines have no revenue."),
    )
    score = 100 - sum(cost for true, cost, _ in found if true)
    return round(max(score, 0)), [words for true, _, words in found if true]
