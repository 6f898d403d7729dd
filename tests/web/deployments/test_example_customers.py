"""The customers shown as examples are ordinary ones, not the first of the list."""

from __future__ import annotations

from typing import Any

import numpy as np

from b2b_recs.web.deployments.customers import ordinary_indices


def arrays(orders: list[int]) -> dict[str, Any]:
    """Histories of customers who ordered so many products, each at a time of its own."""
    rows = [count for count in orders for _ in range(count)]
    first = [10 * at for at in range(len(rows))]
    return {
        "history/indptr": np.cumsum([0, *orders]),
        "history/first": np.array(first, dtype=np.int64),
        "history/last": np.array(first, dtype=np.int64),
    }


def test_the_example_is_near_the_middle_by_number_of_orders_and_has_ordered() -> None:
    middle, *more = ordinary_indices(arrays([40, 1, 0, 3, 2, 5, 1, 90, 4]))
    assert middle == 8  # of 1 1 2 3 4 5 40 90, the fifth: an even number has no middle
    assert more == [5, 0]


def test_orders_at_one_time_count_once_and_nobody_without_orders_is_an_example() -> None:
    one = arrays([3, 2])
    one["history/first"][:3] = one["history/last"][:3] = 7
    assert ordinary_indices(one)[0] == 0
    assert ordinary_indices(arrays([0, 0])) == []
