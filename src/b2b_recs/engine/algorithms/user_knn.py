"""What similar customers order lately, plus what the customer orders itself.

Source: Faggioli, Polato, Aiolli, "Recency Aware Collaborative Filtering for Next Basket Recommendation", UMAP 2020
(there with a window of recent baskets, here with a half-life).
"""

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

_TAIL = 1e-12  # products no neighbour bought follow by popularity
_CELLS = 4_000_000  # customers asked × all customers compared at a time


class UserKnnParameters(BaseModel):
    """``neighbours``: how many similar customers speak; ``own``: the weight of the customer's own orders beside them.

    An order halves after ``half_life_days``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    half_life_days: float = Field(default=40.0, ge=1, le=3650)
    neighbours: int = Field(default=200, ge=1, le=10_000)
    own: float = Field(default=0.2, ge=0, le=100)


class UserKnn(Algorithm):
    """Cosine neighbours over decayed orders; their unit-length histories are averaged by similarity."""

    name: ClassVar[str] = "user_knn"
    title: ClassVar[str] = "Similar customers and own orders"
    recommends_for_cold: ClassVar[bool] = True
    tail: ClassVar[float] = _TAIL
    Parameters: ClassVar[type[BaseModel]] = UserKnnParameters
    grid: ClassVar[tuple[dict[str, Any], ...]] = (
        {"half_life_days": 40.0, "neighbours": 200, "own": 0.2},
        {"half_life_days": 30.0, "neighbours": 200, "own": 0.2},
        {"half_life_days": 60.0, "neighbours": 200, "own": 0.3},
        {"half_life_days": 120.0, "neighbours": 200, "own": 0.5},
    )

    _taste: Any  # customers × products, rows of length 1
    _buyers: Any  # products × customers, the same numbers
    _popular: FloatArray

    def fit(self, interactions: Interactions, now: int) -> Self:
        """Bring every customer's decayed orders to length 1."""
        from scipy import sparse

        chosen = UserKnnParameters.model_validate(self.parameters.model_dump())
        counts = purchase_matrix(interactions, now, chosen.half_life_days)
        squares = counts.copy()
        squares.data **= 2
        lengths = np.sqrt(np.asarray(squares.sum(axis=1)).ravel())
        lengths[lengths == 0] = 1.0
        self._taste = (sparse.diags(1.0 / lengths) @ counts).tocsr().astype(np.float32)
        self._taste.sort_indices()
        self._buyers = self._taste.T.tocsr()
        self._buyers.sort_indices()
        self._popular = popular_order_scores(interactions, now)
        return self

    def score(self, customers: npt.NDArray[np.int32]) -> FloatArray:
        """Neighbours' orders plus own ones, then popularity; -inf for products never sold."""
        known = np.flatnonzero(customers >= 0)
        sold = self._popular > -np.inf
        tail = np.where(sold, self._popular * np.float32(_TAIL), np.float32(-np.inf))
        scores = np.tile(tail.astype(np.float32), (len(customers), 1))
        own = float(self.parameters.model_dump()["own"])
        step = max(1, _CELLS // max(self._taste.shape[0], 1))
        for begin in range(0, len(known), step):
            rows = known[begin : begin + step]
            asked = customers[rows]
            near = self._neighbours(asked) @ self._taste
            scores[rows] += (near + own * self._taste[asked]).toarray().astype(np.float32)
        return scores

    def _neighbours(self, customers: npt.NDArray[np.int32]) -> Any:
        """Weights (len(customers), all customers), sparse: the most similar others, weights summing to 1."""
        from scipy import sparse

        limit = int(self.parameters.model_dump()["neighbours"])
        similar = (self._taste[customers] @ self._buyers).tocsr()
        similar.sort_indices()
        indices, weights, ends = [], [], [0]
        for row, customer in enumerate(customers):
            begin, end = similar.indptr[row], similar.indptr[row + 1]
            others, values = similar.indices[begin:end], similar.data[begin:end]
            apart = (others != customer) & (values > 0)
            others, values = others[apart], values[apart]
            if len(values) > limit:
                kept = np.sort(np.argsort(-values, kind="stable")[:limit])
                others, values = others[kept], values[kept]
            indices.append(others)
            weights.append(values / max(float(values.sum()), 1e-12))
            ends.append(ends[-1] + len(others))
        shape = (len(customers), self._taste.shape[0])
        return sparse.csr_matrix((np.concatenate(weights), np.concatenate(indices), ends), shape=shape)

    def arrays(self) -> Arrays:
        """``taste`` and ``buyers`` as sparse matrices, ``popular`` float32 (products,)."""
        return {
            **sparse_to_arrays("taste", self._taste),
            **sparse_to_arrays("buyers", self._buyers),
            "popular": self._popular,
        }

    @classmethod
    def from_arrays(cls, parameters: BaseModel, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """The fitted model from its arrays."""
        model = cls(parameters)
        model._taste = sparse_from_arrays("taste", arrays)
        model._buyers = sparse_from_arrays("buyers", arrays)
        model._popular = arrays["popular"]
        return model
