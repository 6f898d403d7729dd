"""What every algorithm learns from: who bought what, when, for how much."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Interactions:
    """Order lines in time order, with customers and products as dense indices.

    ``customer``, ``product``, ``order``: int32 (n,), indices into ``customer_ids``, ``product_ids`` and orders;
    ``time``: int64 (n,), microseconds since 1970-01-01 UTC, ascending; ``revenue``, ``quantity``: float64 (n,).
    ``customer_ids``, ``product_ids``: unicode arrays, sorted, so that an index is stable for the same data;
    ``product_names``, ``product_categories``, ``customer_names``: same length as the ids, "" where unknown.
    """

    customer: npt.NDArray[np.int32]
    product: npt.NDArray[np.int32]
    order: npt.NDArray[np.int32]
    time: npt.NDArray[np.int64]
    revenue: npt.NDArray[np.float64]
    quantity: npt.NDArray[np.float64]
    customer_ids: npt.NDArray[np.str_]
    product_ids: npt.NDArray[np.str_]
    product_names: npt.NDArray[np.str_]
    product_categories: npt.NDArray[np.str_]
    customer_names: npt.NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.customer)

    @property
    def customers(self) -> int:
        """How many customers the ids name (some may have no line after a split)."""
        return len(self.customer_ids)

    @property
    def products(self) -> int:
        """How many products the ids name."""
        return len(self.product_ids)


@dataclass(frozen=True, slots=True)
class FilterStep:
    """One filter in words, and the rows before and after it."""

    name: str
    rows_before: int
    rows_after: int


@dataclass(frozen=True, slots=True)
class DatasetBuild:
    """A dataset version: the interactions, the exact table versions read, and how rows were left out.

    ``fingerprint`` is the SHA-256 of definition and table versions; the same fingerprint is the same data.
    """

    interactions: Interactions
    table_versions: dict[str, int]
    fingerprint: str
    sql: str
    steps: tuple[FilterStep, ...]
    rows: int
    quality: dict[str, Any] = field(default_factory=dict)
