"""Dates of MySQL and MariaDB that no calendar has, such as 0000-00-00: how many were seen, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from b2b_recs.engine.schema.types import Confidence
from b2b_recs.engine.sources.rules import TypeRule

DATED = ("date", "datetime", "timestamp")
# With more of them than a job usually allows, its first run would fail.
_FEW = 0.05


def with_zero_dates(rule: TypeRule, values: Sequence[str]) -> TypeRule:
    """The rule of a column of dates or times once its sampled values are looked at; the same where all are dates."""
    odd = [value for value in values if not _exists(value[:10])]
    if not odd:
        return rule
    share = len(odd) / len(values)
    what = "are no dates" if len(odd) > 1 else "is no date"
    told = (
        f"{len(odd):,} of {len(values):,} sampled values {what} of the calendar, such as {odd[0]}; their rows are kept "
        "among the rejected ones. Choose STRING to copy them as text, put NULL in their place in the source, or leave "
        "the column out"
    )
    more = "; else a run fails when more rows are rejected than the job allows." if share > _FEW else "."
    confidence = Confidence.LOW if share > _FEW else Confidence.MEDIUM
    return replace(rule, confidence=confidence, warning=f"{rule.warning} {told}{more}".strip())


def _exists(day: str) -> bool:
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return True
