"""A wholesaler of 30 products and 12 customers, trained models of it, and the application that serves them."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from b2b_recs.engine.algorithms.registry import make_algorithm
from b2b_recs.engine.artifacts.bundle import write_bundle
from b2b_recs.engine.artifacts.store import ArtifactStore
from b2b_recs.engine.datasets.interactions import Interactions

DAY = 86_400_000_000
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
NOW_MICROSECONDS = int(NOW.timestamp() * 1_000_000)
PRODUCTS = tuple(f"P{number:02d}" for number in range(30))
CUSTOMERS = tuple(f"C{number:02d}" for number in range(12))
KEY = "b2br_1_abc_secret"


def orders(seed: int = 7, products: int = 30, customers: int = 12, lines: int = 400) -> Interactions:
    """Random order lines; customer C00 also ordered 24 of P00 on four days 30 days apart, last 33 days ago."""
    random = np.random.default_rng(seed)
    customer = random.integers(1, customers, lines) if customers > 1 else np.zeros(lines, dtype=np.int64)
    product = (random.beta(1, 3, lines) * products).astype(np.int64)
    day = random.integers(1, 200, lines)
    quantity = random.integers(1, 20, lines).astype(np.float64)
    customer = np.concatenate([customer, np.zeros(4, dtype=np.int64)])
    product = np.concatenate([product, np.zeros(4, dtype=np.int64)])
    day = np.concatenate([day, np.array([33, 63, 93, 123])])
    quantity = np.concatenate([quantity, np.full(4, 24.0)])
    by = np.argsort(-day, kind="stable")
    _, order = np.unique(np.stack([customer[by], day[by]]), axis=1, return_inverse=True)
    return Interactions(
        customer=customer[by].astype(np.int32),
        product=product[by].astype(np.int32),
        order=order.reshape(-1).astype(np.int32),
        time=NOW_MICROSECONDS - day[by] * DAY,
        revenue=quantity[by] * 2.5,
        quantity=quantity[by],
        customer_ids=np.array([f"C{number:02d}" for number in range(customers)]),
        product_ids=np.array([f"P{number:02d}" for number in range(products)]),
        product_names=np.array([f"Product {number}" for number in range(products)]),
        product_categories=np.array([("candles", "mugs", "tins")[number % 3] for number in range(products)]),
        customer_names=np.array([f"Shop {number}" for number in range(customers)]),
    )


class House:
    """The folders of an installation, with what is needed to deploy into them."""

    def __init__(self, root: Path) -> None:
        self.pointers = root / "serving"
        self.pointers.mkdir()
        self.store = ArtifactStore(root / "artifacts")
        self.now = NOW

    def train(self, algorithm: str = "buy_again", seed: int = 7, **size: int) -> str:
        """The id of a freshly written artifact."""
        interactions = orders(seed, **size)
        model = make_algorithm(algorithm).fit(interactions, NOW_MICROSECONDS)
        return write_bundle(
            self.store,
            model,
            interactions,
            now=NOW_MICROSECONDS,
            trained_at=NOW,
            lineage={"dataset_version": 3},
            metrics={"recall@10": {"value": 0.3, "low": 0.2, "high": 0.4}},
        )

    def deploy(
        self, artifact_id: str, model_id: int = 1, version: str = "v1", keys: tuple[str, ...] = (KEY,), **other: Any
    ) -> None:
        """Point a model at an artifact, as the worker does."""
        digests = [{"prefix": "abc", "sha256": hashlib.sha256(key.encode()).hexdigest()} for key in keys]
        pointer = {
            "model_id": model_id,
            "model_name": f"Model {model_id}",
            "deployment_id": 10 + model_id,
            "version": version,
            "artifact_id": artifact_id,
            "data_until": "2026-05-31T12:00:00+00:00",
            "keys": digests,
            "status": "active",
        }
        path = self.pointers / f"model-{model_id}.json"
        fresh = path.with_suffix(".tmp")
        fresh.write_text(json.dumps(pointer | other))
        fresh.replace(path)

    def damage(self, artifact_id: str) -> None:
        """Flip one bit in the middle of the arrays."""
        path = next(self.store.path(artifact_id).glob("*.safetensors"))
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)


class Running:
    """The application with its lifespan running, and a client that calls it."""

    def __init__(self, app: Any, client: httpx.AsyncClient) -> None:
        self.app = app
        self.client = client

    async def follow(self) -> None:
        """Let the application look at the pointers and finish what it starts."""
        await self.app.state.shelf.refresh()
        await self.app.state.shelf.settle()

    async def ask(self, path: str = "/recommend", key: str | None = KEY, **body: Any) -> httpx.Response:
        return await self.client.post(path, json=body, headers=bearer(key))

    async def get(self, path: str, key: str | None = KEY) -> httpx.Response:
        return await self.client.get(path, headers=bearer(key))


def bearer(key: str | None) -> dict[bytes, bytes]:
    return {b"Authorization": f"Bearer {key}".encode("latin-1")} if key else {}
