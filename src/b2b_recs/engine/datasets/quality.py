"""What is good and bad about a dataset, in numbers an analyst can act on."""

from __future__ import annotations

from typing import Any

import numpy as np

from b2b_recs.engine.datasets.interactions import FilterStep, Interactions

DAY = 86_400_000_000  # microseconds


def quality_of(interactions: Interactions, rows: int, counted: tuple[FilterStep, ...]) -> dict[str, Any]:
    """Shares (0 to 1), counts, and a score of 0 to 100 with the notes that lowered it."""
    unknown = {step.name: step.rows_before - step.rows_after for step in counted if step.name.endswith("known")}
    lines = np.stack([interactions.customer, interactions.product, interactions.order], axis=1)
    repeated = len(interactions) - len(np.unique(lines, axis=0)) if len(interactions) else 0
    days = np.unique(interactions.time // DAY)
    span = int(days[-1] - days[0]) + 1 if len(days) else 0
    once = int((np.bincount(interactions.product, minlength=interactions.products) == 1).sum())
    pairs = np.unique(np.stack([interactions.customer, interactions.order], axis=1), axis=0)
    orders = np.bincount(pairs[:, 0], minlength=interactions.customers) if len(pairs) else np.zeros(0, dtype=int)
    facts: dict[str, Any] = {
        "rows_read": rows,
        "rows_kept": len(interactions),
        "rows_without": unknown,
        "repeated_lines": repeated,
        "span_days": span,
        "days_without_orders": span - len(days),
        "products_sold_once": once,
        "customers_with_one_order": int((orders == 1).sum()),
        "orders": len(np.unique(interactions.order)),
    }
    facts["score"], facts["notes"] = _score(facts, interactions)
    return facts


def _score(facts: dict[str, Any], interactions: Interactions) -> tuple[int, list[str]]:
    score, notes = 100.0, []
    lost = sum(facts["rows_without"].values()) / max(facts["rows_read"], 1)
    if lost > 0.01:
        score -= min(20.0, 40 * lost)
        notes.append(f"{lost:.1%} of the rows have no customer, product or time.")
    single = facts["customers_with_one_order"] / max(interactions.customers, 1)
    if single > 0.2:
        score -= min(20.0, 30 * single)
        notes.append(f"{single:.0%} of the customers ordered only once.")
    if facts["span_days"] < 90:
        score -= 20
        notes.append(f"The orders cover only {facts['span_days']} days; three months or more are better.")
    rare = facts["products_sold_once"] / max(interactions.products, 1)
    if rare > 0.3:
        score -= 10
        notes.append(f"{rare:.0%} of the products were sold only once.")
    again = facts["repeated_lines"] / max(len(interactions), 1)
    if again > 0.1:
        score -= 10
        notes.append(f"{again:.0%} of the lines repeat a product within one order.")
    return round(max(score, 0)), notes
