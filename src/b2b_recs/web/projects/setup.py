"""What the page asks that turns tables into a model: what was typed, else what was saved, else what names suggest.

Call inside the organization's scope.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa
from django.http import QueryDict

from b2b_recs.engine.errors import BadInput
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.projects.setup_columns import (
    NEEDED,
    PRICE_HINT,
    PRODUCT_ROLES,
    ROLES,
    Table,
    can_be_ruled,
    fitting,
    guess,
    guess_product_table,
    guess_text,
    likeness,
    looks_like_price,
    tables_of,
    texts,
)
from b2b_recs.web.projects.setup_returns import split_off, typed_returns
from b2b_recs.web.projects.setup_rules import Rule, rules_changed, saved_rules, typed_rules
from b2b_recs.web.projects.setup_saved import Saved, joined_name, saved_setup

NUMBERS = {"history_days": "", "top_share": "80", "test_days": "30"}


@dataclass
class RoleField:
    """One question of the page, with what is wrong about its answer."""

    name: str
    title: str
    hint: str
    needed: bool
    chosen: str
    choices: list[str]
    fault: BadInput | None = None


@dataclass
class SetupForm:
    """Everything the page asks; ``saved`` is what stands in the model now, None before the first time.

    ``returns`` are the columns whose rows of zero or less are left out; None until somebody has seen what is proposed.
    """

    tables: list[Table]
    base: Table
    roles: list[RoleField]
    product_tables: list[str]
    product_table: str
    product_key: str
    product_keys: list[str]
    product_roles: list[RoleField]
    history_days: str
    top_share: str
    test_days: str
    saved: Saved | None
    ticked: list[str] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    returns: list[str] | None = None

    @property
    def kept(self) -> Saved | None:
        """What was saved, when it is about the same table, so that what the page does not ask stays."""
        return self.saved if self.saved is not None and self.saved.spec.base == self.base.name else None

    @property
    def test_share(self) -> str:
        """The saved test period in words when it is a share of the lines, which this page cannot ask."""
        split = self.saved.training.split if self.saved is not None else None
        return split.words() if split is not None and split.test_share is not None else ""

    @property
    def lost(self) -> str:
        """The table of the saved settings when the warehouse has it no more."""
        base = self.saved.spec.base if self.saved is not None else ""
        return base if base and base not in {table.name for table in self.tables} else ""

    @property
    def unfilled(self) -> list[str]:
        """The tables of the form that no job fills any more."""
        return [one.name for one in self.tables if not one.filled and one.name in (self.base.name, self.product_table)]

    @property
    def resting(self) -> set[str]:
        """All tables that no job fills any more."""
        return {one.name for one in self.tables if not one.filled}

    @property
    def missing(self) -> list[str]:
        """The tables the saved settings join that the warehouse has no more."""
        there = {table.name for table in self.tables}
        return [name for name in self.saved.tables[1:] if name not in there] if self.saved is not None else []

    @property
    def product(self) -> str:
        """The column of what was bought."""
        return next(role.chosen for role in self.roles if role.name == "product")

    @property
    def numbers(self) -> list[str]:
        """The columns that say how many or how much: of the quantity, of the revenue, and of prices."""
        chosen = [role.chosen for role in self.roles if role.name in ("quantity", "revenue") and role.chosen]
        prices = [name for name in fitting(self.base, "revenue") if looks_like_price(name)]
        return [name for name in dict.fromkeys([*chosen, *prices]) if name in self.base.columns]

    @property
    def rule_columns(self) -> dict[str, pa.DataType | None]:
        """The columns a rule can be about, as the dataset calls them; None for the kind of one from another table."""
        found: dict[str, pa.DataType | None] = {
            name: kind for name, kind in self.base.columns.items() if can_be_ruled(kind)
        }
        other = next((table for table in self.tables if table.name == self.product_table), None)
        if other is not None and self.product_key in other.columns:
            for name, kind in other.columns.items():
                if can_be_ruled(kind):
                    found.setdefault(joined_name(self.base, other, name, self.product, self.product_key), kind)
        for condition in self.kept.spec.filters.where if self.kept is not None and self.kept.further_joins else ():
            found.setdefault(condition.column, None)
        return found


def setup_form(model: ModelEndpoint, typed: QueryDict | None, do: str = "") -> SetupForm | None:
    """The page; None without any table.

    ``do`` is the button that was pressed: look at another table proposes its columns anew, where numbers stay; add
    and drop change the lines of what is left out.
    """
    saved = saved_setup(model)
    tables = tables_of(model, saved.tables if saved is not None else ())
    if not tables:
        return None
    by_name = {table.name: table for table in tables}
    kept = saved.values(by_name) if saved is not None and saved.spec.base in by_name else {}
    given = dict(kept)
    if typed:
        given = typed.dict()
        if do == "look":
            told = {name: given[name] for name in ("base", *NUMBERS) if name in given}
            given = {**(kept if given.get("base") == kept.get("base") else {}), **told}
    base = by_name.get(given.get("base", "")) or max(tables, key=lambda one: (one.filled, likeness(one)))
    same = kept if kept.get("base") == base.name else {}
    roles = [_role(base, name, given, same) for name in ROLES]
    product = next(role.chosen for role in roles if role.name == "product")
    others = [table.name for table in tables if table is not base]
    wanted = given["product_table"] if "product_table" in given else guess_product_table(tables, base, product)
    other = by_name.get(wanted) if wanted in others else None
    form = SetupForm(
        tables=tables,
        base=base,
        roles=roles,
        product_tables=others,
        product_table=other.name if other else "",
        product_key=given.get("product_key", product if other and product in other.columns else ""),
        product_keys=list(other.columns) if other else [],
        product_roles=[_product_role(other or base, name, product, given, same) for name in PRODUCT_ROLES],
        saved=saved,
        **{name: given.get(name, proposed) for name, proposed in NUMBERS.items()},
    )
    if typed and "rules" in typed and do != "look":
        form.ticked, form.rules = typed_rules(typed)
        form.returns = typed_returns(typed)
        form.rules = rules_changed(form.rules, do)
    elif form.kept is not None:
        form.ticked, form.rules = saved_rules(form.kept.spec, form.kept.spec.roles.product)
        form.returns, form.rules = split_off(form.rules, form.numbers)
    for number, rule in enumerate(form.rules):
        rule.number = number
    return form


def _role(base: Table, name: str, given: Mapping[str, str], kept: Mapping[str, str]) -> RoleField:
    title, hint, _ = ROLES[name]
    chosen = given[name] if name in given else guess(base, name)
    if name == "revenue" and looks_like_price(chosen):
        hint = PRICE_HINT
    return RoleField(name, title, hint, name in NEEDED, chosen, _with_kept(fitting(base, name), kept.get(name)))


def _product_role(
    table: Table, name: str, product: str, given: Mapping[str, str], kept: Mapping[str, str]
) -> RoleField:
    chosen = given[name] if name in given else guess_text(table, name, product)
    same = kept.get(name) if given.get("product_table", "") == kept.get("product_table", "") else None
    return RoleField(name, PRODUCT_ROLES[name][0], "", False, chosen, _with_kept(texts(table), same))


def _with_kept(choices: list[str], kept: str | None) -> list[str]:
    """A column that was saved stays a choice, also when it comes from a table this page does not show."""
    return [*choices, kept] if kept and kept not in choices else choices
