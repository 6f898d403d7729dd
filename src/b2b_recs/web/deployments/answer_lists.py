"""The lists of the try-it panel: what is due, what else was ordered before, and what is new for a customer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from b2b_recs.engine.serving.answers import DUE


@dataclass(frozen=True)
class Product:
    """One recommended product."""

    product_id: str
    title: str
    reason: str
    score: float


@dataclass(frozen=True)
class ProductList:
    """One of the lists; ``hint`` says what is in it, ``empty`` why nothing is."""

    slug: str
    name: str
    hint: str
    empty: str
    rows: list[Product] = field(default_factory=list)


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
    return [
        Product(one["product_id"], one.get("name") or one["product_id"], one.get("reason", ""), one["score"])
        for one in answers[:k]
    ]
