"""What a job must fulfil beyond its shape, by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.etl.fitness import refuse_unfit
from b2b_recs.engine.etl.spec import CopySpec
from b2b_recs.engine.several import Collected
from b2b_recs.engine.sources.contract import SourceType
from b2b_recs.engine.warehouse.bigquery import check_new_names
from b2b_recs.engine.warehouse.names import checked_dataset, checked_table

LONGEST_LAG = timedelta(days=3650)
MOST_DAYS = 36_500


def columns_used(spec: CopySpec) -> list[tuple[str, str]]:
    """Every column a job names outside its list of columns, with the part of the job that names it."""
    used = [("types", mapping.name) for mapping in spec.types]
    if spec.partition_by:
        used.append(("partition_by", spec.partition_by))
    used += [("cluster_by", name) for name in spec.cluster_by]
    cursor, key = getattr(spec.load, "cursor", None), getattr(spec.load, "key", ())
    if cursor:
        used.append(("load.cursor", cursor))
    return used + [("load.key", name) for name in key or ()]


def check_spec(spec: CopySpec, declared: SourceType | None) -> None:
    """Raise BadInput naming the part of the job that cannot be, Several for more than one.

    ``declared`` is None for a type that is not known any more.
    """
    faults = Collected()
    if declared is not None:
        with faults.part():
            refuse_unfit(spec, declared)
    with faults.part():
        checked_dataset(spec.destination_dataset)
    with faults.part():
        checked_table(spec.destination_table)
    named = {"columns": spec.columns, "cluster_by": spec.cluster_by, "types": [one.name for one in spec.types]}
    for field, names in named.items():
        with faults.part():
            _once(field, names)
    with faults.part():
        check_new_names(spec.names)
    if spec.columns:
        faults.found += _not_among(columns_used(spec), spec.columns)
    with faults.part():
        _check_load(spec)
    faults.refuse()


def _check_load(spec: CopySpec) -> None:
    lag, backfill = getattr(spec.load, "lag", None), getattr(spec.load, "backfill", None)
    if isinstance(lag, timedelta) and not timedelta(0) <= lag <= LONGEST_LAG:
        raise BadInput("The lag is not from 0 to 3,650 days.", field="load.lag", advice="Give a shorter time.")
    if isinstance(backfill, int) and not 1 <= backfill <= MOST_DAYS:
        raise BadInput(
            f"{backfill} days cannot be loaded back.", field="load.backfill", advice=f"Give 1 to {MOST_DAYS:,}, or all."
        )
    if getattr(spec.load, "cursor", "some") == "":
        raise BadInput("No column says what is new.", field="load.cursor", advice="Choose a time or a number column.")


def _not_among(used: Iterable[tuple[str, str]], chosen: Iterable[str]) -> Iterator[BadInput]:
    names = set(chosen)
    for field, name in used:
        if name not in names:
            told = f"The column “{name[:100]}” is not among the job's columns."
            yield BadInput(told, field=field, advice="Add it to columns.", column=name)


def _once(field: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if not name:
            raise BadInput("A column has no name.", field=field, advice="Take it out.")
        if name in seen:
            raise BadInput(f"The column “{name[:100]}” is named twice.", field=field, advice="Take one out.")
        seen.add(name)
