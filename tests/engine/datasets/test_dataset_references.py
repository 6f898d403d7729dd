"""The filters that look at all rows, against plain loops that are slow and obvious."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from b2b_recs.engine.datasets.build import build_dataset
from b2b_recs.engine.datasets.spec import DatasetSpec, Filters, Roles
from b2b_recs.engine.errors import EmptyDataset
from b2b_recs.engine.warehouse.local import LocalWarehouse

START = datetime(2024, 1, 1, tzinfo=UTC)
# Eighths of a pound add up exactly, so the loops below may add them in any order.
AMOUNTS = (-16, -1, 0, 1, 3, 8, 20, 20, 64)


class Line(NamedTuple):
    customer: str
    product: str
    hours: int
    order: str | None
    revenue: float | None


LINES = st.lists(
    st.builds(
        Line,
        customer=st.sampled_from("abcd"),
        product=st.sampled_from("uvwxyz"),
        hours=st.integers(0, 24 * 12),
        order=st.sampled_from([None, "1", "2", "3"]),
        revenue=st.sampled_from([None, float("nan"), float("inf"), *(eighths / 8 for eighths in AMOUNTS)]),
    ),
    min_size=1,
    max_size=25,
)
FILTERS = st.builds(
    Filters,
    history_days=st.sampled_from([None, 1, 3, 10]),
    min_orders_per_customer=st.integers(1, 3),
    top_revenue_share=st.sampled_from([1.0, 0.9, 0.5, 0.25, 0.01]),
)


def last_days(lines: list[Line], days: int) -> list[Line]:
    newest = max(line.hours for line in lines)
    return [line for line in lines if line.hours > newest - 24 * days]


def regulars(lines: list[Line], orders: int) -> list[Line]:
    seen = defaultdict(set)
    for line in lines:
        seen[line.customer].add(("number", line.order) if line.order else ("moment", line.hours))
    return [line for line in lines if len(seen[line.customer]) >= orders]


def best_sellers(lines: list[Line], share: float) -> list[Line]:
    worth = defaultdict(float)
    for line in lines:
        known = line.revenue is not None and abs(line.revenue) < float("inf")
        worth[line.product] += line.revenue if known else 0.0
    positive = sorted((product for product in worth if worth[product] > 0), key=lambda one: (-worth[one], one))
    total, reached, kept = sum(worth[product] for product in positive), 0.0, set()
    for product in positive:
        if reached < share * total:
            kept.add(product)
        reached += worth[product]
    return [line for line in lines if line.product in kept]


def by_hand(lines: list[Line], filters: Filters) -> list[Line]:
    if lines and filters.history_days is not None:
        lines = last_days(lines, filters.history_days)
    if filters.min_orders_per_customer > 1:
        lines = regulars(lines, filters.min_orders_per_customer)
    if filters.top_revenue_share < 1:
        lines = best_sellers(lines, filters.top_revenue_share)
    return lines


def by_engine(lines: list[Line], filters: Filters, folder: Path) -> list[tuple[str, str, int]]:
    warehouse = LocalWarehouse(folder)
    columns = dict(zip(Line._fields, zip(*lines, strict=True), strict=True))
    columns["at"] = [START + timedelta(hours=hours) for hours in columns.pop("hours")]
    types = {"at": pa.timestamp("us", "UTC"), "revenue": pa.float64()}
    table = {name: pa.array(values, types.get(name, pa.string())) for name, values in columns.items()}
    warehouse.table("raw_data", "lines").append(pa.table(table))
    roles = Roles(customer="customer", product="product", time="at", revenue="revenue", order="order")
    try:
        build = build_dataset(DatasetSpec(base="lines", roles=roles, filters=filters), warehouse)
    except EmptyDataset:
        return []
    rows = build.interactions
    hours = (rows.time - int(START.timestamp() * 10**6)) // 3_600_000_000
    return sorted(
        (str(rows.customer_ids[customer]), str(rows.product_ids[product]), int(hour))
        for customer, product, hour in zip(rows.customer, rows.product, hours, strict=True)
    )


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(lines=LINES, filters=FILTERS)
def test_every_filter_keeps_what_a_plain_loop_keeps(lines: list[Line], filters: Filters) -> None:
    with TemporaryDirectory() as folder:
        kept = by_engine(lines, filters, Path(folder))
    assert kept == sorted((line.customer, line.product, line.hours) for line in by_hand(lines, filters))
