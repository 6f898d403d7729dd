"""A dataset's definition as Ibis expressions: one text for DuckDB here and for BigQuery elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import ibis

from b2b_recs.engine.datasets.spec import Condition, DatasetSpec, Join
from b2b_recs.engine.errors import BadInput

Table = Any  # an ibis table expression; the library carries no types
NEEDED_ROLES = ("customer", "product", "time")
TEXT_ROLES = ("customer", "product", "order", "customer_name", "product_name", "category")
NUMBER_ROLES = ("revenue", "quantity")
COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "=": lambda column, value: column == value,
    "!=": lambda column, value: column != value,
    ">": lambda column, value: column > value,
    ">=": lambda column, value: column >= value,
    "<": lambda column, value: column < value,
    "<=": lambda column, value: column <= value,
}


def joined(spec: DatasetSpec, table_of: Callable[[str], Table]) -> Table:
    """Base and joined tables as one; a joined column whose name is taken is called ``table__column``."""
    table = table_of(spec.base)
    for number, join in enumerate(spec.joins):
        table = _join(table, join, table_of(join.table), f"joins[{number}]")
    for name in spec.upper_case:
        column = _column(table, name, "upper_case")
        table = table.mutate(**{name: column.cast("string").upper()})
    return table


def duplicate_keys(join: Join, table: Table) -> Table:
    """Keys that stand in more than one row of the joined table; each would multiply order lines."""
    keys = list(join.on.values())
    known = table.filter([table[key].notnull() for key in keys])
    counted = known.group_by(keys).aggregate(times=known.count())
    return counted.filter(counted.times > 1)


def with_roles(spec: DatasetSpec, table: Table) -> Table:
    """The columns of the roles under the roles' names, as text, number or time, beside the columns filters ask for."""
    chosen: dict[str, Any] = {}
    for role, name in spec.roles.model_dump().items():
        if name is None:
            continue
        column = _column(table, name, f"roles.{role}")
        if role in TEXT_ROLES:
            column = _as_text(column)
        elif role in NUMBER_ROLES:
            column = _as_number(column, name, f"roles.{role}")
        else:
            column = _as_time(column, name)
        chosen[f"role_{role}"] = column
    asked = {condition.column for condition in spec.filters.where}
    kept = {name: _column(table, name, "filters.where") for name in sorted(asked)}
    return table.select(**kept, **chosen)


def steps(spec: DatasetSpec) -> Iterator[tuple[str, Callable[[Table], Table]]]:
    """Every filter in order: its name in words, and how it narrows a table of ``with_roles``."""
    for role in NEEDED_ROLES:
        yield f"{role} known", _known(role)
    for number, condition in enumerate(spec.filters.where):
        yield _words(condition), _where(condition, f"filters.where[{number}]")
    filters = spec.filters
    if filters.history_days is not None:
        yield f"the last {filters.history_days} days", _history(filters.history_days)
    if filters.min_orders_per_customer > 1:
        yield (
            f"customers with {filters.min_orders_per_customer} orders or more",
            _loyal(filters.min_orders_per_customer),
        )
    if filters.top_revenue_share < 1:
        yield f"products that make the top {filters.top_revenue_share:.0%} of revenue", _top(filters.top_revenue_share)


def final(spec: DatasetSpec, table: Table) -> Table:
    """The rows that stay after every step, roles only."""
    for _, narrow in steps(spec):
        table = narrow(table)
    return table.select([name for name in table.columns if name.startswith("role_")])


def _join(table: Table, join: Join, other: Table, where: str) -> Table:
    for mine, theirs in join.on.items():
        _column(table, mine, f"{where}.on")
        _column(other, theirs, f"{where}.on", join.table)
    taken = set(table.columns)
    keys = set(join.on.values())
    marked = other.rename({f"right__{name}": name for name in other.columns})
    matches = [table[mine] == marked[f"right__{theirs}"] for mine, theirs in join.on.items()]
    both = table.join(marked, matches, how=join.kind)
    columns: dict[str, Any] = {}
    partner = {mine: f"right__{theirs}" for mine, theirs in join.on.items()}
    for name in table.columns:
        # in a right join the key of an unmatched row is known only from the right side
        columns[name] = ibis.coalesce(both[name], both[partner[name]]) if name in partner else both[name]
    for name in other.columns:
        if name in keys and name in taken:
            continue
        columns[name if name not in taken else f"{join.table}__{name}"] = both[f"right__{name}"]
    return both.select(**columns)


def _column(table: Table, name: str, field: str, of: str = "") -> Any:
    if name in table.columns:
        return table[name]
    raise BadInput(
        f"There is no column “{name}”{f' in {of}' if of else ''}.",
        field=field,
        advice=f"Columns there are: {', '.join(table.columns)}.",
    )


