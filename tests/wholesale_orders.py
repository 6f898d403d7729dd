"""Small sets of orders for tests: written by hand, or drawn with a seed so that customers have habits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from b2b_recs.engine.datasets.interactions import Interactions

DAY = 86_400_000_000
START = 1_600_000_000_000_000  # 2020-09-13, in microseconds

Line = tuple[str, str, str, float, float]  # customer, product, order, day, revenue


def orders_of(lines: Sequence[Line]) -> Interactions:
    """Interactions of lines (customer, product, order, day, revenue); quantity is 1."""
    lines = sorted(lines, key=lambda line: line[3])
    customers, customer = _indices([line[0] for line in lines])
    products, product = _indices([line[1] for line in lines])
    _, order = _indices([line[2] for line in lines])
    return Interactions(
        customer=customer,
        product=product,
        order=order,
        time=np.array([START + round(line[3] * DAY) for line in lines], dtype=np.int64),
        revenue=np.array([line[4] for line in lines], dtype=np.float64),
        quantity=np.ones(len(lines)),
        customer_ids=customers,
        product_ids=products,
        product_names=np.array([f"Product {name}" for name in products], dtype=np.str_),
        product_categories=np.full(len(products), "", dtype="U1"),
        customer_names=np.full(len(customers), "", dtype="U1"),
    )


def habitual_orders(
    customers: int = 40, products: int = 60, days: int = 200, seed: int = 1, orders: int = 12
) -> Interactions:
    """Customers in four groups; each orders every few weeks, mostly what its group likes."""
    random = np.random.default_rng(seed)
    lines: list[Line] = []
    for customer in range(customers):
        liked = np.arange(products)[customer % 4 :: 4]
        habit = random.choice(liked, size=min(6, len(liked)), replace=False)
        for order in range(orders):
            day = float(random.uniform(0, days))
            bought = {*random.choice(habit, size=min(3, len(habit)), replace=False), *random.choice(liked, size=2)}
            lines += [
                (f"c{customer:03d}", f"p{product:03d}", f"o{customer:03d}-{order}", day, float(random.integers(1, 90)))
                for product in sorted(int(each) for each in bought)
            ]
    return orders_of(lines)


def _indices(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    if not texts:
        return np.array([], dtype="U1"), np.array([], dtype=np.int32)
    values, index = np.unique(np.array(texts, dtype=np.str_), return_inverse=True)
    return values, index.astype(np.int32)
