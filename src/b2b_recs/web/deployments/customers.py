"""Finding a customer of a deployed model by id or name, from the artifact that answers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from b2b_recs.engine.artifacts.bundle import open_bundle
from b2b_recs.engine.artifacts.store import ArtifactStore
from b2b_recs.engine.errors import EngineError
from b2b_recs.runtime.home import Home

SHOWN = 12


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


def customer_name(artifact_id: str, customer_id: str) -> str:
    """The name of a customer, "" when there is none."""
    return next((customer.name for customer in _customers(artifact_id) if customer.id == customer_id), "")


def _customers(artifact_id: str) -> tuple[Customer, ...]:
    try:
        return _read(artifact_id)
    except EngineError:
        return ()


@lru_cache(maxsize=4)  # an artifact never changes; opening one verifies every byte
def _read(artifact_id: str) -> tuple[Customer, ...]:
    bundle = open_bundle(ArtifactStore(Home.current().artifacts), artifact_id)
    pairs = zip(bundle.customer_ids, bundle.customer_names, strict=True)
    return tuple(Customer(customer_id, name) for customer_id, name in pairs)
