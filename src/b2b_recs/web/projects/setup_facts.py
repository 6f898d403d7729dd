"""What the set-up page would leave out as it stands, asked of the data. Call inside the organization's scope."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from b2b_recs.engine.counting import counted
from b2b_recs.engine.errors import BadInput, EngineError
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.projects.setup import SetupForm
from b2b_recs.web.projects.setup_doubts import customer_doubt, test_days_fault
from b2b_recs.web.projects.setup_looking import Looked, look_for
from b2b_recs.web.projects.setup_returns import ReturnsLine
from b2b_recs.web.projects.setup_rules import LISTS, find_faults, rule_of
from b2b_recs.web.projects.setup_saving import column_faults, dataset_spec, number_faults
from b2b_recs.web.projects.setup_stays import stays_in_words
from b2b_recs.web.ui.formats import percent

if TYPE_CHECKING:  # takes long to load, and only the question itself needs it
    from b2b_recs.engine.datasets.leaving_out import Look, Share
    from b2b_recs.engine.datasets.spec import DatasetSpec

MOST_SUGGESTED, MOST_FREQUENT = 12, 10


@dataclass(frozen=True)
class ProductLine:
    """A product to tick: its code and name, how much it is, and why it may be none."""

    code: str
    name: str = ""
    told: str = ""
    ticked: bool = False
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class RuleFacts:
    """What a line of the page leaves out, and the values its column has most often with how many rows each."""

    told: str = ""
    values: tuple[tuple[str, int, bool], ...] = ()


@dataclass
class SetupFacts:
    """Everything the data says; ``trouble`` says why it says nothing, ``customer`` why its column looks wrong."""

    trouble: str = ""
    together: str = ""
    customer: str = ""
    returns: list[ReturnsLine] = field(default_factory=list)
    suggested: list[ProductLine] = field(default_factory=list)
    further: int = 0
    sold: list[ProductLine] = field(default_factory=list)
    rules: list[RuleFacts] = field(default_factory=list)


def facts_of(model: ModelEndpoint, form: SetupForm) -> SetupFacts:
    """What the data says about a form; its lines get their faults."""
    from b2b_recs.engine.datasets.local_time import zone_named

    bare = [RuleFacts() for _ in form.rules]
    ticked = [ProductLine(code, ticked=True) for code in form.ticked]
    if faults := column_faults(form):
        told = "Once the columns above are chosen, the products stand here and what each line leaves out."
        return SetupFacts(f"{faults[0].message} {told}", sold=ticked, rules=bare)
    columns = form.rule_columns
    find_faults(form.rules, columns, zone_named(model.time_zone))
    sound = [number for number, rule in enumerate(form.rules) if not rule.blank and not rule.faults]
    asked = list(dict.fromkeys(rule.column for rule in form.rules if rule.kind in LISTS and rule.column in columns))
    spec = _bare_spec(form)
    try:
        looked = look_for(model, form, spec, [form.rules[number] for number in sound], asked)
    except EngineError as refusal:
        return SetupFacts(str(refusal), sold=ticked, rules=bare)
    if not looked.look.rows:
        return SetupFacts("No row has a customer, a product and a time.", sold=ticked, rules=bare)
    shares = looked.look.by_rule[: len(looked.look.by_rule) - len(looked.aside)]
    return _facts(form, looked, sound, stays_in_words(form, spec, looked.look.staying, sum(one.rows for one in shares)))


def _bare_spec(form: SetupForm) -> DatasetSpec:
    """The dataset of a form without what the page leaves out, and with its faulty numbers left aside."""
    sane = {"history_days": "", "top_share": "100", "test_days": "30"}
    mended = {str(fault.field): sane[str(fault.field)] for fault in number_faults(form)}
    spec = dataset_spec(replace(form, ticked=[], rules=[], returns=[], **mended))  # type: ignore[arg-type]
    own = tuple(condition for condition in spec.filters.where if rule_of(condition) is None)
    return spec.model_copy(update={"filters": spec.filters.model_copy(update={"where": own})})


def settle(model: ModelEndpoint, form: SetupForm) -> dict[str, BadInput]:
    """What the data says against saving a form that has no other fault, by field.

    Ticks what the page proposes about returns, when it is saved before anybody saw the proposal.
    """
    try:
        looked = look_for(model, form, _bare_spec(form), [rule for rule in form.rules if not rule.blank], [])
    except EngineError:  # the training says it, with the same words
        return {}
    if form.returns is None and form.kept is None:
        form.returns = looked.ticked
    fault = test_days_fault(form.test_days, looked.look.staying)
    return {"test_days": fault} if fault is not None else {}


def _facts(form: SetupForm, looked: Looked, sound: list[int], together: str) -> SetupFacts:
    look = looked.look
    words = _Words(form, look)
    first = len(look.by_rule) - len(looked.aside) - len(sound)
    shares = {number: look.by_rule[first + place] for place, number in enumerate(sound)}
    odd = [one.code for one in look.products if one.code in look.reasons]
    suggested = odd[:MOST_SUGGESTED]
    usual = [one.code for one in look.products if one.code not in look.reasons][:MOST_FREQUENT]
    elsewhere = [code for code in form.ticked if code not in usual and code not in suggested]
    return SetupFacts(
        together=together,
        customer=customer_doubt(look.buyers),
        returns=[
            ReturnsLine(column, words.rows_of(share), column in looked.ticked)
            for column, share in looked.returns.items()
            if share.rows > share.unknown or column in looked.ticked
        ],
        suggested=[words.line(code) for code in suggested],
        further=len(odd) - len(suggested),
        sold=[words.line(code) for code in (*elsewhere, *usual)],
        rules=[
            RuleFacts(
                words.left_out(shares[number]) if number in shares else "",
                tuple((value, rows, value in rule.values) for value, rows in look.frequent.get(rule.column, ()))
                if rule.kind in LISTS
                else (),
            )
            for number, rule in enumerate(form.rules)
        ],
    )


class _Words:
    """What was found, in words."""

    def __init__(self, form: SetupForm, look: Look) -> None:
        self.ticked, self.look = set(form.ticked), look
        self.with_revenue = any(role.name == "revenue" and role.chosen for role in form.roles)
        self.known = {one.code: one for one in look.products}

    def line(self, code: str) -> ProductLine:
        """A product to tick."""
        one = self.known.get(code)
        if one is None:
            return ProductLine(code, told="in no row now", ticked=code in self.ticked)
        told = counted(one.rows, "row")
        if self.with_revenue and self.look.worth:
            told += f" · {percent(one.worth / self.look.worth)} of revenue"
        name = one.name if one.name != code else ""
        return ProductLine(code, name, told, code in self.ticked, self.look.reasons.get(code, ()))

    def rows_of(self, share: Share) -> str:
        """How many rows a tick leaves out, and those of them that go because they hold nothing."""
        empty = f", {share.unknown:,} of them empty" if share.unknown else ""
        return f"{counted(share.rows, 'row')} ({percent(share.of_rows)}){empty}"

    def left_out(self, share: Share) -> str:
        """What one line leaves out."""
        told = f"Leaves out {counted(share.rows, 'row')} ({percent(share.of_rows)}){self._revenue(share)}"
        empty = f"; {share.unknown:,} of these rows have nothing in this column" if share.unknown else ""
        return f"{told}{empty}."

    def _revenue(self, share: Share) -> str:
        return f" and {percent(share.of_worth)} of the revenue" if self.with_revenue else ""
