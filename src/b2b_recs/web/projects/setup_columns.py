"""Which columns of the warehouse can say who bought what, when and for how much, judged by type and name.

Call inside the organization's scope.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from b2b_recs.engine.datasets.spec import RAW
from b2b_recs.engine.warehouse.local import LocalWarehouse
from b2b_recs.runtime.home import Home
from b2b_recs.web.etl.models import DataSourceTable
from b2b_recs.web.projects.models import ModelEndpoint

NEEDED = ("customer", "product", "time")
# role → what people read, why it is asked for, and what its columns are usually called
ROLES = {
    "customer": ("Customer", "Who bought.", r"customer|client|account|buyer|debtor|kunde|cliente|klant"),
    "product": ("Product", "What was bought.", r"product|article|artikel|item|sku|stock_?code|produit|material"),
    "time": ("Time", "When it was bought.", r"order(ed)?|invoice|purchase|sold|date|time|created|_at$|_on$"),
    "revenue": ("Revenue", "How much money a line brought.", r"total|revenue|amount|turnover|umsatz|price|value"),
    "quantity": ("Quantity", "How many pieces.", r"quantity|qty|menge|units|pieces|count"),
    "order": ("Order", "Lines with the same value are one order.", r"order|invoice|basket|receipt|beleg|auftrag"),
}
PRODUCT_ROLES = {
    "product_name": ("Product name", r"name|description|title|label|bezeichnung"),
    "category": ("Category", r"categor|group|family|department|kategorie|segment"),
}
PRICE_HINT = "This looks like a price. A column with the money of the whole line is better."
_PIECES = r"quantity|qty|units|pieces|(?<!ac)(?<!dis)count"
_BESIDE = r"discount|tax|vat|shipping|freight"  # money that goes with a line and is not its worth


@dataclass(frozen=True)
class Table:
    """A table that holds rows: columns with their types, newest version."""

    name: str
    columns: dict[str, pa.DataType]
    rows: int
    filled: bool = True  # whether a job fills it


def tables_of(model: ModelEndpoint, read: Iterable[str] = ()) -> list[Table]:
    """The warehouse tables of a model that jobs have filled, the largest first, among them those that are ``read``
    though no job fills them any more."""
    specs = DataSourceTable.objects.filter(data_source__configuration__model=model, data_source__draft=False)
    filled = {str(spec.get("destination_table", "")) for spec in specs.values_list("spec", flat=True)}
    names = filled | {name for name in read if "." not in name}
    warehouse = LocalWarehouse(Home.current().model_warehouse(model.id))
    found = []
    for name in sorted(filter(None, names)):
        table = warehouse.table(RAW, name)
        if table.exists():
            columns = {one.name: one.type for one in table.schema()}
            found.append(Table(table.name, columns, table.row_count(), name in filled))
    return sorted(found, key=lambda one: -one.rows)


def likeness(table: Table) -> int:
    """How much a table looks like one of orders: the more of the roles have a column, the more."""
    return sum(bool(guess(table, name)) for name in ROLES)


def guess(table: Table, role: str) -> str:
    """The column whose name suggests a role most, "" when none does."""
    pattern = ROLES[role][2]
    found = [name for name in fitting(table, role) if re.search(pattern, name, re.I)]
    if role == "order":  # not the time of an order, and not its line
        found = [name for name in found if re.search(r"id|no|num|code|invoice", name, re.I) and "line" not in name]
    if role in ("customer", "product"):
        found.sort(key=lambda name: not re.search(r"id|code|no$|nr$|sku", name, re.I))
    if role == "revenue":
        found = sorted((name for name in found if _money_rank(name) < 4), key=_money_rank)
    if not found and role == "time":
        found = fitting(table, role)
    return next(iter(found), "")


def looks_like_price(column: str) -> bool:
    """Whether a column's name promises the price of one piece rather than the money of a line."""
    return bool(re.search(ROLES["revenue"][2], column, re.I)) and _money_rank(column) == 2


def fitting(table: Table, role: str) -> list[str]:
    """The columns whose type can play a role."""
    kinds = {
        "time": lambda kind: pa.types.is_temporal(kind) and not pa.types.is_time(kind),
        "revenue": _is_number,
        "quantity": _is_number,
    }
    fits = kinds.get(role, lambda kind: pa.types.is_integer(kind) or _is_text(kind))
    return [name for name, kind in table.columns.items() if fits(kind)]


def guess_product_table(tables: list[Table], base: Table, product: str) -> str:
    """Another table that has the product's column and looks like one of products."""
    likely = [table for table in tables if table is not base and product in table.columns]
    likely.sort(key=lambda table: not re.search(r"product|item|article|artikel|sku", table.name, re.I))
    return likely[0].name if likely else ""


def guess_text(table: Table, role: str, product: str) -> str:
    """The text column whose name suggests a role of products."""
    pattern = PRODUCT_ROLES[role][1]
    return next((name for name in texts(table) if re.search(pattern, name, re.I) and name != product), "")


def texts(table: Table) -> list[str]:
    """The columns that hold text."""
    return [name for name, kind in table.columns.items() if _is_text(kind)]


def can_be_ruled(kind: pa.DataType) -> bool:
    """Whether values of a column can be compared with what a person types."""
    return _is_text(kind) or _is_number(kind) or bool(pa.types.is_temporal(kind) or pa.types.is_boolean(kind))


def _money_rank(name: str) -> int:
    """How well a name promises the money of one line: 0 best, 2 a price, 3 a whole order's, 4 no money of it at all."""

    def has(pattern: str) -> bool:
        return bool(re.search(pattern, name, re.I))

    if has(_PIECES) or (has(_BESIDE) and not has("total|net|after")):
        return 4
    if has("unit|each") or (has("price") and not has("total|line|ext")):
        return 2
    if has("(?<!on)(?<!off)line"):
        return 0
    return 3 if has("order|invoice|basket|grand") else 1  # the same on every line of an order: added up, too much


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))
