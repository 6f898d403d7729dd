"""The dataset and training a model has, as the set-up page shows them. Call inside the organization's scope."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from b2b_recs.engine.counting import counted
from b2b_recs.engine.datasets.spec import DatasetSpec, Join
from b2b_recs.engine.training.spec import TrainingSpec
from b2b_recs.web.datasets.models import Dataset
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.projects.setup_columns import PRODUCT_ROLES, ROLES, Table
from b2b_recs.web.projects.setup_rules import rule_of
from b2b_recs.web.training.models import PipelineConfiguration


@dataclass(frozen=True)
class Saved:
    """What stands in the model: the dataset its pipeline names, and how it is trained."""

    name: str
    spec: DatasetSpec
    training: TrainingSpec

    @property
    def product_join(self) -> Join | None:
        """The join that brings the table of products."""
        found = (join for join in self.spec.joins if list(join.on) == [self.spec.roles.product])
        return next(found, None)

    @property
    def tables(self) -> list[str]:
        """Every table that is read, the one of the orders first."""
        return [self.spec.base, *(join.table for join in self.spec.joins)]

    @property
    def further_joins(self) -> int:
        """How many tables are joined beside that of the products."""
        return len(self.spec.joins) - (self.product_join is not None)

    @property
    def unasked(self) -> str:
        """What the page does not ask, in words; "" when there is nothing."""
        return "; ".join(self._unasked())

    def _unasked(self) -> Iterator[str]:
        spec = self.spec
        if more := [join.table for join in spec.joins if join is not self.product_join]:
            yield f"what {' and '.join(more)} {'adds' if len(more) == 1 else 'add'} to each row"
        if own := [condition for condition in spec.filters.where if rule_of(condition) is None]:
            from b2b_recs.engine.datasets.conditions import in_words  # brings the query library, which takes long

            yield f"only rows where {' and '.join(map(in_words, own))}"
        if spec.filters.min_orders_per_customer > 1:
            yield f"at least {counted(spec.filters.min_orders_per_customer, 'order')} a customer"
        if spec.upper_case:
            yield f"{' and '.join(spec.upper_case)} in capitals"
        if spec.roles.customer_name:
            yield f"{spec.roles.customer_name} as the name of the customer"

    def values(self, tables: Mapping[str, Table]) -> dict[str, str]:
        """The fields of the page filled with it."""
        spec, join = self.spec, self.product_join
        roles = spec.roles.model_dump()
        lost = join is not None and join.table not in tables
        join = None if lost else join
        days = spec.filters.history_days
        test_days = self.training.split.test_days
        values = {
            "base": spec.base,
            **{name: roles[name] or "" for name in (*ROLES, *PRODUCT_ROLES)},
            "product_table": join.table if join else "",
            "product_key": next(iter(join.on.values())) if join else "",
            "history_days": "" if days is None else str(days),
            "top_share": f"{100 * spec.filters.top_revenue_share:g}",
            "test_days": "" if test_days is None else str(test_days),
        }
        if lost and self.spec.base in tables:  # what only that table brought is asked anew
            for name in PRODUCT_ROLES:
                values[name] = values[name] if values[name] in tables[self.spec.base].columns else ""
        if join is not None:
            own = tables[join.table].columns
            for name in PRODUCT_ROLES:
                bare = values[name].removeprefix(f"{join.table}__")
                values[name] = bare if bare in own else values[name]
        return values


def saved_setup(model: ModelEndpoint) -> Saved | None:
    """What a model has; None when it has no dataset, or one that is no longer understood."""
    pipeline = PipelineConfiguration.objects.filter(model=model).first()
    settings = dict(pipeline.spec) if pipeline is not None else {}
    name = settings.pop("dataset", None)
    rows = Dataset.objects.filter(model=model)
    dataset = (rows.filter(name=name) if name else rows.order_by("-id")).first()
    if dataset is None:
        return None
    try:
        return Saved(dataset.name, DatasetSpec.model_validate(dataset.spec), TrainingSpec.model_validate(settings))
    except ValidationError:  # a training of it fails with its reason; here it is described anew
        return None


def joined_name(base: Table, other: Table, column: str, product: str, key: str) -> str:
    """How a column of the joined table is called in the dataset: a name that is taken gets its table before it."""
    if column == key and key.casefold() == product.casefold():
        return product
    taken = {name.casefold() for name in base.columns}
    return f"{other.name}__{column}" if column.casefold() in taken else column
