"""Trained versions that serving could really open, for tests of what is put into service."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from run_rows import Shop
from wholesale_orders import habitual_orders

from b2b_recs.engine.algorithms.registry import make_algorithm
from b2b_recs.engine.artifacts.bundle import write_bundle
from b2b_recs.engine.artifacts.store import ArtifactStore
from b2b_recs.runtime.home import Home
from b2b_recs.web.experiments.models import TrainedModel
from b2b_recs.web.tenancy import scope

NOW = datetime(2026, 3, 1, tzinfo=UTC)
WORSE = "It is worse than the model in service (Buy again): -0.031 [-0.040, -0.022]."
FIGURE = {"value": 0.381, "low": 0.372, "high": 0.39}


def artifact(number: int) -> str:
    """The id of a small model on the disk, another one for each number."""
    orders = habitual_orders(customers=6, products=8, orders=4)
    moment = int(NOW.timestamp() * 1_000_000)
    model = make_algorithm("popular").fit(orders, moment)
    store = ArtifactStore(Home.current().create().artifacts)
    return write_bundle(store, model, orders, now=moment, trained_at=NOW, metrics={"number": float(number)})


def make_version(shop: Shop, number: int, *, passed: bool = True, **metrics: Any) -> TrainedModel:
    """A version of the shop's model, measured and judged."""
    reasons = ["NDCG@10 is 0.381 [0.372, 0.390]."] if passed else [WORSE]
    with scope(shop.id):
        trained = shop.trained(number)
        trained.artifact_id = artifact(number)
        trained.metrics = {
            "all": {"ndcg@10": FIGURE},
            "headline": "ndcg@10",
            "gate": {"passed": passed, "deploy": passed, "reasons": reasons, "numbers": {}},
            "warnings": [],
            **metrics,
        }
        trained.status = TrainedModel.Status.BLESSED if passed else TrainedModel.Status.CANDIDATE
        trained.save()
    return trained
