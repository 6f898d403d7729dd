"""A dataset's definition: which warehouse tables, joined how, which column means what, which rows stay."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

# The warehouse dataset that copies fill and datasets read.
RAW = "raw_data"


class Join(BaseModel):
    """One more table; ``on`` maps a column of what is there so far to a column of the joined table."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    table: str
    on: dict[str, str]
    kind: Literal["left", "inner", "right"] = "left"


class Roles(BaseModel):
    """Which column says who, what, when and how much. The first three are needed; all others are optional."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    customer: str
    product: str
    time: str
    revenue: str | None = None
    quantity: str | None = None
    order: str | None = None
    customer_name: str | None = None
    product_name: str | None = None
    category: str | None = None


class Condition(BaseModel):
    """A row stays when ``column`` ``op`` ``value`` is true; an unknown value never satisfies a condition."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    column: str
    op: Literal[
        "=", "!=", ">", ">=", "<", "<=", "in", "not in", "known", "unknown",
        "starts", "not starts", "matches", "not matches",
    ]  # fmt: skip
    value: str | int | float | bool | tuple[str | int | float | bool, ...] | None = None


class Filters(BaseModel):
    """Which rows stay, applied in this order: where, history, customers, products by revenue."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    where: tuple[Condition, ...] = ()
    history_days: int | None = Field(default=None, ge=1, le=36_500)
    min_orders_per_customer: int = Field(default=1, ge=1)
    top_revenue_share: float = Field(default=1.0, gt=0, le=1)


class DatasetSpec(BaseModel):
    """One dataset over the warehouse tables of one model.

    ``upper_case`` names text columns whose letters become capitals after the joins, before roles and filters.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    base: str
    joins: tuple[Join, ...] = ()
    roles: Roles
    filters: Filters = Filters()
    upper_case: tuple[str, ...] = ()
