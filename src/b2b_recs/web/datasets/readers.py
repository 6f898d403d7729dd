"""Which datasets read a warehouse table, and which of their tables no job fills.

Call inside the organization's scope.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, Concat

from b2b_recs.engine.datasets.spec import RAW
from b2b_recs.web.datasets.models import Dataset
from b2b_recs.web.etl.models import DataSourceTable


def tables_read(spec: Any) -> list[str]:
    """The tables a dataset's description names, its base first; none of one that is no longer understood."""
    if not isinstance(spec, dict):
        return []
    named = [spec.get("base"), *(join.get("table") for join in spec.get("joins") or () if isinstance(join, dict))]
    return list(dict.fromkeys(name for name in named if isinstance(name, str) and name))


def readers_of(model_id: int, dataset: str, name: str) -> list[str]:
    """The names of the datasets of a model that read a table."""
    called = {name, f"{dataset}.{name}"} if dataset == RAW else {f"{dataset}.{name}"}
    rows = Dataset.objects.filter(model_id=model_id).order_by("name").values_list("name", "spec")
    return [reader for reader, spec in rows if called & set(tables_read(spec))]


def place_in(spec: str) -> Concat:
    """The place of the table a job fills, such as raw_data.bq_orders; ``spec`` is the way to its copy."""
    text = TextField()
    dataset = Coalesce(KeyTextTransform("destination_dataset", spec), Value(RAW), output_field=text)
    return Concat(dataset, Value("."), KeyTextTransform("destination_table", spec), output_field=text)


def as_named(places: Iterable[str | None]) -> set[str]:
    """Tables at these places as datasets name them: in the usual part of the warehouse also by their name alone."""
    found = {place for place in places if place}
    return found | {place.removeprefix(f"{RAW}.") for place in found}


def filled_tables(model_id: int) -> set[str]:
    """The tables that jobs of a model fill, as datasets name them."""
    jobs = DataSourceTable.objects.filter(data_source__configuration__model_id=model_id, data_source__draft=False)
    return as_named(jobs.annotate(place=place_in("spec")).values_list("place", flat=True))


def unfilled_tables(spec: Any, filled: set[str]) -> list[str]:
    """The tables a dataset reads that no job fills; ``filled`` are those that jobs do."""
    return [name for name in tables_read(spec) if name not in filled]
