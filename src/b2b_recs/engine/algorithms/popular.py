"""The same list for everyone: what has been ordered most, ever."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
from pydantic import BaseModel, ConfigDict

from b2b_recs.engine.algorithms.counts import popularity
from b2b_recs.engine.algorithms.same_for_everyone import SameForEveryone
from b2b_recs.engine.datasets.interactions import Interactions


class PopularParameters(BaseModel):
    """Nothing to set."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Popular(SameForEveryone):
    """Products by the number of orders that held them."""

    name: ClassVar[str] = "popular"
    title: ClassVar[str] = "Popular"
    Parameters: ClassVar[type[BaseModel]] = PopularParameters

    def fit(self, interactions: Interactions, now: int) -> Self:
        """Score each product by its number of orders; products never sold have no score."""
        counts = popularity(interactions).astype(np.float32)
        self._scores = np.where(counts > 0, counts, np.float32(-np.inf))
        return self
