"""The lists of the try-it panel: what is due, what else was ordered before, and what is new for a customer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from b2b_recs.engine.serving.answers import DUE, POPULAR

MOST_PLACES = 6


@dataclass(frozen=True)
class Product:
    """One recommended product; ``score`` is "" where scores say nothing, and where popularity filled the list."""

    product_id: str
    title: str
    reason: str
    score: str


@dataclass(frozen=True)
class ProductList:
    """One of the lists; ``hint`` says what is in it, ``empty`` why nothing is."""

    slug: str
    name: str
    hint: str
    empty: str
    rows: list[Product] = field(default_factory=list)

    @property
    def with_scores(self) -> bool:
        """Whether scores tell the products apart."""
        return any(row.score for row in self.rows)


def lists_of(bought: Iterable[dict[str, Any]], new: Iterable[dict[str, Any]], k: int) -> list[ProductList]:
    """At most ``k`` products a list, each in the model's order; lists that hold something come first.

    ``bought`` are all recommended products the customer has ordered before, ``new`` those of the others.
    """
    ordered = list(bought)
    due = [one for one in ordered if one.get("list") == DUE]
    again = [one for one in ordered if one.get("list") != DUE]
    lists = [
        ProductList(
            "due",
            "Due to reorder",
            "Ordered at least twice, and most of the usual time between two orders has passed.",
            "Nothing this customer orders again and again is due."
            if ordered
            else "This customer has ordered nothing the model knows.",
            _products(due, k),
        ),
        ProductList(
            "again",
            "Buy again",
            "Ordered before, and not due yet or ordered only once.",
            "All that this customer has ordered is due."
            if ordered
            else "This customer has ordered nothing the model knows.",
            _products(again, k),
        ),
        ProductList(
            "new",
            "New for you",
            "Not ordered before.",
            "There is no product left that this customer has not ordered.",
            _products(list(new), k),
        ),
    ]
    return sorted(lists, key=lambda one: not one.rows)


def _products(answers: list[dict[str, Any]], k: int) -> list[Product]:
    shown = answers[:k]
    scored = [one for one in shown if one.get("list") != POPULAR]
    texts = iter(score_texts([float(one["score"]) for one in scored]))
    scores = ["" if one.get("list") == POPULAR else next(texts) for one in shown]
    return [
        Product(one["product_id"], one.get("name") or one["product_id"], one.get("reason", ""), score)
        for one, score in zip(shown, scores, strict=True)
    ]


def score_texts(scores: Sequence[float]) -> list[str]:
    """Scores with as many decimals as tell unequal ones apart, from two to six; "" where six tell none apart."""
    different = len(set(scores))
    if different < 2:
        return ["" for _ in scores]
    texts = []
    for places in range(2, MOST_PLACES + 1):
        texts = [f"{score:.{places}f}" for score in scores]
        if len(set(texts)) == different:
            break
    return texts if len(set(texts)) > 1 else ["" for _ in scores]
