"""The warehouse type proposed for every column, with what the sampled values say."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from b2b_recs.engine.schema.types import ColumnMapping
from b2b_recs.engine.sources.contract import ColumnInfo
from b2b_recs.engine.sources.mysql.types import NUMBER_AFTER_ALL, SPAN_AFTER_ALL, rule_of
from b2b_recs.engine.sources.mysql.zero_dates import DATED, with_zero_dates
from b2b_recs.engine.sources.proposing import TypeRule, propose_columns

_OF_A_DAY = re.compile(r"([01]\d|2[0-3]):.*")


def propose(columns: Sequence[ColumnInfo], samples: Mapping[str, Sequence[str | None]]) -> list[ColumnMapping]:
    """One mapping per column, in the same order."""

    def rule_for(column: ColumnInfo) -> TypeRule:
        values = [value for value in samples.get(column.name, ()) if value is not None]
        if column.base_type == "tinyint(1)" and not {"0", "1"}.issuperset(values):
            return NUMBER_AFTER_ALL
        if column.base_type == "time" and not all(map(_OF_A_DAY.fullmatch, values)):
            return SPAN_AFTER_ALL
        rule = rule_of(column)
        return with_zero_dates(rule, values) if column.base_type in DATED else rule

    return propose_columns(columns, samples, rule_for)
