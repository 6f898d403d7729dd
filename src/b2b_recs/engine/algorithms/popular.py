"""The same list for everyone: what has been ordered most, ever."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from b2b_recs.engine.algorithms.contract import Algorithm, Arrays, FloatArray
from b2b_recs.engine.algorithms.counts import popularity
from b2b_recs.engine.datasets.interactions import Interactions


class PopularParameters(BaseModel):
    """Nothing to set."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Popular(Algorithm):
    """Products by the number of orders that held them."""

    name: ClassVar[str] = "popular"
    title: ClassVar[str] = "Popular"
    recommends_for_cold: ClassVar[bool] = True
    Parameters: ClassVar[type[BaseModel]] = PopularParameters

    _scores: FloatArray

    def fit(self, interactions: Interactions, now: int) -> Self:
        """Count orders; products never sold have no score."""
        counts = popularity(interactions).astype(np.float32)
        self._scores = np.where(counts > 0, counts, np.float32(-np.inf))
        return self

    def score(self, customers: npt.NDArray[np.int32]) -> FloatArray:
        """The number of orders, the same row for every customer."""
        return np.tile(self._scores, (len(customers), 1))

    def arrays(self) -> Arrays:
        """``scores`` float32 (products,)."""
        return {"scores": self._scores}

    @classmethod
    def from_arrays(cls, parameters: BaseModel, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """The fitted model from its one array."""
        model = cls(parameters)
        model._scores = arrays["scores"]
        return model
