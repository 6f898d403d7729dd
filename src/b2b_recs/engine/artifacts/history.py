"""What each customer has bought: the arrays behind reasons, "buy again" and the list of new products."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from b2b_recs.engine.algorithms.counts import DAY, ordered_products
from b2b_recs.engine.datasets.interactions import Interactions


@dataclass(frozen=True, slots=True)
class History:
    """One customer's products, by product index ascending; all arrays have one length.

    ``orders``: distinct orders; ``first``, ``last``: microseconds since 1970-01-01 UTC; ``quantity``: total over
    all orders; ``mean_days``: mean days between orders, NaN for products ordered once.
    """

    product: npt.NDArray[np.int32]
    orders: npt.NDArray[np.int32]
    first: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]
    quantity: npt.NDArray[np.float64]

    @property
    def mean_days(self) -> npt.NDArray[np.float64]:
        """Mean days between orders of each product."""
        span = (self.last - self.first) / DAY
        return np.where(self.orders > 1, span / np.maximum(self.orders - 1, 1), np.nan)


def history_arrays(interactions: Interactions) -> dict[str, npt.NDArray[Any]]:
    """The history of every customer as one compressed table: ``history/indptr`` int64 (customers + 1,) and columns."""
    once = ordered_products(interactions)
    by = np.lexsort((once.time, once.product, once.customer))
    customer, product, time = once.customer[by], once.product[by], once.time[by]
    first = np.ones(len(by), dtype=bool)
    first[1:] = (customer[1:] != customer[:-1]) | (product[1:] != product[:-1])
    starts = np.flatnonzero(first)
    ends = np.append(starts[1:], len(by)) if len(by) else starts
    indptr = np.zeros(interactions.customers + 1, dtype=np.int64)
    np.cumsum(np.bincount(customer[starts], minlength=interactions.customers), out=indptr[1:])
    quantity = once.quantity[by]
    return {
        "history/indptr": indptr,
        "history/product": product[starts].astype(np.int32),
        "history/orders": (ends - starts).astype(np.int32),
        "history/first": time[starts],
        "history/last": time[ends - 1],
        "history/quantity": np.add.reduceat(quantity, starts) if len(by) else quantity,
    }


def customer_history(arrays: Mapping[str, npt.NDArray[Any]], customer: int) -> History:
    """The history of one customer index; empty for -1, an unknown customer."""
    indptr = arrays["history/indptr"]
    begin, end = (0, 0) if customer < 0 else (int(indptr[customer]), int(indptr[customer + 1]))
    return History(
        product=arrays["history/product"][begin:end],
        orders=arrays["history/orders"][begin:end],
        first=arrays["history/first"][begin:end],
        last=arrays["history/last"][begin:end],
        quantity=arrays["history/quantity"][begin:end],
    )
