"""Which rows the set-up leaves out: rules in people's words, and the conditions of a dataset they stand for.

People say what goes; a dataset keeps the rows whose conditions are all true, so a rule is its condition turned round.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import pyarrow as pa
from django.http import QueryDict

from b2b_recs.engine.datasets.spec import Condition, DatasetSpec
from b2b_recs.engine.errors import BadInput

MOST_RULES, MOST_TICKED, LONGEST_VALUE = 20, 1_000, 300
# kind → what people read, and the condition that keeps all other rows
KINDS = {
    "one": ("is one of", "not in"),
    "none": ("is none of", "in"),
    "contains": ("contains", "not matches"),
    "starts": ("starts with", "not starts"),
    "greater": ("is greater than", "<="),
    "least": ("is at least", "<"),
    "smaller": ("is smaller than", ">="),
    "most": ("is at most", ">"),
    "empty": ("is empty", "known"),
}
LISTS = ("one", "none")
_ALIKE = {"!=": "not in", "=": "in"}  # with a single value they say the same
_KIND_OF = {op: kind for kind, (_, op) in KINDS.items()}


@dataclass
class Rule:
    """One line of the page: rows where ``column`` ``kind`` ``values`` go. ``faults`` by part: column, kind, values."""

    column: str = ""
    kind: str = "one"
    values: tuple[str, ...] = ()
    faults: dict[str, BadInput] = field(default_factory=dict)
    number: int = 0

    @property
    def name(self) -> str:
        """How the names of its fields begin."""
        return f"rule{self.number}"

    @property
    def blank(self) -> bool:
        """Whether nothing was said yet; such a line is passed over."""
        return not self.column and not self.values

    @property
    def text(self) -> str:
        """The values as they stand in their field."""
        return "\n".join(self.values)

    @property
    def lines(self) -> int:
        """How high the field of the values is."""
        return min(max(len(self.values), 1), 6)

    def same(self, other: Rule) -> bool:
        """Whether both leave out the same rows."""
        return (self.column, self.kind, self.values) == (other.column, other.kind, other.values)

    def condition(self) -> Condition:
        """The condition that keeps the other rows."""
        op = KINDS[self.kind][1]
        if self.kind == "empty":
            return Condition(column=self.column, op="known")
        if self.kind in LISTS:
            return Condition.model_validate({"column": self.column, "op": op, "value": self.values})
        value = self.values[0]
        value = re.escape(value) if self.kind == "contains" else value
        return Condition.model_validate({"column": self.column, "op": op, "value": value})


def rule_of(condition: Condition) -> Rule | None:
    """The rule a condition stands for; None when the page has no words for it."""
    kind, value = _KIND_OF.get(_ALIKE.get(condition.op, condition.op)), condition.value
    if kind is None:
        return None
    if kind == "empty":
        return Rule(condition.column, kind)
    several = value if isinstance(value, tuple) else (value,)
    values = tuple(_word(one) for one in several if one is not None)
    if kind == "contains":
        from b2b_recs.engine.datasets.conditions import plain_text

        values = tuple(text for text in map(plain_text, values) if text is not None)
    plain = all(one and one == one.strip() and "\n" not in one for one in values)
    return Rule(condition.column, kind, values) if values and plain else None


def saved_rules(spec: DatasetSpec, product: str) -> tuple[list[str], list[Rule]]:
    """The products a dataset leaves out one by one, and its other rules."""
    rules = [rule for rule in map(rule_of, spec.filters.where) if rule is not None]
    ticked = next((rule for rule in rules if rule.column == product and rule.kind == "one"), None)
    return list(ticked.values) if ticked else [], [rule for rule in rules if rule is not ticked]


def typed_rules(typed: QueryDict) -> tuple[list[str], list[Rule]]:
    """What stands on the page: ticked products, and every line."""
    ticked = dict.fromkeys(text for text in typed.getlist("not_product")[:MOST_TICKED] if text)
    rules = []
    for number in range(MOST_RULES):
        kind = typed.get(f"rule{number}_kind")
        if kind is None:
            break
        lines = typed.get(f"rule{number}_values", "").splitlines()
        values = tuple(dict.fromkeys(line.strip() for line in lines if line.strip()))
        rules.append(Rule(typed.get(f"rule{number}_column", ""), kind, () if kind == "empty" else values))
    return list(ticked), rules


def rules_changed(rules: Sequence[Rule], do: str) -> list[Rule]:
    """The lines after a press of a button that adds an empty one or drops one."""
    dropped = re.fullmatch(r"drop-(\d{1,3})", do)
    kept = [rule for number, rule in enumerate(rules) if dropped is None or number != int(dropped[1])]
    return [*kept, Rule()] if do == "add" and len(kept) < MOST_RULES else kept


def find_faults(rules: Sequence[Rule], columns: Mapping[str, pa.DataType | None], zone: ZoneInfo) -> bool:
    """Say beside each line what keeps it from being a condition; whether there was anything.

    A column without a kind comes from a table the page does not show; the training judges it.
    """
    from b2b_recs.engine.datasets.conditions import check_condition

    for rule in rules:
        rule.faults = {} if rule.blank else _faults(rule, columns)
        kind = columns.get(rule.column)
        if rule.blank or rule.faults or kind is None:
            continue
        try:
            check_condition(kind, rule.condition(), "values", zone)
        except BadInput as refusal:
            words = KINDS[rule.kind][0]
            told = BadInput(f"“{rule.column} {words}” cannot be asked with that.", field="values",
                            advice=refusal.advice)  # fmt: skip
            rule.faults["values"] = told
    return any(rule.faults for rule in rules)


def conditions_of(ticked: Sequence[str], product: str, rules: Sequence[Rule]) -> list[Condition]:
    """The conditions of lines without faults."""
    first = [Rule(product, "one", tuple(ticked))] if ticked else []
    return [rule.condition() for rule in (*first, *rules) if not rule.blank]


def with_rules(before: Sequence[Condition], now: Sequence[Condition]) -> list[Condition]:
    """The conditions of a dataset once its rules are ``now``: what the page cannot say stays, in its place."""
    left = list(now)
    found = []
    for condition in before:
        rule = rule_of(condition)
        if rule is None:
            found.append(condition)
            continue
        same = next((one for one in left if (said := rule_of(one)) is not None and said.same(rule)), None)
        if same is not None:
            left.remove(same)
            found.append(condition)
    return [*found, *left]


def _faults(rule: Rule, columns: Mapping[str, pa.DataType | None]) -> dict[str, BadInput]:
    found = {}
    if not rule.column:
        found["column"] = BadInput("Which column?", field="column", advice="Choose one, or remove this line.")
    elif rule.column not in columns:
        told = f"No table here has a column “{rule.column[:60]}”."
        found["column"] = BadInput(told, field="column", advice="Choose another one, or remove this line.")
    if rule.kind not in KINDS:
        found["kind"] = BadInput("How is it compared?", field="kind", advice="Choose from the list.")
    elif rule.kind != "empty" and not rule.values:
        found["values"] = BadInput("The value is missing.", field="values", advice="Write one, or remove this line.")
    elif rule.kind not in (*LISTS, "empty") and len(rule.values) > 1:
        words = KINDS[rule.kind][0]
        found["values"] = BadInput(f"“{words}” takes one value.", field="values", advice="Make a line for each.")
    elif long := next((one for one in rule.values if len(one) > LONGEST_VALUE), None):
        told = f"A value has at most {LONGEST_VALUE} signs; this one has {len(long):,}."
        found["values"] = BadInput(told, field="values", advice="Write a shorter one.")
    return found


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
