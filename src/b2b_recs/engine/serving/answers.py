"""What comes back: recommendations in order, each with its score, reason and list."""

from __future__ import annotations

from datetime import datetime

import msgspec

DUE = "due to reorder"
AGAIN = "buy again"
NEW = "new for you"
POPULAR = "popular"


class Recommendation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One product. ``score`` orders products of one answer and means nothing across answers or versions; how large it
    is depends on the algorithm. ``list`` is popular where popularity filled the list."""

    product_id: str
    score: float
    reason: str
    shelf: str = msgspec.field(name="list")
    name: str = ""
    category: str = ""


class Answer(msgspec.Struct, frozen=True):
    """One customer's recommendations, best first. ``known`` is False when the model never saw the customer."""

    customer: str
    known: bool
    recommendations: list[Recommendation]
    note: str | msgspec.UnsetType = msgspec.UNSET


class SingleReply(msgspec.Struct, frozen=True):
    """The reply of /recommend; ``context`` is what the caller sent."""

    customer: str
    known: bool
    model_version: str
    recommendations: list[Recommendation]
    note: str | msgspec.UnsetType = msgspec.UNSET
    context: dict[str, str | int | float | bool | None] | msgspec.UnsetType = msgspec.UNSET


class BatchReply(msgspec.Struct, frozen=True):
    """The reply of /recommend-batch, one answer per customer asked, in the order asked."""

    model_version: str
    results: list[Answer]
    context: dict[str, str | int | float | bool | None] | msgspec.UnsetType = msgspec.UNSET


class ModelHealth(msgspec.Struct, frozen=True):
    """Which version answers, and how fresh its data is (hours since the last order it knows)."""

    id: int
    name: str
    version: str
    deployment_id: int | None
    data_until: str | None
    data_age_hours: float | None
    loaded_at: datetime


class Problem(msgspec.Struct, frozen=True):
    """Why the version that was asked for is not the one that answers."""

    version: str
    code: str
    message: str


class HealthReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """``status`` is ok, degraded (an older version answers) or unavailable."""

    status: str
    model: ModelHealth | None = None
    problem: Problem | None = None
