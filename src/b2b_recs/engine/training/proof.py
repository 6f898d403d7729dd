"""Whether a served model answers as it was measured: the lists of an evaluation against the lists somebody received."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from b2b_recs.engine.algorithms.registry import make_algorithm
from b2b_recs.engine.artifacts.bundle import write_bundle
from b2b_recs.engine.artifacts.store import ArtifactStore
from b2b_recs.engine.artifacts.strings import Strings
from b2b_recs.engine.datasets.interactions import Interactions
from b2b_recs.engine.errors import ArtifactRefused
from b2b_recs.engine.evaluation.metrics import METRICS
from b2b_recs.engine.evaluation.splits import split_at

RECALL_AT = (10, 100)
TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Tested:
    """What one training measured of the algorithm it chose.

    ``cut`` is the moment the test period begins (microseconds since 1970-01-01 UTC). For each of the n ``customers``:
    the ``lists`` of at most 100 product ids, best first, the ``truth`` they were compared with, and for each length
    in RECALL_AT the recall that was found (n,).
    """

    algorithm: str
    parameters: dict[str, Any]
    cut: int
    customers: list[str]
    lists: list[list[str]]
    truth: list[frozenset[str]]
    recall: dict[int, npt.NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Proof:
    """``differing``: customers whose list differs. ``offline`` and ``received``: mean recall by list length."""

    customers: int
    differing: list[str]
    offline: dict[int, float]
    received: dict[int, float]

    @property
    def holds(self) -> bool:
        """Whether every list and every figure is the same."""
        same = all(abs(self.offline[k] - self.received[k]) <= TOLERANCE for k in self.offline)
        return self.customers > 0 and not self.differing and same


def read_tested(store: ArtifactStore, evaluation_id: str) -> Tested:
    """What the evaluation artifact holds about the chosen algorithm. ArtifactRefused when it is no evaluation."""
    artifact = store.open(evaluation_id)
    if artifact.manifest.kind != "evaluation":
        raise ArtifactRefused(
            f"Artifact {evaluation_id[:12]} is a {artifact.manifest.kind}, not an evaluation.",
            advice="Train the model again; that measures it again.",
            field="evaluation_artifact_id",
        )
    facts, arrays = artifact.manifest.facts, artifact.arrays
    products = list(Strings("products", arrays))
    indptr, indices = arrays["truth/indptr"], arrays["truth/indices"]
    figures = arrays[f"figures/{facts['chosen']}/all/numerators"]
    return Tested(
        algorithm=facts["chosen"],
        parameters=facts["chosen_parameters"],
        cut=int(facts["period"]["cut"]),
        customers=list(Strings("customers", arrays)),
        lists=[[products[index] for index in row if index >= 0] for row in arrays["lists"]],
        truth=[frozenset(products[index] for index in indices[begin:end]) for begin, end in pairwise(indptr)],
        recall={k: np.asarray(figures[:, METRICS.index(f"recall@{k}")]) for k in RECALL_AT},
    )


def write_tested_model(store: ArtifactStore, interactions: Interactions, tested: Tested, now: datetime) -> str:
    """The very model that was measured, fitted again on the orders before the cut; the id of its artifact."""
    train = split_at(interactions, tested.cut).train
    model = make_algorithm(tested.algorithm, tested.parameters).fit(train, tested.cut)
    return write_bundle(store, model, train, now=tested.cut, trained_at=now)


def compare(tested: Tested, received: Mapping[str, Sequence[str]]) -> Proof:
    """The lists received, by customer id, against the lists measured; customers not received are left out."""
    rows = [row for row, customer in enumerate(tested.customers) if customer in received]
    lists = [list(received[tested.customers[row]]) for row in rows]
    return Proof(
        customers=len(rows),
        differing=[tested.customers[row] for row, found in zip(rows, lists, strict=True) if found != tested.lists[row]],
        offline={k: _mean(tested.recall[k][rows]) for k in RECALL_AT},
        received={
            k: _mean([_recall(found, tested.truth[row], k) for row, found in zip(rows, lists, strict=True)])
            for k in RECALL_AT
        },
    )


def _recall(found: Sequence[str], truth: frozenset[str], k: int) -> float:
    """Hits among the first ``k`` of as many as could be there; written apart from the metrics on purpose."""
    return len(set(found[:k]) & truth) / min(len(truth), k)


def _mean(values: Sequence[float] | npt.NDArray[np.float64]) -> float:
    return float(np.mean(values)) if len(values) else 0.0
