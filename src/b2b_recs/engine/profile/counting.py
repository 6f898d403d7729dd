"""How often each value of a column occurs: distinct values, the most frequent ones, spellings of the same word."""

from __future__ import annotations

from dataclasses import dataclass, field

import duckdb

from b2b_recs.engine.profile.columns import Column, Kind
from b2b_recs.engine.profile.document import Sign, TopValue
from b2b_recs.engine.profile.measures import TABLE, Measures, position
from b2b_recs.engine.profile.values import LONGEST, cut, moment_at, plain
from b2b_recs.engine.schema.types import WarehouseType
from b2b_recs.engine.warehouse.names import quoted

TOP = 10
# Bytes the distinct values of a column may take while they are counted; beyond it a sample is counted.
BUDGET = 160 * 1024 * 1024
# More distinct texts than these are not compared in lower case: it takes longer than all the rest.
_SPELT = 200_000
_EACH = 64  # bytes a distinct value costs beside itself
_MAKE = "CREATE OR REPLACE TEMP TABLE counted AS SELECT {name} AS value, count(*) AS n FROM {rows} GROUP BY 1"
_TOTALS = "SELECT count(*), coalesce(sum(n), 0)::BIGINT FROM counted"
_MOST = f"SELECT value, n FROM counted ORDER BY n DESC, value LIMIT {TOP}"  # noqa: S608 - our own number
# Spellings that differ in capitals only: their rows but for those of the most frequent spelling, and the largest group.
_SPELLINGS = """
SELECT coalesce(sum(total - most), 0)::BIGINT, arg_max([one, other], total)
FROM (SELECT sum(n) AS total, max(n) AS most, max(value) AS one, min(value) AS other
      FROM counted GROUP BY lower(value) HAVING count(*) > 1)
"""


@dataclass(slots=True)
class Counted:
    """The values of one column; ``rows`` is how many were counted, fewer than there are when it was a sample."""

    rows: int = 0
    distinct: int = 0
    exact: bool = True
    top: list[TopValue] = field(default_factory=list)
    signs: list[Sign] = field(default_factory=list)


def count_values(connection: duckdb.DuckDBPyConnection, found: Measures, budget: int = BUDGET) -> Counted:
    """How often each value occurs, over all rows where the memory for it is at hand, else over a sample."""
    column = found.column
    if column.kind is Kind.BYTES or not found.filled:
        return Counted(found.filled, found.distinct, exact=not found.filled)
    each = _EACH + (int(found.lengths.mean * 2) if found.lengths else 0)
    affordable = max(budget // each, 1)
    exact = min(found.distinct * 1.1, found.filled) <= affordable
    name = quoted(column.name)
    rows = f"(SELECT {name} FROM {TABLE} WHERE {name} IS NOT NULL)"  # noqa: S608 - a quoted name
    if not exact:
        rows = f"(SELECT {name} FROM {rows} USING SAMPLE {affordable} ROWS (reservoir, 7))"  # noqa: S608 - the same
    connection.execute(_MAKE.format(name=_counted_as(column), rows=rows))
    distinct, total = connection.execute(_TOTALS).fetchall()[0]
    counted = Counted(total, distinct if exact else found.distinct, exact)
    counted.top = [TopValue(value=_shown(value, column), rows=n) for value, n in connection.execute(_MOST).fetchall()]
    if column.warehouse_type is WarehouseType.STRING and distinct <= _SPELT:
        spelled, pair = connection.execute(_SPELLINGS).fetchall()[0]
        if spelled:
            counted.signs.append(Sign(what="spellings", count=spelled, examples=[cut(one) for one in pair]))
    connection.execute("DROP TABLE counted")
    return counted


def _counted_as(column: Column) -> str:
    return position(column) if column.kind is Kind.MOMENT else quoted(column.name)


def _shown(value: object, column: Column) -> str | int | float | bool | None:
    if column.kind is Kind.MOMENT and isinstance(value, int):
        return moment_at(value, column)
    return plain(value, LONGEST)
