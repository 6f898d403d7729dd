"""A dataset's definition as Ibis expressions: one text for DuckDB here and for BigQuery elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

import ibis

from b2b_recs.engine.counting import counted
from b2b_recs.engine.datasets.columns import as_number, as_text, as_time, column_of
from b2b_recs.engine.datasets.conditions import in_words, test_of
from b2b_recs.engine.datasets.spec import DatasetSpec

Table = Any  # an ibis table expression; the library carries no types
Narrow = Callable[[Table], Table]
# Why a filter leaves rows out: a role is not known, a condition, too old, too few orders, a product that sells little.
Cause = Literal["unknown", "where", "history", "orders", "top"]

NEEDED_ROLES = ("customer", "product", "time")
_NUMBER_ROLES = ("revenue", "quantity")
_SHOWN_ROLES = ("customer_name", "product_name", "category")
LONGEST_NAME = 300  # characters of a text that is only shown
_UTC = ZoneInfo("UTC")


def with_roles(spec: DatasetSpec, table: Table) -> Table:
    """``role_…`` columns as text, float64 or time, and one ``where_<number>`` column per condition as it is stored.

    Raises BadInput naming the role or the condition, its column, and the columns there are.
    """
    chosen: dict[str, Any] = {}
    for role, name in spec.roles.model_dump().items():
        if name is None:
            continue
        field = f"roles.{role}"
        column = column_of(table, name, field, f"The column of the role {role},")
        if role == "time":
            chosen["role_time"] = as_time(column, name, field)
        elif role in _NUMBER_ROLES:
            chosen[f"role_{role}"] = as_number(column, name, field)
        else:
            text = as_text(column, name, field)
            chosen[f"role_{role}"] = text.substr(0, LONGEST_NAME) if role in _SHOWN_ROLES else text
    for number, condition in enumerate(spec.filters.where):
        field = f"filters.where[{number}]"
        chosen[f"where_{number}"] = column_of(table, condition.column, f"{field}.column", "The column of a condition,")
    return table.select(**chosen)


class Step(NamedTuple):
    """One filter of a build: why it leaves rows out, its name in words, how it narrows a table of ``with_roles``."""

    cause: Cause
    name: str
    narrow: Narrow


def steps(spec: DatasetSpec, zone: ZoneInfo = _UTC) -> Iterator[Step]:
    """Every filter in order; ``zone`` is where a time without a zone is read."""
    filters = spec.filters
    for role in NEEDED_ROLES:
        yield Step("unknown", f"{role} known", _known(role))
    for number, condition in enumerate(filters.where):
        yield Step("where", in_words(condition), _where(spec, number, zone))
    if filters.history_days is not None:
        yield Step("history", f"last {counted(filters.history_days, 'day')}", _history(filters.history_days))
    if filters.min_orders_per_customer > 1:
        orders = filters.min_orders_per_customer
        yield Step("orders", f"customers with {counted(orders, 'order')} or more", _loyal(orders))
    if filters.top_revenue_share < 1:
        share = filters.top_revenue_share
        yield Step("top", f"products that make the top {share * 100:g} % of revenue", _top(share))


def final(spec: DatasetSpec, table: Table, zone: ZoneInfo = _UTC) -> Table:
    """The rows of ``with_roles`` that stay after every step, roles only."""
    for step in steps(spec, zone):
        table = step.narrow(table)
    return roles_only(table)


def roles_only(table: Table) -> Table:
    """The ``role_…`` columns."""
    return table.select([name for name in table.columns if name.startswith("role_")])


def _known(role: str) -> Narrow:
    return lambda table: table.filter(table[f"role_{role}"].notnull())


def _where(spec: DatasetSpec, number: int, zone: ZoneInfo) -> Narrow:
    condition = spec.filters.where[number]

    def narrow(table: Table) -> Table:
        return table.filter(test_of(table[f"where_{number}"], condition, f"filters.where[{number}]", zone))

    return narrow


def _history(days: int) -> Narrow:
    def narrow(table: Table) -> Table:
        newest = table.aggregate(newest=table.role_time.max()).newest.as_scalar()
        return table.filter(table.role_time > newest - ibis.interval(days=days))

    return narrow


def _loyal(orders: int) -> Narrow:
    def narrow(table: Table) -> Table:
        order = table.role_time.cast("string")
        if "role_order" in table.columns:
            order = ibis.coalesce(ibis.literal("#").concat(table.role_order), order)
        ordered = table.select("role_customer", order=order)
        ordered = ordered.group_by("role_customer").aggregate(orders=ordered.order.nunique())
        return table.semi_join(ordered.filter(ordered.orders >= orders), "role_customer")

    return narrow


def _top(share: float) -> Narrow:
    """Products by falling worth until the share is reached; the one that reaches it stays, equals go by id."""

    def narrow(table: Table) -> Table:
        valued = table.select("role_product", worth=worth_of(table))
        sold = valued.group_by("role_product").aggregate(worth=valued.worth.sum())
        sold = sold.filter(sold.worth > 0)
        before = ibis.window(order_by=[sold.worth.desc(), sold.role_product.asc()], preceding=None, following=0)
        ranked = sold.mutate(reached=sold.worth.sum().over(before), total=sold.worth.sum().over(ibis.window()))
        least = ranked.total.cast("float64") * share
        best = ranked.filter((ranked.reached - ranked.worth).cast("float64") < least)
        return table.semi_join(best, "role_product")

    return narrow


def worth_of(table: Table) -> Any:
    """Revenue, else quantity, else one per row; as decimals, whose sum does not depend on the order of adding."""
    for role in ("role_revenue", "role_quantity"):
        if role in table.columns:
            value = table[role]
            finite = value.isnan().ifelse(0.0, value).fill_null(0.0)
            return finite.try_cast("decimal(38, 9)").fill_null(0)
    return ibis.literal(1, type="int64")
