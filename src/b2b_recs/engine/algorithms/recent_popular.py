"""The same list for everyone: what has been ordered most lately."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from b2b_recs.engine.algorithms.contract import Algorithm, Arrays, FloatArray
from b2b_recs.engine.algorithms.counts import popular_order_scores
from b2b_recs.engine.datasets.interactions import Interactions


class RecentPopularParameters(BaseModel):
    """``days``: how far back an order counts."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    days: int = Field(default=30, ge=1, le=3650)


class RecentPopular(Algorithm):
    """Products by orders in the last days, ties by all orders ever."""

    name: ClassVar[str] = "recent_popular"
    title: ClassVar[str] = "Recently popular"
    recommends_for_cold: ClassVar[bool] = True
    Parameters: ClassVar[type[BaseModel]] = RecentPopularParameters

    _scores: FloatArray

    def fit(self, interactions: Interactions, now: int) -> Self:
        """Count orders of the last days; products never sold have no score."""
        days = self.parameters.model_dump()["days"]
        self._scores = popular_order_scores(interactions, now, days)
        return self

    def score(self, customers: npt.NDArray[np.int32]) -> FloatArray:
        """A place between 0 and 1, the same row for every customer."""
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
