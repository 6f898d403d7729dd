"""Rows of zero or less: returns and corrections, which the set-up proposes to leave out.

A tick is the rule that its column is at most zero; a dataset keeps it as one of its conditions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.http import QueryDict

from b2b_recs.web.projects.setup_rules import Rule

FIELD, SEEN = "not_above_zero", "returns_seen"


@dataclass(frozen=True)
class ReturnsLine:
    """A column to tick, and what its rows of zero or less are."""

    column: str
    told: str
    ticked: bool


def rule_for(column: str) -> Rule:
    """The rule that leaves out the rows of zero or less in a column."""
    return Rule(column, "most", ("0",))


def typed_returns(typed: QueryDict) -> list[str] | None:
    """The ticked columns; None from a page on which none was proposed yet."""
    return list(dict.fromkeys(typed.getlist(FIELD)[:20])) if SEEN in typed else None


def split_off(rules: Sequence[Rule], columns: Iterable[str]) -> tuple[list[str], list[Rule]]:
    """The columns that ticks stand for, and the rules that stay lines."""
    ticked = [column for column in columns if any(rule.same(rule_for(column)) for rule in rules)]
    return ticked, [rule for rule in rules if not any(rule.same(rule_for(column)) for column in ticked)]


def with_returns(rules: Sequence[Rule], ticked: Iterable[str], columns: Sequence[str]) -> list[Rule]:
    """The rules of the ticks among ``columns``, then the others; what a line says already stands once."""
    found = [rule_for(column) for column in ticked if column in columns]
    return [*(rule for rule in found if not any(rule.same(line) for line in rules)), *rules]
