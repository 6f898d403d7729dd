"""The last fit and the two artifacts a training leaves: what serving opens, and what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from b2b_recs.engine.algorithms.contract import Algorithm
from b2b_recs.engine.algorithms.ranking import rank
from b2b_recs.engine.algorithms.registry import make_algorithm
from b2b_recs.engine.artifacts.bundle import Recommender, open_bundle
from b2b_recs.engine.artifacts.store import ArtifactStore
from b2b_recs.engine.artifacts.strings import pack_strings
from b2b_recs.engine.datasets.interactions import Interactions
from b2b_recs.engine.errors import EngineError
from b2b_recs.engine.evaluation.holdout import Holdout
from b2b_recs.engine.evaluation.metrics import Measured
from b2b_recs.engine.training.candidates import Candidate
from b2b_recs.engine.training.periods import Periods
from b2b_recs.engine.training.result import Evaluation
from b2b_recs.engine.training.spec import TrainingSpec

LIST_LENGTH = 100
_SECONDS = {"tuning_seconds", "fit_seconds", "evaluation_seconds"}


def last_fit(
    interactions: Interactions, periods: Periods, chosen: Candidate, spec: TrainingSpec
) -> tuple[Algorithm, Interactions, int]:
    """The model to serve, the orders it learnt from, and the moment its ages are counted from."""
    if spec.refit == "training" and chosen.model is not None:
        return chosen.model, periods.test.train, periods.test.cut
    now = int(interactions.time.max()) + 1
    return make_algorithm(chosen.name, chosen.parameters).fit(interactions, now), interactions, now


def write_evaluation(
    artifacts: ArtifactStore,
    evaluation: Evaluation,
    periods: Periods,
    chosen: Candidate,
    measured: Mapping[str, Measured],
    interactions: Interactions,
) -> str:
    """The report, every customer's figures, and the chosen model's lists (n, 100), -1 after the end."""
    holdout = periods.test_holdout
    arrays: dict[str, npt.NDArray[Any]] = {
        **pack_strings("customers", interactions.customer_ids[holdout.customers]),
        **pack_strings("products", interactions.product_ids),
        "truth/indptr": holdout.truth.indptr.astype(np.int64),
        "truth/indices": holdout.truth.indices.astype(np.int32),
        "lists": _lists(chosen, holdout),
    }
    for name, each in measured.items():
        for segment in each.numerators:
            arrays[f"figures/{name}/{segment}/numerators"] = each.numerators[segment]
            arrays[f"figures/{name}/{segment}/denominators"] = each.denominators[segment]
    timeless: Any = {
        "algorithms": {"__all__": _SECONDS},
        "in_service": _SECONDS,
    }  # the same findings, the same artifact
    return artifacts.write("evaluation", evaluation.model_dump(mode="json", exclude=timeless), arrays)


def _lists(chosen: Candidate, holdout: Holdout) -> npt.NDArray[np.int32]:
    lists = np.full((len(holdout), LIST_LENGTH), -1, dtype=np.int32)
    if chosen.model is not None:
        for row in range(len(holdout)):
            scores = chosen.model.score(holdout.customers[row : row + 1])
            products, _ = rank(scores, LIST_LENGTH, holdout.catalogue)[0]
            lists[row, : len(products)] = products
    return lists


def probe(artifacts: ArtifactStore, artifact_id: str) -> str | None:
    """None when the artifact opens and answers as serving will ask it, else what is wrong in words."""
    try:
        bundle = open_bundle(artifacts, artifact_id)
        recommender = Recommender(bundle)
        for customer_id in (*bundle.customer_ids[:3], "\x00no such customer"):
            answer = recommender.recommend(customer_id, 10)
            if not len(answer.products) or not np.isfinite(answer.scores).all():
                return "it gave no recommendations."
    except EngineError as error:
        return str(error)
    return None
