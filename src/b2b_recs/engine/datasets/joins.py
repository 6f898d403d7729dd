"""Base and joined tables as one, with no name lost and no row counted twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ibis

from b2b_recs.engine.datasets.columns import column_of
from b2b_recs.engine.datasets.spec import DatasetSpec, Join
from b2b_recs.engine.errors import BadInput

Table = Any  # an ibis table expression; the library carries no types


def joined(spec: DatasetSpec, table_of: Callable[[str], Table]) -> Table:
    """Base and joined tables as one, then the columns of ``upper_case`` in capitals.

    Joins compare keys as they are written. A joined column whose name is taken is called ``table__column``; a joined
    key named as its counterpart is one column. Raises BadInput naming the join and the column.
    """
    table = table_of(spec.base)
    for number, join in enumerate(spec.joins):
        table = _with_join(table, join, table_of(join.table), f"joins[{number}].on")
    for name in spec.upper_case:
        column = column_of(table, name, "upper_case", "The upper-case column")
        if not column.type().is_string():
            raise BadInput(
                f"“{name}” is {column.type()}, not text, and has no letters to change.",
                field="upper_case",
                advice="Take it out of upper_case.",
            )
        table = table.mutate(**{name: column.upper()})
    return table


def repeated_keys(join: Join, table: Table) -> Table:
    """Keys (``key_0``, …) that stand in more than one row of the joined table, with ``times``; each multiplies rows."""
    keys = {f"key_{number}": table[name] for number, name in enumerate(join.on.values())}
    known = table.select(**keys).drop_null()
    counted = known.group_by(list(keys)).aggregate(times=known.count())
    return counted.filter(counted.times > 1).order_by(list(keys))


def check_join(join: Join, table: Table, number: int) -> None:
    """Refuse a join on nothing, or on a column the joined table does not have. Raises BadInput."""
    field = f"joins[{number}].on"
    if not join.on:
        raise BadInput(
            f"The join with {join.table} names no columns.", field=field, advice="Give pairs of columns that match."
        )
    for theirs in join.on.values():
        column_of(table, theirs, field, f"The key column of {join.table}")


def _with_join(table: Table, join: Join, other: Table, field: str) -> Table:
    marks = {name: f"right__{number}" for number, name in enumerate(other.columns)}
    left = table.rename({f"left__{number}": name for number, name in enumerate(table.columns)})
    lefts = dict(zip(table.columns, left.columns, strict=True))
    right = other.rename({mark: name for name, mark in marks.items()})
    matches = []
    for mine, theirs in join.on.items():
        column_of(table, mine, field, f"The column joined with {join.table}.{theirs}")
        matches.append(_equal(left[lefts[mine]], right[marks[theirs]], f"{mine} = {join.table}.{theirs}", field))
    both = left.join(right, matches, how=join.kind)
    columns = {name: both[lefts[name]] for name in table.columns}
    taken = {name.casefold() for name in columns}  # SQL sees no difference between Name and name
    for mine, theirs in join.on.items():
        if join.kind == "right" and both[lefts[mine]].type() == both[marks[theirs]].type():
            # an unmatched row of the right side knows its key only there
            columns[mine] = ibis.coalesce(both[lefts[mine]], both[marks[theirs]])
    merged = {theirs for mine, theirs in join.on.items() if mine.casefold() == theirs.casefold()}
    for name in other.columns:
        if name in merged:
            continue
        free = _free_name(name, join.table, taken)
        taken.add(free.casefold())
        columns[free] = both[marks[name]]
    return both.select(**columns)


def _equal(mine: Any, theirs: Any, words: str, field: str) -> Any:
    kinds = mine.type(), theirs.type()
    if kinds[0].is_string() and kinds[1].is_integer():
        return mine == theirs.cast("string")
    if kinds[0].is_integer() and kinds[1].is_string():
        return mine.cast("string") == theirs
    zones = {bool(kind.timezone) for kind in kinds if kind.is_timestamp()}
    for family in ("string", "numeric", "timestamp", "date", "boolean", "uuid"):
        if all(getattr(kind, f"is_{family}")() for kind in kinds) and len(zones) < 2:
            return mine == theirs
    raise BadInput(
        f"The join {words} compares {kinds[0]} with {kinds[1]}.",
        field=field,
        advice="Join columns of one kind, or map one of them to the other's type in its job.",
    )


def _free_name(name: str, table: str, taken: set[str]) -> str:
    """``name``, or ``table__name`` where it is taken, or that with a number."""
    tries = [name, f"{table}__{name}", *(f"{table}__{name}_{number}" for number in range(2, 100))]
    for one in tries:
        if one.casefold() not in taken:
            return one
    raise BadInput(f"{table} is joined too often.", field="joins", advice="Join each table once.")
