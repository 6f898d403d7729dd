"""One loaded model: which products may be shown, in which order, and why."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from b2b_recs.engine.algorithms.contract import FloatArray
from b2b_recs.engine.algorithms.ranking import rank
from b2b_recs.engine.artifacts.bundle import Bundle, Recommender, open_bundle
from b2b_recs.engine.artifacts.history import History
from b2b_recs.engine.artifacts.store import ArtifactStore
from b2b_recs.engine.serving.answers import NEW, POPULAR, Answer, Recommendation
from b2b_recs.engine.serving.reasons import ALWAYS, DAY, RECENT, SIMILAR, UNKNOWN_CUSTOMER, Moment, Purchase, bought
from b2b_recs.engine.serving.requests import Filters

Mask = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.int64]
QUICK_SECONDS = 0.001
RECENT_DAYS = 30
# algorithms that order products the same for everybody: a reason that speaks of similar customers would be untrue
SAME_FOR_ALL = frozenset({"popular", "popular_recent", "recent_popular"})


def open_served(artifacts: Path, artifact_id: str, now: datetime) -> ServedModel:
    """The model of that artifact, verified byte by byte and tried once. Raises ArtifactRefused."""
    model = ServedModel(open_bundle(ArtifactStore(artifacts), artifact_id))
    model.warm(now)
    return model


class ServedModel:
    """Answers from one bundle.

    Every product returned passed the request's mask: the model's choice is ranked under it, and so are the popular
    products that follow when the model has no opinion on enough of them.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.quick = False
        self._bundle = bundle
        self._recommender = Recommender(bundle)
        # texts as Python objects: decoding thirty of them per answer took as long as scoring
        self._catalogue = list(zip(bundle.product_ids, bundle.product_names, bundle.categories, strict=True))
        self._products = {product_id: index for index, (product_id, _, _) in enumerate(self._catalogue)}
        names, self._category = np.unique(np.array(list(bundle.categories), dtype=np.str_), return_inverse=True)
        self._categories = {str(name): code for code, name in enumerate(names)}
        self._recent = _sold_since(bundle, bundle.facts.now - RECENT_DAYS * DAY)
        self._personal = bundle.facts.algorithm not in SAME_FOR_ALL
        self._tail = bundle.model.tail

    def warm(self, now: datetime) -> None:
        """Answer for a few customers, so that a model that cannot is never put into service, and measure how long
        it takes: ``quick`` models answer on the event loop, the others in threads."""
        customers = self._bundle.facts.customers
        probes = sorted({0, customers // 3, customers // 2, customers - 1} - {-1, customers}) if customers else []
        ids = [self._bundle.customer_ids[index] for index in probes] + [""]
        seconds = []
        for customer in ids * 2:
            started = time.perf_counter()
            self.recommend(customer, 10, None, (), now)
            seconds.append(time.perf_counter() - started)
        self.quick = median(seconds[len(ids) :]) < QUICK_SECONDS

    def recommend(
        self, customer: str, k: int, filters: Filters | None, exclude: Sequence[str], now: datetime
    ) -> Answer:
        """The best ``k`` products for one customer, fewer when the limits leave fewer."""
        allowed = self._allowed(filters, exclude)
        return self._answer(customer, k, allowed, filters.purchased if filters else None, self._moment(now))

    def recommend_batch(
        self, customers: Sequence[str], k: int, filters: Filters | None, exclude: Sequence[str], now: datetime
    ) -> list[Answer]:
        """The same answers as one by one, in the order asked."""
        allowed = self._allowed(filters, exclude)
        purchased = filters.purchased if filters else None
        moment = self._moment(now)
        return [self._answer(customer, k, allowed, purchased, moment) for customer in customers]

    def facts(self) -> dict[str, Any]:
        """What /model-info tells about the model: algorithm, parameters, metrics, sizes, lineage, times."""
        facts = self._bundle.facts
        return {
            "algorithm": {"name": facts.algorithm, "title": self._bundle.model.title, "parameters": facts.parameters},
            "metrics": facts.metrics,
            "dataset_version": facts.lineage.get("dataset_version") or facts.lineage.get("dataset_fingerprint"),
            "lineage": facts.lineage,
            "trained_at": facts.trained_at.isoformat(),
            "learnt_until": datetime.fromtimestamp(facts.data_until / 1_000_000, UTC).isoformat(),
            "customers": facts.customers,
            "products": facts.products,
            "order_lines": facts.rows,
        }

    def _moment(self, now: datetime) -> Moment:
        return Moment.of(now, self._bundle.facts.data_until)

    def _allowed(self, filters: Filters | None, exclude: Sequence[str]) -> Mask | None:
        """Products (products,) the request lets through, None when it limits nothing."""
        if not exclude and (filters is None or (filters.categories is None and filters.products is None)):
            return None
        count = self._bundle.facts.products
        allowed = np.ones(count, dtype=bool)
        if filters is not None and filters.products is not None:
            allowed[:] = False
            allowed[self._indices(filters.products)] = True
        if filters is not None and filters.categories is not None:
            codes = [self._categories[name] for name in filters.categories if name in self._categories]
            allowed &= np.isin(self._category, codes)
        allowed[self._indices(exclude)] = False
        return allowed

    def _indices(self, product_ids: Sequence[str]) -> list[int]:
        return [self._products[product_id] for product_id in product_ids if product_id in self._products]

    def _answer(self, customer: str, k: int, allowed: Mask | None, purchased: str | None, moment: Moment) -> Answer:
        index = self._recommender.customer_index(customer)
        history = self._bundle.history(index)
        if purchased is not None:
            own = np.zeros(self._bundle.facts.products, dtype=bool)
            own[history.product] = True
            if purchased == "never":
                own = ~own
            allowed = own if allowed is None else allowed & own
        scores = self._recommender.scores_by_index(index)
        chosen, values = rank(scores[None, :], k, allowed)[0]
        by_model = scores is not self._bundle.popular
        found = self._explained(chosen, values, history, by_model, moment)
        if len(chosen) < k:
            found += self._popular_after(scores, k - len(chosen), allowed, found, history, moment)
        note = UNKNOWN_CUSTOMER if index < 0 else msgspec.UNSET
        return Answer(customer, index >= 0, found, note)

    def _popular_after(
        self,
        scores: FloatArray,
        count: int,
        allowed: Mask | None,
        before: list[Recommendation],
        history: History,
        moment: Moment,
    ) -> list[Recommendation]:
        """Popular products where the model has no opinion; their scores go on below the last one of the model."""
        silent = ~(scores > -np.inf)
        chosen, values = rank(self._bundle.popular[None, :], count, silent if allowed is None else silent & allowed)[0]
        lowest = before[-1].score if before else 0.0
        below = lowest - 1.0 + values.astype(np.float64)  # popularity lies between 0 and 1
        return self._explained(chosen, below, history, False, moment)

    def _explained(
        self, chosen: Indices, values: npt.NDArray[Any], history: History, by_model: bool, moment: Moment
    ) -> list[Recommendation]:
        purchases = _purchases(history, chosen)
        found = []
        for product, score, purchase in zip(chosen.tolist(), values.tolist(), purchases, strict=True):
            popular = RECENT if self._recent[product] else ALWAYS
            if purchase is not None:
                reason, shelf = bought(purchase, moment)
            elif score <= self._tail:
                reason, shelf = popular, POPULAR
            else:
                reason, shelf = SIMILAR if by_model and self._personal else popular, NEW
            product_id, name, category = self._catalogue[product]
            shelf = shelf if by_model else POPULAR
            found.append(Recommendation(product_id, score, reason, shelf, name, category))
        return found


def _purchases(history: History, chosen: Indices) -> list[Purchase | None]:
    """For each product chosen, what the customer has bought of it."""
    own = history.product
    if not len(own):
        return [None] * len(chosen)
    places = np.minimum(np.searchsorted(own, chosen), len(own) - 1)
    columns = (
        (own[places] == chosen).tolist(),
        history.orders[places].tolist(),
        history.first[places].tolist(),
        history.last[places].tolist(),
        history.quantity[places].tolist(),
    )
    return [
        Purchase(orders, first, last, quantity / orders) if is_own else None
        for is_own, orders, first, last, quantity in zip(*columns, strict=True)
    ]


def _sold_since(bundle: Bundle, since: int) -> Mask:
    """Whether any customer's last order of a product (products,) is after ``since``, in microseconds."""
    sold = np.zeros(bundle.facts.products, dtype=bool)
    sold[bundle.arrays["history/product"][bundle.arrays["history/last"] >= since]] = True
    return sold
