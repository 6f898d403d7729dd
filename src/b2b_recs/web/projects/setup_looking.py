"""The one question the set-up page asks of the data. Call inside the organization's scope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from b2b_recs.engine.warehouse.local import LocalWarehouse
from b2b_recs.engine.warehouse.query import Limits
from b2b_recs.runtime.home import Home
from b2b_recs.web.datasets.tables import scratch
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.projects.setup import SetupForm
from b2b_recs.web.projects.setup_returns import rule_for, with_returns
from b2b_recs.web.projects.setup_rules import Rule, conditions_of

if TYPE_CHECKING:  # takes long to load, and only the question itself needs it
    from b2b_recs.engine.datasets.leaving_out import Look, Share
    from b2b_recs.engine.datasets.spec import DatasetSpec

_LIMITS = Limits(memory_bytes=512 * 1024 * 1024, seconds=20.0)


@dataclass(frozen=True)
class Looked:
    """What was found: ``look`` measures the ticked products, ticked returns, rules and then ``aside``.

    ``returns`` has, by column, the rows of zero or less; ``aside`` are the columns that were only measured.
    """

    look: Look
    returns: dict[str, Share]
    ticked: list[str]
    aside: list[str]


def look_for(
    model: ModelEndpoint, form: SetupForm, spec: DatasetSpec, rules: Sequence[Rule], asked: Sequence[str]
) -> Looked:
    """What the data says of a form, with the returns it proposes ticked as long as nobody has decided on them.

    Proposed are the columns with rows of zero or less. Raises EngineError.
    """
    columns = form.numbers
    if form.returns is not None:
        return _looked(model, form, spec, rules, asked, [name for name in columns if name in form.returns])
    found = _looked(model, form, spec, rules, asked, columns)
    telling = [name for name, share in found.returns.items() if share.rows > share.unknown]
    empty = any(share.rows and name not in telling for name, share in found.returns.items())
    # a column that is only empty here and there is left alone, so what stays is counted anew
    return _looked(model, form, spec, rules, asked, telling) if empty else _only(found, telling)


def _looked(
    model: ModelEndpoint,
    form: SetupForm,
    spec: DatasetSpec,
    rules: Sequence[Rule],
    asked: Sequence[str],
    ticked: Sequence[str],
) -> Looked:
    from b2b_recs.engine.datasets.leaving_out import look_at

    columns = form.numbers
    told = [name for name in columns if not any(rule_for(name).same(rule) for rule in rules)]
    ticked = [name for name in told if name in ticked]
    aside = [name for name in told if name not in ticked]
    look = look_at(
        spec,
        conditions_of(form.ticked, form.product, with_returns(rules, ticked, columns)),
        asked,
        LocalWarehouse(Home.current().model_warehouse(model.id)),
        aside=[rule_for(name).condition() for name in aside],
        time_zone=model.time_zone,
        limits=_LIMITS,
        scratch=scratch(),
    )
    first, after = bool(form.ticked), len(look.by_rule) - len(aside)
    shares = {name: look.by_rule[first + place] for place, name in enumerate(ticked)}
    shares |= {name: look.by_rule[after + place] for place, name in enumerate(aside)}
    return Looked(look, {name: shares[name] for name in told}, ticked, aside)


def _only(found: Looked, ticked: list[str]) -> Looked:
    return Looked(found.look, found.returns, ticked, found.aside)
