"""What conditions would leave out of a dataset, told before they are saved: rows, revenue, and the values there are."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from b2b_recs.engine.datasets.build import definition
from b2b_recs.engine.datasets.columns import as_text
from b2b_recs.engine.datasets.conditions import test_of
from b2b_recs.engine.datasets.expressions import steps, worth_of
from b2b_recs.engine.datasets.kept_answers import Kept, content_of
from b2b_recs.engine.datasets.local_time import zone_named
from b2b_recs.engine.datasets.spec import RAW, Condition, DatasetSpec
from b2b_recs.engine.datasets.staying import Staying, staying
from b2b_recs.engine.datasets.unlike_products import Sold, unlike_reasons
from b2b_recs.engine.warehouse.local import LocalWarehouse
from b2b_recs.engine.warehouse.query import Limits, Views, ibis_connection, time_limit

MOST_VALUES = 10
_MOST_PRODUCTS = 200_000  # looked at for reasons, those in most rows first
_SEEN = "rows looked at"  # no warehouse table can have a blank in its name

Table = Any  # ibis expressions; the library carries no types
Products = tuple[tuple[Sold, ...], Mapping[str, tuple[str, ...]], "Buyers"]


@dataclass(frozen=True)
class Share:
    """Rows left out, their parts of all rows and of the revenue; ``unknown`` of them because the column is empty."""

    rows: int
    of_rows: float
    of_worth: float
    unknown: int = 0


@dataclass(frozen=True)
class Buyers:
    """How many customers and products there are, and how many pairs of a customer and a product it bought."""

    customers: int = 0
    products: int = 0
    pairs: int = 0


@dataclass(frozen=True)
class Look:
    """What was found: the rows looked at, what each rule leaves out, frequent values, and the products.

    ``staying`` tells what stays after the rules and every filter of the spec, whose own conditions are told apart;
    ``reasons`` tells of products why they look like none.
    """

    rows: int
    by_rule: tuple[Share, ...]
    staying: Staying
    frequent: Mapping[str, tuple[tuple[str, int], ...]]
    products: tuple[Sold, ...]
    worth: float
    reasons: Mapping[str, tuple[str, ...]]
    buyers: Buyers = Buyers()


_LOOKS: Kept[Look] = Kept(16)
_PRODUCTS: Kept[Products] = Kept(4)  # up to 200,000 products each
_FREQUENT: Kept[tuple[tuple[str, int], ...]] = Kept(64)


def look_at(
    spec: DatasetSpec,
    rules: Sequence[Condition],
    columns: Sequence[str],
    warehouse: LocalWarehouse,
    *,
    aside: Sequence[Condition] = (),
    time_zone: str = "UTC",
    limits: Limits = Limits.DEFAULT,
    scratch: Path | None = None,
) -> Look:
    """What ``rules`` would leave out of the rows ``spec`` selects, and what stands most often in ``columns``.

    Rows count as a build counts them, after the spec's own conditions and its history, before customers and products
    are chosen; ``Look.staying`` counts every filter. Conditions ``aside`` are measured after the rules in
    ``Look.by_rule`` and count for nothing else. The same question about the same versions of tables is answered
    from memory. Raises BadInput, WarehouseTableMissing, QueryTooLong.
    """
    names = sorted({spec.base, *(join.table for join in spec.joins)})
    tables = [warehouse.table(RAW, name) for name in names]
    versions = {table.name: (table, table.version()) for table in tables}
    loaded = [(table, version) for table, version in versions.values() if version is not None]
    asked = _Asked(spec, tuple(rules), tuple(aside), tuple(columns), zone_named(time_zone), content_of(loaded))
    if len(loaded) < len(versions):  # which is refused
        return _look(asked, versions, limits, scratch)
    return _LOOKS.get(asked.whole, lambda: _look(asked, versions, limits, scratch))


@dataclass(frozen=True)
class _Asked:
    """A question, and a mark of the rows it is about."""

    spec: DatasetSpec
    rules: tuple[Condition, ...]
    aside: tuple[Condition, ...]
    columns: tuple[str, ...]
    zone: ZoneInfo
    content: str

    @property
    def own(self) -> DatasetSpec:
        """The spec before customers and products are chosen."""
        filters = self.spec.filters.model_copy(update={"min_orders_per_customer": 1, "top_revenue_share": 1.0})
        return self.spec.model_copy(update={"filters": filters})

    @property
    def rows(self) -> Hashable:
        """The rows the rules are applied to."""
        return self.content, self.zone.key, self.own.model_dump_json()

    @property
    def whole(self) -> Hashable:
        """Everything the answer depends on."""
        rules, aside = (tuple(rule.model_dump_json() for rule in them) for them in (self.rules, self.aside))
        return self.content, self.zone.key, self.spec.model_dump_json(), rules, aside, self.columns


def _look(asked: _Asked, views: Views, limits: Limits, scratch: Path | None) -> Look:
    """The answer, read from the rows; what does not depend on the rules is kept for the next question."""
    spec, own, zone, rules = asked.spec, asked.own, asked.zone, (*asked.rules, *asked.aside)
    shown = [Condition(column=name, op="known") for name in asked.columns]
    where = (*own.filters.where, *rules, *shown)
    probe = own.model_copy(update={"filters": own.filters.model_copy(update={"where": where})})
    with ibis_connection(views, limits, scratch) as backend, time_limit(backend.con, limits.seconds):
        plain = definition(probe, backend)
        table = everything = backend.create_table(_SEEN, plain.mutate(worth=worth_of(plain)), temp=True)
        for step in steps(own, zone):
            table = step.narrow(table)
        first = len(own.filters.where)
        rows, worth, by_rule = _shares(table, rules, first, zone)
        ruled = spec.model_copy(
            update={"filters": spec.filters.model_copy(update={"where": (*own.filters.where, *asked.rules)})}
        )
        stays = staying(ruled, everything, zone, apart=first)
        frequent = {
            name: _FREQUENT.get(
                (asked.rows, name), partial(_frequent, table[f"where_{first + len(rules) + number}"], table, name)
            )
            for number, name in enumerate(asked.columns)
        }
        products, reasons, buyers = _PRODUCTS.get(asked.rows, lambda: _with_reasons(table))
    return Look(rows, by_rule, stays, frequent, products, worth, reasons, buyers)


def _with_reasons(table: Table) -> Products:
    products = _products(table)
    pairs = table.select("role_customer", "role_product").distinct()
    counts = {"customers": pairs.role_customer.nunique(), "products": pairs.role_product.nunique()}
    (found,) = pairs.aggregate(pairs=pairs.count(), **counts).to_pyarrow().to_pylist()
    return products, unlike_reasons(products), Buyers(**found)


def _shares(
    table: Table, rules: Sequence[Condition], first: int, zone: ZoneInfo
) -> tuple[int, float, tuple[Share, ...]]:
    """All rows and their worth, and what each rule leaves out."""
    never = table.role_product.isnull()  # no row here is without a product
    asked = {"rows": table.count(), "worth": table.worth.sum()}
    for number, rule in enumerate(rules):
        column = table[f"where_{first + number}"]
        out = ~test_of(column, rule, f"filters.where[{number}]", zone).fill_null(False)
        unknown = _unknown(column, rule, never)
        asked |= {f"out_{number}": out.sum(), f"worth_{number}": out.ifelse(table.worth, 0).sum()}
        asked |= {f"unknown_{number}": unknown.sum()}
    (found,) = table.aggregate(**asked).to_pyarrow().to_pylist()
    rows, worth = int(found["rows"] or 0), float(found["worth"] or 0)
    shares = [
        Share(
            int(found[f"out_{number}"] or 0),
            int(found[f"out_{number}"] or 0) / rows if rows else 0.0,
            float(found[f"worth_{number}"] or 0) / worth if worth else 0.0,
            int(found[f"unknown_{number}"] or 0),
        )
        for number in range(len(rules))
    ]
    return rows, worth, tuple(shares)


def _unknown(column: Any, rule: Condition, never: Any) -> Any:
    """Whether a row goes only because nothing is known of it, which no rule but “is empty” says."""
    if rule.op == "known":
        return never
    if rule.op in ("not starts", "not matches"):
        return as_text(column, rule.column, "filters.where").isnull()
    return column.isnull() | column.isnan() if column.type().is_floating() else column.isnull()


def _frequent(column: Any, table: Table, name: str) -> tuple[tuple[str, int], ...]:
    """The values that stand in most rows, as text, each with its rows."""
    known = table.select(value=as_text(column, name, "filters.where")).drop_null()
    counts = known.group_by("value").aggregate(rows=known.count())
    best = counts.order_by([counts.rows.desc(), counts.value]).limit(MOST_VALUES).to_pyarrow().to_pylist()
    return tuple((str(one["value"]), int(one["rows"])) for one in best)


def _products(table: Table) -> tuple[Sold, ...]:
    """The products by falling rows, each with its newest name, its worth and the prices it keeps to."""
    facts = {"rows": table.count(), "worth": table.worth.sum()}
    if "role_product_name" in table.columns:
        named = table.role_product_name.notnull().ifelse(table.role_time, None)
        facts["name"] = table.role_product_name.argmax(named)
    if {"role_revenue", "role_quantity"} <= set(table.columns):
        sold = (table.role_revenue > 0) & (table.role_quantity > 0)  # NaN is above every number here
        price = (sold & ~table.role_revenue.isnan() & ~table.role_quantity.isnan()).ifelse(
            table.role_revenue / table.role_quantity, None
        )
        facts |= {"low": price.quantile(0.05), "high": price.quantile(0.95), "priced": price.count()}
    by_code = table.group_by("role_product").aggregate(**facts)
    best = by_code.order_by([by_code.rows.desc(), by_code.role_product]).limit(_MOST_PRODUCTS)
    return tuple(
        Sold(
            one["role_product"],
            one.get("name") or "",
            int(one["rows"]),
            float(one["worth"] or 0),
            one.get("low"),
            one.get("high"),
            int(one.get("priced") or 0),
        )
        for one in best.to_pyarrow().to_pylist()
    )
