"""What every algorithm can do; one file per algorithm, all registered in ``registry``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from b2b_recs.engine.datasets.interactions import Interactions

FloatArray = npt.NDArray[np.float32]
Arrays = dict[str, npt.NDArray[Any]]


class Algorithm(ABC):
    """One way to score products for customers.

    ``title`` is the name people read. ``recommends_for_cold`` says whether customers without history get a
    meaningful order. Scores of at most ``tail`` are no opinion: popularity fills the list there. ``Parameters`` are the
    tunable settings with defaults and bounds; ``grid`` lists the settings automatic choice tries.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    recommends_for_cold: ClassVar[bool] = False
    tail: ClassVar[float] = -np.inf
    Parameters: ClassVar[type[BaseModel]]
    grid: ClassVar[tuple[dict[str, Any], ...]] = ({},)

    def __init__(self, parameters: BaseModel | None = None) -> None:
        self.parameters = parameters if parameters is not None else self.Parameters()

    @abstractmethod
    def fit(self, interactions: Interactions, now: int) -> Self:
        """Learn; ``now`` is the moment, in microseconds, from which ages are counted. Deterministic."""

    @abstractmethod
    def score(self, customers: npt.NDArray[np.int32]) -> FloatArray:
        """Scores (len(customers), products), float32, higher is better; -inf where it has no opinion."""

    @abstractmethod
    def arrays(self) -> Arrays:
        """Everything learnt, as plain arrays (no object dtype)."""

    @classmethod
    @abstractmethod
    def from_arrays(cls, parameters: BaseModel, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """The same model again; arrays may be read-only memory maps."""
