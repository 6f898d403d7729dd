"""Customers and products as short vectors, fitted by alternating least squares.

Source: Hu, Koren, Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", ICDM 2008; solved by the
``implicit`` library with the conjugate gradient steps of Takács, Pilászy, Tikk, RecSys 2011.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field
from threadpoolctl import threadpool_limits

from b2b_recs.engine.algorithms.contract import Algorithm, Arrays, FloatArray
from b2b_recs.engine.algorithms.counts import purchase_matrix
from b2b_recs.engine.datasets.interactions import Interactions
from b2b_recs.engine.errors import EngineError


class IalsParameters(BaseModel):
    """``factors``: numbers per customer and product; ``alpha``: how much an order weighs against no order.

    An order halves after ``half_life_days``; ``seed`` fixes the random start.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    half_life_days: float = Field(default=30.0, ge=1, le=3650)
    factors: int = Field(default=64, ge=1, le=1024)
    alpha: float = Field(default=2.0, gt=0, le=1000)
    regularization: float = Field(default=10.0, gt=0, le=1e5)
    iterations: int = Field(default=15, ge=1, le=200)
    seed: int = Field(default=0, ge=0, le=2**31 - 1)


class Ials(Algorithm):
    """Scores are inner products of a customer's and a product's vector."""

    name: ClassVar[str] = "ials"
    title: ClassVar[str] = "iALS"
    Parameters: ClassVar[type[BaseModel]] = IalsParameters
    grid: ClassVar[tuple[dict[str, Any], ...]] = (
        {"half_life_days": 30.0, "alpha": 2.0, "regularization": 10.0},
        {"half_life_days": 30.0, "alpha": 4.0, "regularization": 20.0},
        {"half_life_days": 60.0, "alpha": 2.0, "regularization": 10.0},
        {"half_life_days": 90.0, "alpha": 1.0, "regularization": 5.0},
    )

    _customers: FloatArray
    _products: FloatArray
    _known: npt.NDArray[np.bool_]
    _sold: npt.NDArray[np.bool_]

    def fit(self, interactions: Interactions, now: int) -> Self:
        """Alternate between customers and products; the same data, settings and seed give the same vectors."""
        chosen = IalsParameters.model_validate(self.parameters.model_dump())
        matrix = purchase_matrix(interactions, now, chosen.half_life_days)
        self._known = np.diff(matrix.indptr) > 0
        self._sold = np.bincount(matrix.indices, minlength=interactions.products) > 0
        # A library pool inside the solver's own threads makes both slower, and its sums less repeatable.
        with threadpool_limits(limits=1, user_api="blas"):
            solver = _solver_class()(
                factors=chosen.factors,
                regularization=chosen.regularization,
                alpha=chosen.alpha,
                iterations=chosen.iterations,
                random_state=chosen.seed,
                num_threads=min(os.cpu_count() or 1, 8),
            )
            solver.fit(matrix, show_progress=False)
        self._customers = np.ascontiguousarray(solver.user_factors, dtype=np.float32)
        self._products = np.ascontiguousarray(solver.item_factors, dtype=np.float32)
        return self

    def score(self, customers: npt.NDArray[np.int32]) -> FloatArray:
        """Inner products; -inf for customers without orders and products never sold."""
        scores = np.full((len(customers), len(self._products)), -np.inf, dtype=np.float32)
        for row, customer in enumerate(customers):
            if customer >= 0 and self._known[customer]:
                # One product of matrix and vector per customer: the same bits alone as in a batch.
                scores[row] = self._products @ self._customers[customer]
        scores[:, ~self._sold] = -np.inf
        return scores

    def arrays(self) -> Arrays:
        """``customers`` and ``products`` float32 (count, factors); ``known`` and ``sold`` bool."""
        return {
            "customers": self._customers,
            "products": self._products,
            "known": self._known,
            "sold": self._sold,
        }

    @classmethod
    def from_arrays(cls, parameters: BaseModel, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """The fitted model from its arrays."""
        model = cls(parameters)
        model._customers, model._products = arrays["customers"], arrays["products"]
        model._known, model._sold = arrays["known"], arrays["sold"]
        if len(model._known) != len(model._customers) or len(model._sold) != len(model._products):
            raise ValueError("the vectors and their marks differ in length")
        return model


def _solver_class() -> Any:
    """The solver of the implicit library. EngineError where the system lacks the library for its threads."""
    try:
        from implicit.cpu.als import AlternatingLeastSquares
    except ImportError as error:
        raise EngineError(
            f"iALS cannot run on this machine: {error}.",
            advice="Install it: apt-get install libgomp1 (Debian, Ubuntu) or dnf install libgomp (Fedora).",
        ) from error
    return AlternatingLeastSquares
