"""Products that go together, learnt in closed form for the whole catalogue at once.

Source: Harald Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from b2b_recs.engine.algorithms.contract import Algorithm, Arrays, FloatArray
from b2b_recs.engine.algorithms.counts import popularity, purchase_matrix
from b2b_recs.engine.algorithms.sparse_arrays import sparse_from_arrays, sparse_to_arrays
from b2b_recs.engine.datasets.interactions import Interactions
from b2b_recs.engine.errors import BadInput

_BLOCK = 1024  # rows of the product-by-product matrix worked on at a time


class EaseParameters(BaseModel):
    """``regularization`` is added to each product's own weight; an order halves after ``half_life_days``.

    ``max_products``: the most ordered products that take part; memory and artifact take 4 bytes times its square.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    half_life_days: float = Field(default=90.0, ge=1, le=3650)
    regularization: float = Field(default=100.0, gt=0, le=1e6)
    max_products: int = Field(default=8_000, ge=1, le=40_000)


class Ease(Algorithm):
    """Scores are the customer's decayed orders times a product-to-product matrix without diagonal."""

    name: ClassVar[str] = "ease"
    title: ClassVar[str] = "EASE"
    Parameters: ClassVar[type[BaseModel]] = EaseParameters
    grid: ClassVar[tuple[dict[str, Any], ...]] = (
        {"half_life_days": 90.0, "regularization": 100.0},
        {"half_life_days": 60.0, "regularization": 100.0},
        {"half_life_days": 30.0, "regularization": 50.0},
        {"half_life_days": 90.0, "regularization": 30.0},
    )

    _taste: Any  # customers × kept products
    _weights: FloatArray  # kept × kept
    _kept: npt.NDArray[np.int32]
    _products: int

    def fit(self, interactions: Interactions, now: int) -> Self:
        """Invert the regularised product-by-product matrix of decayed orders (float32, Cholesky)."""
        chosen = EaseParameters.model_validate(self.parameters.model_dump())
        sold = popularity(interactions)
        by_orders = np.argsort(-sold, kind="stable")[: chosen.max_products]
        self._kept = np.sort(by_orders[sold[by_orders] > 0]).astype(np.int32)
        self._products = interactions.products
        self._taste = purchase_matrix(interactions, now, chosen.half_life_days)[:, self._kept].tocsr()
        self._taste.sort_indices()
        self._weights = _weights(_gram(self._taste), chosen.regularization)
        return self

    def score(self, customers: npt.NDArray[np.int32]) -> FloatArray:
        """Weighted sums over the customer's products; -inf for customers without orders and products left out."""
        scores = np.full((len(customers), self._products), -np.inf, dtype=np.float32)
        known = np.flatnonzero(customers >= 0)
        taste = self._taste[customers[known]]
        some = np.diff(taste.indptr) > 0
        scores[np.ix_(known[some], self._kept)] = taste[some] @ self._weights
        return scores

    def arrays(self) -> Arrays:
        """``weights`` float32 (kept, kept), ``kept`` int32, ``products`` int64 (1,) and ``taste`` sparse."""
        return {
            "weights": self._weights,
            "kept": self._kept,
            "products": np.array([self._products], dtype=np.int64),
            **sparse_to_arrays("taste", self._taste),
        }

    @classmethod
    def from_arrays(cls, parameters: BaseModel, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """The fitted model from its arrays; the weights stay in their file until rows are needed."""
        model = cls(parameters)
        model._weights = arrays["weights"]
        model._kept = arrays["kept"]
        model._products = int(arrays["products"][0])
        model._taste = sparse_from_arrays("taste", arrays)
        return model


def _gram(taste: Any) -> FloatArray:
    """taste' × taste as a dense matrix, a block of rows at a time so that the sparse product stays small."""
    across = taste.T.tocsr()
    products = taste.shape[1]
    gram = np.empty((products, products), dtype=np.float32)
    for begin in range(0, products, _BLOCK):
        gram[begin : begin + _BLOCK] = (across[begin : begin + _BLOCK] @ taste).toarray()
    return gram


def _weights(gram: FloatArray, regularization: float) -> FloatArray:
    """The matrix B = I - P / diag(P) with P the inverse of gram + regularization, in the memory of ``gram``."""
    from scipy.linalg import lapack

    products = len(gram)
    if not products:
        return gram
    gram[np.diag_indices_from(gram)] += np.float32(regularization)
    # The transpose of a symmetric matrix is itself, in the column order LAPACK works on without a copy.
    factor, failed = lapack.spotrf(gram.T, lower=1, overwrite_a=1)
    if not failed:
        factor, failed = lapack.spotri(factor, lower=1, overwrite_c=1)
    if failed:
        raise BadInput(
            "EASE could not be solved with so little regularization.",
            advice="Raise regularization, or leave it out to have it chosen.",
            field="regularization",
        )
    inverse: FloatArray = factor.T  # rows again; only the upper triangle is filled
    for begin in range(0, products, _BLOCK):
        rows = slice(begin, begin + _BLOCK)
        square = np.triu(inverse[rows, rows])
        inverse[rows, :begin] = inverse[:begin, rows].T
        inverse[rows, rows] = square + np.triu(square, 1).T
    inverse /= -np.diag(inverse)
    inverse[np.diag_indices_from(inverse)] = 0.0
    return np.ascontiguousarray(inverse)
