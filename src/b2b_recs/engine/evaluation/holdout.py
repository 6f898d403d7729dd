"""The question a test period asks: which customers, and what did each of them buy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from b2b_recs.engine.datasets.interactions import Interactions
from b2b_recs.engine.evaluation.splits import Split


@dataclass(frozen=True, slots=True)
class Holdout:
    """Test customers with their truth, as sparse rows over all products.

    ``customers`` int32 (n,): those with orders before the cut and, after it, at least one product of the catalogue.
    ``truth`` CSR (n, products): 1 where bought in the test period, restricted to the catalogue; ``revenue`` the same
    places with the revenue. ``owned`` CSR (n, products): 1 where bought before the cut. ``catalogue`` bool
    (products,): sold before the cut. ``buyers`` int64 (products,): customers who bought it before the cut.
    ``revenue_total``: all revenue of the test period, of any customer and product.
    """

    customers: npt.NDArray[np.int32]
    truth: Any
    revenue: Any
    owned: Any
    catalogue: npt.NDArray[np.bool_]
    buyers: npt.NDArray[np.int64]
    train_customers: int
    revenue_total: float

    def __len__(self) -> int:
        return len(self.customers)

    def limited(self, count: int, seed: int) -> Holdout:
        """The same holdout with at most ``count`` customers, drawn by ``seed``; itself when it has no more."""
        if len(self) <= count:
            return self
        rows = np.sort(np.random.default_rng(seed).choice(len(self), size=count, replace=False))
        return replace(
            self,
            customers=self.customers[rows],
            truth=self.truth[rows],
            revenue=self.revenue[rows],
            owned=self.owned[rows],
        )


def holdout_of(split: Split) -> Holdout:
    """The holdout of a split; it may be empty."""
    train, test = split.train, split.test
    shape = (train.customers, train.products)
    owned = _pairs(train, np.ones(len(train)), shape)
    owned.data[:] = 1.0
    buyers = np.bincount(owned.indices, minlength=train.products)
    catalogue = buyers > 0
    in_catalogue = catalogue[test.product]
    truth = _pairs(test, in_catalogue.astype(np.float64), shape)
    truth.data = (truth.data > 0).astype(np.float64)
    revenue = _pairs(test, test.revenue * in_catalogue, shape)
    revenue.data = np.maximum(revenue.data, 0.0)
    truth.eliminate_zeros()
    has_history = np.diff(owned.indptr) > 0
    customers = np.flatnonzero(has_history & (np.diff(truth.indptr) > 0)).astype(np.int32)
    return Holdout(
        customers=customers,
        truth=truth[customers],
        revenue=revenue[customers],
        owned=owned[customers],
        catalogue=catalogue,
        buyers=buyers.astype(np.int64),
        train_customers=int(has_history.sum()),
        revenue_total=float(np.maximum(test.revenue, 0.0).sum()),
    )


def _pairs(data: Interactions, values: npt.NDArray[np.float64], shape: tuple[int, int]) -> Any:
    from scipy import sparse

    matrix = sparse.csr_matrix((values, (data.customer, data.product)), shape=shape, dtype=np.float64)
    matrix.sum_duplicates()
    return matrix
