"""Everything an endpoint needs to answer, in one artifact: the model, its ids, names, histories and lineage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from b2b_recs.engine.algorithms.contract import Algorithm, FloatArray
from b2b_recs.engine.algorithms.counts import popular_order_scores
from b2b_recs.engine.algorithms.ranking import rank
from b2b_recs.engine.algorithms.registry import algorithm_class
from b2b_recs.engine.artifacts.history import History, customer_history, history_arrays
from b2b_recs.engine.artifacts.manifest import damaged
from b2b_recs.engine.artifacts.store import ArtifactStore
from b2b_recs.engine.artifacts.strings import Strings, pack_strings
from b2b_recs.engine.datasets.interactions import Interactions
from b2b_recs.engine.errors import ArtifactRefused, BadInput

_MODEL = "model/"
_TEXTS = ("customers", "customer_names", "products", "product_names", "categories")


class BundleFacts(BaseModel):
    """What is known about a served model besides its arrays.

    ``now`` is the moment ages are counted from and ``data_until`` the last order learnt from, both in microseconds
    since 1970-01-01 UTC; ``lineage`` is what the caller gave (dataset fingerprint, table versions, ETL run ids);
    ``metrics`` are those measured on the test period.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    algorithm: str
    parameters: dict[str, Any]
    customers: int = Field(ge=0)
    products: int = Field(ge=0)
    rows: int = Field(ge=0)
    now: int
    data_until: int
    trained_at: datetime
    lineage: dict[str, Any] = Field(default_factory=dict)
    metrics: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A verified serving bundle, opened; arrays stay in their file until they are touched."""

    artifact_id: str
    facts: BundleFacts
    model: Algorithm
    customer_ids: Strings
    customer_names: Strings
    product_ids: Strings
    product_names: Strings
    categories: Strings
    popular: FloatArray  # (products,), higher is more popular now; the answer for unknown customers
    arrays: Mapping[str, npt.NDArray[Any]]

    def history(self, customer: int) -> History:
        """What one customer index has bought; empty for -1."""
        return customer_history(self.arrays, customer)


def write_bundle(
    store: ArtifactStore,
    model: Algorithm,
    interactions: Interactions,
    *,
    now: int,
    trained_at: datetime,
    lineage: Mapping[str, Any] | None = None,
    metrics: Mapping[str, Any] | None = None,
) -> str:
    """Write a fitted model with the data it was fitted on; the artifact's id."""
    facts = BundleFacts(
        algorithm=model.name,
        parameters=model.parameters.model_dump(mode="json"),
        customers=interactions.customers,
        products=interactions.products,
        rows=len(interactions),
        now=now,
        data_until=int(interactions.time.max(initial=0)),
        trained_at=trained_at,
        lineage=dict(lineage or {}),
        metrics=dict(metrics or {}),
    )
    arrays: dict[str, npt.NDArray[Any]] = {
        **pack_strings("customers", interactions.customer_ids),
        **pack_strings("customer_names", interactions.customer_names),
        **pack_strings("products", interactions.product_ids),
        **pack_strings("product_names", interactions.product_names),
        **pack_strings("categories", interactions.product_categories),
        **history_arrays(interactions),
        "popular": popular_order_scores(interactions, now),
        **{_MODEL + name: array for name, array in model.arrays().items()},
    }
    return store.write("bundle", facts.model_dump(mode="json"), arrays)


def open_bundle(store: ArtifactStore, artifact_id: str) -> Bundle:
    """The bundle, every byte verified. ArtifactRefused when missing, damaged, or not a bundle."""
    artifact = store.open(artifact_id)
    if artifact.manifest.kind != "bundle":
        raise ArtifactRefused(
            f"Artifact {artifact_id[:12]} is an {artifact.manifest.kind}, not a model that can be served.",
            advice="Choose the artifact of a trained model.",
            field="artifact_id",
        )
    arrays = artifact.arrays
    try:
        facts = BundleFacts.model_validate(artifact.manifest.facts)
        kind = algorithm_class(facts.algorithm)
        texts = {name: Strings(name, arrays) for name in _TEXTS}
        own = {name.removeprefix(_MODEL): array for name, array in arrays.items() if name.startswith(_MODEL)}
        model = kind.from_arrays(kind.Parameters.model_validate(facts.parameters), own)
        _check_sizes(facts, texts, arrays)
    except (ValidationError, BadInput, KeyError, ValueError) as error:
        raise damaged(artifact_id, "its content is not a complete model of this version") from error
    return Bundle(
        artifact_id=artifact_id,
        facts=facts,
        model=model,
        customer_ids=texts["customers"],
        customer_names=texts["customer_names"],
        product_ids=texts["products"],
        product_names=texts["product_names"],
        categories=texts["categories"],
        popular=arrays["popular"],
        arrays=arrays,
    )


def _check_sizes(facts: BundleFacts, texts: Mapping[str, Strings], arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    customers = len(texts["customers"]) == len(texts["customer_names"]) == facts.customers
    products = len(texts["products"]) == len(texts["product_names"]) == len(texts["categories"]) == facts.products
    popular = arrays["popular"].shape == (facts.products,)
    indptr = arrays["history/indptr"]
    rows = len(arrays["history/product"])
    columns = all(len(arrays[f"history/{name}"]) == rows for name in ("orders", "first", "last", "quantity"))
    history = len(indptr) == facts.customers + 1 and int(indptr[-1]) == rows and columns
    if not (customers and products and popular and history):
        raise ValueError("sizes disagree")


@dataclass(frozen=True, slots=True)
class Recommended:
    """Product indices best first with their scores; ``known`` is False when popularity answered instead."""

    products: npt.NDArray[np.int64]
    scores: FloatArray
    known: bool


class Recommender:
    """Answers for one bundle: the same scores and the same order as in evaluation."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle

    def customer_index(self, customer_id: str) -> int:
        """The customer's index, -1 when the model has never seen the customer."""
        return self.bundle.customer_ids.find(customer_id)

    def product_index(self, product_id: str) -> int:
        """The product's index, -1 when the model has never seen the product."""
        return self.bundle.product_ids.find(product_id)

    def knows(self, customer: int) -> bool:
        """Whether the model learnt from any order of this customer index."""
        indptr = self.bundle.arrays["history/indptr"]
        return customer >= 0 and bool(indptr[customer + 1] > indptr[customer])

    def scores(self, customer_id: str) -> FloatArray:
        """Scores (products,) for a customer; popularity for an unknown one."""
        return self.scores_by_index(self.customer_index(customer_id))

    def scores_by_index(self, customer: int) -> FloatArray:
        """Scores (products,) for a customer index; popularity for -1 and where the model has no opinion at all."""
        if not self.knows(customer):
            return self.bundle.popular
        row = self.bundle.model.score(np.array([customer], dtype=np.int32))[0]
        return row if (row > -np.inf).any() else self.bundle.popular

    def recommend(
        self, customer_id: str, k: int, allowed: npt.NDArray[np.bool_] | None = None, *, only_new: bool = False
    ) -> Recommended:
        """The best ``k`` products; ``allowed`` (products,) limits them, ``only_new`` leaves out what was bought."""
        customer = self.customer_index(customer_id)
        if only_new and customer >= 0:
            allowed = np.ones(len(self.bundle.product_ids), dtype=bool) if allowed is None else allowed.copy()
            allowed[self.bundle.history(customer).product] = False
        products, scores = rank(self.scores_by_index(customer)[None, :], k, allowed)[0]
        return Recommended(products, scores, self.knows(customer))
