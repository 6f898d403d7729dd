"""What the customer itself orders, recent orders counting more: the bar every other algorithm has to pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from b2b_recs.engine.algorithms.contract import Algorithm, Arrays, FloatArray
from b2b_recs.engine.algorithms.counts import popular_order_scores, purchase_matrix
from b2b_recs.engine.algorithms.sparse_arrays import sparse_from_arrays, sparse_to_arrays
from b2b_recs.engine.datasets.interactions import Interactions

_FLOOR = 1e-9  # least score of a product the customer has ordered, however long ago
_TIE = 1e-4  # popularity moves products of equal score by at most this share
_TAIL = 1e-12  # popular products the customer never ordered come after all it did order


class BuyAgainParameters(BaseModel):
    """``half_life_days``: an order counts half as much after this many days."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    half_life_days: float = Field(default=90.0, ge=1, le=3650)


class BuyAgain(Algorithm):
    """Sum of 2^(-age / half-life) over the customer's orders that held the product.

    Ties and the places after the customer's own products go by popularity of the last 30 days.
    """

    name: ClassVar[str] = "buy_again"
    title: ClassVar[str] = "Buy again"
    recommends_for_cold: ClassVar[bool] = True
    tail: ClassVar[float] = _TAIL
    Parameters: ClassVar[type[BaseModel]] = BuyAgainParameters
    grid: ClassVar[tuple[dict[str, Any], ...]] = tuple(
        {"half_life_days": days} for days in (30.0, 60.0, 90.0, 120.0, 180.0)
    )

    _own: Any
    _popular: FloatArray

    def fit(self, interactions: Interactions, now: int) -> Self:
        """Sum decayed orders per customer and product."""
        half_life = self.parameters.model_dump()["half_life_days"]
        self._own = purchase_matrix(interactions, now, half_life)
        self._popular = popular_order_scores(interactions, now)
        return self

    def score(self, customers: npt.NDArray[np.int32]) -> FloatArray:
        """Decayed orders for the customer's own products, a trace of popularity for the others."""
        known = self._popular > -np.inf
        trace = np.where(known, self._popular, np.float32(0))
        scores = np.tile(np.where(known, trace * np.float32(_TAIL), -np.inf).astype(np.float32), (len(customers), 1))
        indptr = self._own.indptr
        for row, customer in enumerate(customers):
            if customer < 0:
                continue
            begin, end = indptr[customer], indptr[customer + 1]
            products = self._own.indices[begin:end]
            own = np.maximum(self._own.data[begin:end], _FLOOR)
            scores[row, products] = own * (1 + _TIE * trace[products])
        return scores

    def arrays(self) -> Arrays:
        """``own`` as a sparse matrix (customers, products) and ``popular`` float32 (products,)."""
        return {**sparse_to_arrays("own", self._own), "popular": self._popular}

    @classmethod
    def from_arrays(cls, parameters: BaseModel, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """The fitted model from its arrays."""
        model = cls(parameters)
        model._own = sparse_from_arrays("own", arrays)
        model._popular = arrays["popular"]
        return model
