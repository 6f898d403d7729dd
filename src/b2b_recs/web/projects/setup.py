"""From tables in the warehouse to a model that can be trained: which column means what, guessed, then confirmed.

Call inside the organization's scope.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
from django.db import transaction

from b2b_recs.engine.datasets.spec import RAW, DatasetSpec
from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.training.spec import TrainingSpec
from b2b_recs.engine.warehouse.local import LocalWarehouse
from b2b_recs.runtime.home import Home
from b2b_recs.web.datasets.models import Dataset
from b2b_recs.web.etl.models import DataSourceTable
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.training.models import PipelineConfiguration

NAME = "purchases"
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


@dataclass(frozen=True)
class Table:
    """A table that holds rows: columns with their types, newest version."""

    name: str
    columns: dict[str, pa.DataType]
    rows: int


@dataclass(frozen=True)
class RoleField:
    """One question of the page."""

    name: str
    title: str
    hint: str
    needed: bool
    chosen: str
    choices: list[str]


@dataclass
class SetupForm:
    """Everything the page asks."""

    tables: list[Table]
    base: str
    roles: list[RoleField]
    product_tables: list[str]
    product_table: str
    product_key: str
    product_keys: list[str]
    product_roles: list[RoleField]
    history_days: str = ""
    top_share: str = "80"
    test_days: str = "30"


def tables_of(model: ModelEndpoint) -> list[Table]:
    """The warehouse tables of a model that jobs have filled, the largest first."""
    specs = DataSourceTable.objects.filter(data_source__configuration__model=model, data_source__draft=False)
    names = {str(spec.get("destination_table", "")) for spec in specs.values_list("spec", flat=True)}
    warehouse = LocalWarehouse(Home.current().model_warehouse(model.id))
    found = []
    for table in (warehouse.table(RAW, name) for name in sorted(filter(None, names))):
        if table.exists():
            found.append(Table(table.name, {one.name: one.type for one in table.schema()}, table.row_count()))
    return sorted(found, key=lambda one: -one.rows)


def setup_form(model: ModelEndpoint, typed: Mapping[str, str]) -> SetupForm | None:
    """The page with what was typed, else what the names of the columns suggest; None without any table."""
    tables = tables_of(model)
    if not tables:
        return None
    by_name = {table.name: table for table in tables}
    base = by_name.get(typed.get("base", "")) or max(tables, key=_likeness)
    roles = [
        RoleField(
            name=name,
            title=title,
            hint=hint,
            needed=name in NEEDED,
            chosen=typed[name] if name in typed else _guess(base, name, pattern),
            choices=_fitting(base, name),
        )
        for name, (title, hint, pattern) in ROLES.items()
    ]
    others = [table.name for table in tables if table is not base]
    product = next(role.chosen for role in roles if role.name == "product")
    wanted = typed["product_table"] if "product_table" in typed else _product_table(tables, base, product)
    other = by_name.get(wanted) if wanted in others else None
    return SetupForm(
        tables=tables,
        base=base.name,
        roles=roles,
        product_tables=others,
        product_table=other.name if other else "",
        product_key=typed.get("product_key") or (product if other and product in other.columns else ""),
        product_keys=list(other.columns) if other else [],
        product_roles=[
            RoleField(
                name=name,
                title=title,
                hint="",
                needed=False,
                chosen=typed[name] if name in typed else _guess_text(other or base, pattern, product),
                choices=_texts(other or base),
            )
            for name, (title, pattern) in PRODUCT_ROLES.items()
        ],
        **{name: typed[name] for name in ("history_days", "top_share", "test_days") if name in typed},
    )


def dataset_spec(form: SetupForm) -> DatasetSpec:
    """The definition somebody confirmed. Raises BadInput naming the field."""
    chosen = {role.name: role.chosen for role in (*form.roles, *form.product_roles) if role.chosen}
    for role in form.roles:
        if role.needed and not role.chosen:
            raise BadInput(f"{role.title} is missing.", field=role.name, advice="Choose its column.")
        if role.chosen and role.chosen not in role.choices:
            told = f"{form.base} has no column “{role.chosen[:60]}” for it."
            raise BadInput(told, field=role.name, advice="Choose one.")
    joins = []
    if form.product_table:
        if form.product_key not in form.product_keys:
            raise BadInput(
                f"Which column of {form.product_table} holds the product?", field="product_key", advice="Choose one."
            )
        joins = [{"table": form.product_table, "on": {chosen["product"]: form.product_key}, "kind": "left"}]
    days, share = _number(form.history_days, "history_days", 36_500), _number(form.top_share, "top_share", 100)
    filters = {"history_days": days, "top_revenue_share": (share or 100) / 100 if "revenue" in chosen else 1.0}
    return DatasetSpec.model_validate({"base": form.base, "joins": joins, "roles": chosen, "filters": filters})


def training_spec(form: SetupForm) -> TrainingSpec:
    """How the model is trained. Raises BadInput naming the field."""
    return TrainingSpec.model_validate({"split": {"test_days": _number(form.test_days, "test_days", 3_650) or 30}})


def save_setup(model: ModelEndpoint, spec: DatasetSpec, training: TrainingSpec) -> None:
    """Keep dataset and pipeline of a model, all or nothing; those of that name are brought up to date."""
    own = {"organization_id": model.organization_id}
    with transaction.atomic():
        Dataset.objects.update_or_create(
            model=model, name=NAME, defaults={**own, "spec": spec.model_dump(mode="json", exclude_defaults=True)}
        )
        document = {"dataset": NAME, **training.model_dump(mode="json")}
        PipelineConfiguration.objects.update_or_create(model=model, defaults={**own, "spec": document})


def _number(text: str, name: str, most: int) -> int | None:
    text = text.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
        raise BadInput(f"“{text[:40]}” cannot be used.", field=name, advice=f"Give a number from 1 to {most:,}.")
    return int(text)


def _likeness(table: Table) -> int:
    """How much a table looks like one of orders: the more of the needed roles have a column, the more."""
    return sum(bool(_guess(table, name, ROLES[name][2])) for name in ROLES)


def _guess(table: Table, role: str, pattern: str) -> str:
    fitting = [name for name in _fitting(table, role) if re.search(pattern, name, re.I)]
    if role == "order":  # not the time of an order, and not its line
        fitting = [name for name in fitting if re.search(r"id|no|num|code|invoice", name, re.I) and "line" not in name]
    if role in ("customer", "product"):
        fitting.sort(key=lambda name: not re.search(r"id|code|no$|nr$|sku", name, re.I))
    if not fitting and role == "time":
        fitting = _fitting(table, role)
    return next(iter(fitting), "")


def _fitting(table: Table, role: str) -> list[str]:
    """The columns whose type can play a role."""
    kinds = {
        "time": lambda kind: pa.types.is_temporal(kind) and not pa.types.is_time(kind),
        "revenue": _is_number,
        "quantity": _is_number,
    }
    fits = kinds.get(role, lambda kind: pa.types.is_integer(kind) or _is_text(kind))
    return [name for name, kind in table.columns.items() if fits(kind)]


def _product_table(tables: list[Table], base: Table, product: str) -> str:
    """Another table that has the product's column and looks like one of products."""
    likely = [table for table in tables if table is not base and product in table.columns]
    likely.sort(key=lambda table: not re.search(r"product|item|article|artikel|sku", table.name, re.I))
    return likely[0].name if likely else ""


def _guess_text(table: Table, pattern: str, product: str) -> str:
    return next((name for name in _texts(table) if re.search(pattern, name, re.I) and name != product), "")


def _texts(table: Table) -> list[str]:
    return [name for name, kind in table.columns.items() if _is_text(kind)]


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))
