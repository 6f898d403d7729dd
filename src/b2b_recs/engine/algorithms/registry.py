"""The algorithms there are; a new one is a file and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from b2b_recs.engine.algorithms.buy_again import BuyAgain
from b2b_recs.engine.algorithms.contract import Algorithm
from b2b_recs.engine.algorithms.ease import Ease
from b2b_recs.engine.algorithms.ials import Ials
from b2b_recs.engine.algorithms.popular import Popular
from b2b_recs.engine.algorithms.recent_popular import RecentPopular
from b2b_recs.engine.algorithms.user_knn import UserKnn
from b2b_recs.engine.errors import BadInput

ALGORITHMS: dict[str, type[Algorithm]] = {
    kind.name: kind for kind in (Popular, RecentPopular, BuyAgain, Ease, Ials, UserKnn)
}
BASELINES: tuple[str, ...] = ("popular", "recent_popular", "buy_again")


def algorithm_class(name: str) -> type[Algorithm]:
    """The algorithm of that name. BadInput when there is none."""
    try:
        return ALGORITHMS[name]
    except KeyError:
        raise BadInput(
            f"There is no algorithm {name!r}.",
            advice=f"Use auto, or one or more of {', '.join(ALGORITHMS)}.",
            field="algorithms",
        ) from None


def make_algorithm(name: str, parameters: Mapping[str, Any] | None = None) -> Algorithm:
    """An algorithm ready to fit. BadInput names the parameter that cannot be used."""
    kind = algorithm_class(name)
    try:
        return kind(kind.Parameters.model_validate(dict(parameters or {})))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadInput(
            f"{kind.title}: {where} cannot be {first['input']!r}: {first['msg']}.",
            advice=f"Change {where} of {name}, or leave it out to have it chosen.",
            field=f"algorithms.{name}.{where}",
        ) from None
