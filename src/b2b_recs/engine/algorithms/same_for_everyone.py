"""What algorithms share that know one list for everybody: one score for each product."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from b2b_recs.engine.algorithms.contract import Algorithm, Arrays, FloatArray


class SameForEveryone(Algorithm):
    """A subclass's ``fit`` sets ``_scores``, float32 (products,), -inf for products never sold."""

    recommends_for_cold: ClassVar[bool] = True

    _scores: FloatArray

    def score(self, customers: npt.NDArray[np.int32]) -> FloatArray:
        """The products' scores, the same row for every customer."""
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
