"""Orders counted in the ways the algorithms share: by product, by customer and product, with or without decay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from b2b_recs.engine.datasets.interactions import Interactions

DAY = 86_400_000_000  # microseconds


@dataclass(frozen=True, slots=True)
class OrderedProducts:
    """Each customer, order and product once: int32 and int64 arrays of one length, sorted by those three.

    ``time`` is the last line's time, ``quantity`` and ``revenue`` the sums over the order's lines.
    """

    customer: npt.NDArray[np.int32]
    product: npt.NDArray[np.int32]
    time: npt.NDArray[np.int64]
    quantity: npt.NDArray[np.float64]
    revenue: npt.NDArray[np.float64]


def ordered_products(interactions: Interactions) -> OrderedProducts:
    """Order lines merged so that a product split over several lines of one order counts once."""
    data = interactions
    by = np.lexsort((data.time, data.product, data.order, data.customer))
    customer, order, product = data.customer[by], data.order[by], data.product[by]
    first = np.ones(len(by), dtype=bool)
    first[1:] = (customer[1:] != customer[:-1]) | (order[1:] != order[:-1]) | (product[1:] != product[:-1])
    starts = np.flatnonzero(first)
    last = np.append(starts[1:], len(by)) - 1 if len(by) else starts
    return OrderedProducts(
        customer=customer[starts],
        product=product[starts],
        time=data.time[by][last],
        quantity=np.add.reduceat(data.quantity[by], starts) if len(by) else data.quantity,
        revenue=np.add.reduceat(data.revenue[by], starts) if len(by) else data.revenue,
    )


def decay(times: npt.NDArray[np.int64], now: int, half_life_days: float) -> npt.NDArray[np.float64]:
    """2^(-age / half-life) for each time; 1 for a time after ``now``."""
    ages = np.maximum(now - times, 0) / DAY
    return np.exp2(-ages / half_life_days)


def purchase_matrix(interactions: Interactions, now: int, half_life_days: float) -> Any:
    """CSR float32 (customers, products): the decayed number of distinct orders; column indices sorted."""
    from scipy import sparse

    once = ordered_products(interactions)
    shape = (interactions.customers, interactions.products)
    matrix = sparse.csr_matrix(
        (decay(once.time, now, half_life_days).astype(np.float32), (once.customer, once.product)), shape=shape
    )
    matrix.sum_duplicates()
    return matrix


def popularity(interactions: Interactions, since: int | None = None) -> npt.NDArray[np.int64]:
    """How many orders held each product (products,), counting from ``since`` (microseconds) where given."""
    once = ordered_products(interactions)
    product = once.product if since is None else once.product[once.time >= since]
    return np.bincount(product, minlength=interactions.products)


def popular_order_scores(interactions: Interactions, now: int, days: float = 30.0) -> npt.NDArray[np.float32]:
    """One score per product (products,): orders in the last ``days`` days, ties by all orders ever.

    Between 0 and 1 for products ever sold, -inf for others. Products order themselves as people would say it:
    what sells now first, then what has always sold.
    """
    recent = popularity(interactions, now - round(days * DAY))
    ever = popularity(interactions)
    order = np.lexsort((ever, recent))
    pairs = np.stack([recent[order], ever[order]])
    step = np.ones(len(order), dtype=bool)
    step[1:] = (pairs[:, 1:] != pairs[:, :-1]).any(axis=0)
    place = np.empty(len(order), dtype=np.float64)
    place[order] = np.cumsum(step)
    scores = place / max(place.max(initial=0.0), 1.0)
    return np.where(ever > 0, scores, -np.inf).astype(np.float32)
