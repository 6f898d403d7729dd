"""Finding a customer of a deployed model by id or name, from the artifact that answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from b2b_recs.engine.artifacts.bundle import open_bundle
from b2b_recs.engine.artifacts.store import ArtifactStore
from b2b_recs.engine.errors import EngineError
from b2b_recs.runtime.home import Home
from b2b_recs.web.deployments.models import Deployment

SHOWN = 12
PLACES = (0.5, 0.75, 0.9)  # of the customers by rising number of orders


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer the model knows; ``name`` is "" where the data had none."""

    id: str
    name: str


def find_customers(artifact_id: str, text: str, limit: int = SHOWN) -> list[Customer]:
    """Customers whose id or name contains the text, ids that begin with it first; none when the artifact is gone."""
    wanted = text.strip().casefold()
    beginning: list[Customer] = []
    inside: list[Customer] = []
    for customer in _customers(artifact_id):
        if customer.id.casefold().startswith(wanted):
            beginning.append(customer)
            if len(beginning) >= limit:
                break
        elif len(inside) < limit and (wanted in customer.id.casefold() or wanted in customer.name.casefold()):
            inside.append(customer)
    return (beginning + inside)[:limit]


def any_named(artifact_id: str) -> bool:
    """Whether the data had a name for any customer."""
    try:
        return _read(artifact_id).named
    except EngineError:
        return False


def customer_name(artifact_id: str, customer_id: str) -> str:
    """The name of a customer, "" when there is none."""
    return next((customer.name for customer in _customers(artifact_id) if customer.id == customer_id), "")


def ordinary_customers(artifact_id: str) -> tuple[Customer, ...]:
    """A customer near the middle by number of orders, then one with more and one with many; none without orders."""
    try:
        return _read(artifact_id).ordinary
    except EngineError:
        return ()


def example_customer(deployment: Deployment | None) -> str:
    """The id of an ordinary customer the deployed model knows, "" without one."""
    return next((one.id for one in ordinary_customers(deployment.artifact_id)), "") if deployment else ""


def _customers(artifact_id: str) -> tuple[Customer, ...]:
    try:
        return _read(artifact_id).all
    except EngineError:
        return ()


@dataclass(frozen=True, slots=True)
class _Known:
    """The customers of one artifact, the ordinary ones among them, and whether any has a name."""

    all: tuple[Customer, ...]
    ordinary: tuple[Customer, ...]
    named: bool


@lru_cache(maxsize=4)  # an artifact never changes; opening one verifies every byte
def _read(artifact_id: str) -> _Known:
    bundle = open_bundle(ArtifactStore(Home.current().artifacts), artifact_id)
    pairs = zip(bundle.customer_ids, bundle.customer_names, strict=True)
    found = tuple(Customer(customer_id, name) for customer_id, name in pairs)
    ordinary = tuple(found[index] for index in ordinary_indices(bundle.arrays))
    return _Known(found, ordinary, any(customer.name for customer in found))


def ordinary_indices(arrays: Mapping[str, Any]) -> list[int]:
    """Indices of customers at the shares ``PLACES`` by rising number of orders, each once.

    Orders are counted by the different times at which a product was first or last ordered.
    """
    indptr = arrays["history/indptr"]
    customer = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    moments = np.concatenate([arrays["history/first"], arrays["history/last"]])
    owner = np.concatenate([customer, customer])
    by = np.lexsort((moments, owner))
    owner, moments = owner[by], moments[by]
    fresh = np.ones(len(owner), dtype=bool)
    fresh[1:] = (owner[1:] != owner[:-1]) | (moments[1:] != moments[:-1])
    orders = np.bincount(owner[fresh], minlength=len(indptr) - 1)
    ranked = np.argsort(orders, kind="stable")
    ranked = ranked[orders[ranked] > 0]
    last = len(ranked) - 1
    return list(dict.fromkeys(int(ranked[round(place * last)]) for place in PLACES)) if last >= 0 else []