def _as_text(column: Any) -> Any:
    kind = column.type()
    if kind.is_floating() or kind.is_decimal():
        # an id that was stored as a number with decimals is still the same id
        whole = column.cast("int64")
        text = ibis.ifelse(column == whole, whole.cast("string"), column.cast("string"))
    else:
        text = column.cast("string")
    return text.nullif("")


def _as_number(column: Any, name: str, field: str) -> Any:
    if not column.type().is_numeric():
        raise BadInput(
            f"“{name}” is {column.type()}, not a number.", field=field, advice="Choose a column with numbers."
        )
    return column.cast("float64")


def _as_time(column: Any, name: str) -> Any:
    kind = column.type()
    if kind.is_date():
        return column.cast("timestamp")
    if not kind.is_timestamp():
        raise BadInput(
            f"“{name}” is {kind}, not a time.", field="roles.time", advice="Choose a column with dates or times."
        )
    return column


def _known(role: str) -> Callable[[Table], Table]:
    return lambda table: table.filter(table[f"role_{role}"].notnull())


def _history(days: int) -> Callable[[Table], Table]:
    def narrow(table: Table) -> Table:
        newest = table.aggregate(newest=table.role_time.max())
        return table.filter(table.role_time > newest.newest.as_scalar() - ibis.interval(days=days))

    return narrow


def _loyal(orders: int) -> Callable[[Table], Table]:
    def narrow(table: Table) -> Table:
        what = table.role_order if "role_order" in table.columns else table.role_time
        counted = table.group_by("role_customer").aggregate(orders=what.nunique())
        return table.semi_join(counted.filter(counted.orders >= orders), "role_customer")

    return narrow


def _top(share: float) -> Callable[[Table], Table]:
    def narrow(table: Table) -> Table:
        worth = _worth(table)
        sold = table.group_by("role_product").aggregate(worth=worth.sum())
        sold = sold.mutate(worth=ibis.greatest(sold.worth, 0.0))
        order = ibis.window(order_by=[sold.worth.desc(), sold.role_product.asc()], preceding=None, following=0)
        ranked = sold.mutate(reached=sold.worth.sum().over(order), total=sold.worth.sum().over(ibis.window()))
        best = ranked.filter((ranked.reached - ranked.worth < ranked.total * share) & (ranked.worth > 0))
        return table.semi_join(best, "role_product")

    return narrow


def _worth(table: Table) -> Any:
    for role in ("role_revenue", "role_quantity"):
        if role in table.columns:
            return table[role].fill_null(0.0)
    return ibis.literal(1.0)


def _where(condition: Condition, field: str) -> Callable[[Table], Table]:
    def narrow(table: Table) -> Table:
        return table.filter(_test(_column(table, condition.column, field), condition, field))

    return narrow


def _test(column: Any, condition: Condition, field: str) -> Any:
    value, op = condition.value, condition.op
    if op == "known":
        return column.notnull() & (column != "") if column.type().is_string() else column.notnull()
    if op == "unknown":
        return column.isnull() | (column == "") if column.type().is_string() else column.isnull()
    if op in ("in", "not in"):
        values = [str(each) for each in value] if isinstance(value, Sequence) and not isinstance(value, str) else None
        if not values:
            raise _odd(condition, field, "a list of values")
        text = _as_text(column)
        return text.isin(values) if op == "in" else text.notin(values)
    if op in ("starts", "not starts", "matches"):
        return _text_test(_as_text(column), condition, field)
    return COMPARISONS[op](column, _literal(column, condition, field))


def _text_test(text: Any, condition: Condition, field: str) -> Any:
    if not isinstance(condition.value, str) or not condition.value:
        raise _odd(condition, field, "a text")
    if condition.op == "matches":
        try:
            re.compile(condition.value)
        except re.error as error:
            raise _odd(condition, field, f"a pattern ({error})") from error
        return text.re_search(condition.value)
    starts = text.startswith(condition.value)
    return starts if condition.op == "starts" else ~starts


def _literal(column: Any, condition: Condition, field: str) -> Any:
    kind, value = column.type(), condition.value
    if kind.is_boolean() and isinstance(value, bool):
        return value
    if kind.is_numeric() and isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if kind.is_string() and isinstance(value, str | int | float):
        return str(value)
    if kind.is_temporal() and isinstance(value, str):
        return ibis.literal(value).cast("timestamp" if kind.is_timestamp() else kind)
    raise _odd(condition, field, f"something to compare with {kind}")


def _odd(condition: Condition, field: str, wanted: str) -> BadInput:
    return BadInput(
        f"“{condition.column} {condition.op} {condition.value}” cannot be tested.",
        field=field,
        advice=f"Give {wanted} as value.",
    )


def _words(condition: Condition) -> str:
    value = condition.value
    if condition.op in ("known", "unknown"):
        return f"{condition.column} is {condition.op}"
    if isinstance(value, tuple):
        value = ", ".join(value)
    verb = {"starts": "starts with", "not starts": "does not start with"}.get(condition.op, condition.op)
    return f"{condition.column} {verb} {value}"
