"""Asking the source of a job whether the job could run now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal

from pydantic import BaseModel, Field

from b2b_recs.engine.errors import BadInput, EngineError, SourceRefused
from b2b_recs.engine.etl.drift import stored_mapping
from b2b_recs.engine.etl.place import placed
from b2b_recs.engine.etl.shown import known_columns, with_named
from b2b_recs.engine.etl.spec import CopySpec
from b2b_recs.engine.schema.types import ColumnMapping
from b2b_recs.engine.sources.contract import ColumnInfo, Source, SourceType
from b2b_recs.engine.warehouse.bigquery import names_instead
from b2b_recs.engine.warehouse.local import LocalWarehouse
from b2b_recs.runtime.home import Home
from b2b_recs.web.api.schemas import ErrorDetail
from b2b_recs.web.connections.schemas import describe_error
from b2b_recs.web.connections.testing import ask
from b2b_recs.web.etl.against import check_against
from b2b_recs.web.etl.checks import columns_used
from b2b_recs.web.etl.proposals import SAMPLED


class JobTest(BaseModel):
    """Whether a job could run now."""

    status: Literal["passed", "failed", "unknown"] = Field(description="unknown: we could not ask the source.")
    columns: int | None = Field(description="How many columns the table has, when the source told.")
    error: ErrorDetail | None


def question_of(declared: SourceType, spec: CopySpec) -> Callable[[Source], int]:
    """What to ask: how many columns the job's table has, after checking that the job fits them."""

    def question(source: Source) -> int:
        there = placed(declared, source, spec)
        columns = source.columns(there.source_schema, there.source_table)
        if declared.capabilities.sampled:
            columns = known_columns(columns, there, None)
        check_against(declared, there, columns)
        return len(columns)

    return question


def held_columns(model_id: int, spec: CopySpec) -> frozenset[str]:
    """The columns the warehouse table of a copy has already, whose types stay; none of a table that is not loaded."""
    return frozenset(known_types(model_id, spec.destination_dataset, spec.destination_table))


def known_types(model_id: int, dataset: str, name: str) -> dict[str, str]:
    """The columns a warehouse table has, each with its type in the source; none of a table that is not loaded."""
    table = LocalWarehouse(Home.current().model_warehouse(model_id)).table(dataset, name)
    return {field.name: stored_mapping(field).source_type for field in table.schema()} if table.exists() else {}


def settled_by(
    declared: SourceType, given: CopySpec, held: frozenset[str] = frozenset()
) -> Callable[[Source], CopySpec]:
    """What to ask of a job that is saved: the same copy with schema and types settled, after checking that it fits.

    A column whose name BigQuery does not take, and that the warehouse table does not hold yet, gets one it takes.
    A type chosen by hand is noted together with the source's own type, so that a later change of that is noticed.
    Columns it says nothing of, and that its warehouse table does not hold yet, get the types proposed from values, as
    they were shown.
    """

    def question(source: Source) -> CopySpec:
        spec = placed(declared, source, given)
        columns = source.columns(spec.source_schema, spec.source_table)
        if declared.capabilities.sampled:
            columns = with_named(columns, dict.fromkeys(sorted(held - set(spec.names.values())), ""))
        spec = spec.model_copy(update={"names": {**spec.names, **_instead(spec, columns, held)}})
        check_against(declared, spec, columns)
        here = {column.name: column for column in columns}
        types = [
            replace(mapping, source_type=here[mapping.name].source_type or mapping.source_type)
            for mapping in spec.types
        ]
        new = [column for column in columns if spec.names.get(column.name, column.name) not in held]
        types += _seen(declared, source, spec, new)
        settled = spec.model_copy(update={"types": tuple(types)})
        check_against(declared, settled, columns)
        return settled

    return question


def _instead(spec: CopySpec, columns: Sequence[ColumnInfo], held: frozenset[str]) -> dict[str, str]:
    """Names for columns that have none of their own and cannot keep the one of the source."""
    copied = {*spec.columns, *(name for _, name in columns_used(spec))} if spec.columns else None
    asked = [one.name for one in columns if one.name not in spec.names and (copied is None or one.name in copied)]
    found = names_instead(asked, spec.names.values())
    return {name: new for name, (new, _) in found.items() if name not in held}


def _seen(
    declared: SourceType, source: Source, spec: CopySpec, columns: Sequence[ColumnInfo]
) -> Iterator[ColumnMapping]:
    """The proposals that values made different from what the type alone says."""
    said = {mapping.name for mapping in spec.types}
    asked = [one for one in columns if one.name not in said and (not spec.columns or one.name in spec.columns)]
    names = [column.name for column in asked]
    samples = source.samples(spec.source_schema, spec.source_table, names, SAMPLED) if names else {}
    plain = {mapping.name: mapping for mapping in declared.propose(asked, {}, spec.time_zone)}
    for mapping in declared.propose(asked, samples, spec.time_zone):
        other = plain[mapping.name]
        if _held(mapping) != _held(other):
            yield replace(other, **_held(mapping))


def _held(mapping: ColumnMapping) -> dict[str, Any]:
    return {name: getattr(mapping, name) for name in ("warehouse_type", "precision", "scale", "format")}


def test_of(open_source: Callable[[], Source], declared: SourceType, spec: CopySpec) -> JobTest:
    """How the test of a job went."""
    try:
        found = ask(open_source, question_of(declared, spec))
    except (SourceRefused, BadInput) as refusal:
        return JobTest(status="failed", columns=None, error=describe_error(refusal))
    except EngineError as trouble:
        return JobTest(status="unknown", columns=None, error=describe_error(trouble))
    return JobTest(status="passed", columns=found, error=None)
