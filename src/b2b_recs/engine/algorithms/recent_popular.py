"""The same list for everyone: what has been ordered most lately."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field

from b2b_recs.engine.algorithms.counts import popular_order_scores
from b2b_recs.engine.algorithms.same_for_everyone import SameForEveryone
from b2b_recs.engine.datasets.interactions import Interactions


class RecentPopularParameters(BaseModel):
    """``days``: how far back an order counts."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    days: int = Field(default=30, ge=1, le=3650)


class RecentPopular(SameForEveryone):
    """Products by orders in the last days, ties by all orders ever."""

    name: ClassVar[str] = "recent_popular"
    title: ClassVar[str] = "Recently popular"
    Parameters: ClassVar[type[BaseModel]] = RecentPopularParameters

    def fit(self, interactions: Interactions, now: int) -> Self:
        """Score each product by its place between 0 and 1; products never sold have no score."""
        days = self.parameters.model_dump()["days"]
        self._scores = popular_order_scores(interactions, now, days)
        return self
