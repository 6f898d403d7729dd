"""What is proposed for a job that copies a table: types, load strategy, destination; nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from pydantic import BaseModel, Field

from b2b_recs.engine.errors import TableMissing
from b2b_recs.engine.etl.becoming import impossible_types, refused_samples
from b2b_recs.engine.etl.place import schema_of
from b2b_recs.engine.etl.shown import with_named
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.sources.contract import ColumnInfo, Source, SourceType
from b2b_recs.engine.warehouse.bigquery import names_instead
from b2b_recs.project_file.names import warehouse_name
from b2b_recs.web.etl.misfits import Refused, SeenValues, refused_by_type, seen_values
from b2b_recs.web.etl.strategies import ProposedLoad, propose_load

SAMPLED, SHOWN, LONGEST_SHOWN = 1_000, 5, 200
# What of a type may be chosen, where the proposal is not wanted.
HELD = ("warehouse_type", "mode", "precision", "scale", "format")
_TIMES = {WarehouseType.TIMESTAMP, WarehouseType.DATETIME, WarehouseType.DATE}


class ProposedType(BaseModel):
    """What a column becomes in the warehouse, and how sure that is."""

    warehouse_type: str
    mode: str
    precision: int | None
    scale: int | None
    format: str = Field(
        description="How the text writes dates, such as %d/%m/%Y, or numbers, such as 1.234,56; "
        "empty for ISO 8601, 1234.56 and no text."
    )
    confidence: str = Field(description="high, medium or low.")
    reason: str
    warning: str = Field(description="What may be lost, or where values disagree; empty when nothing.")


class ProposedColumn(BaseModel):
    """A column of the source with sample values."""

    name: str
    source_type: str
    nullable: bool
    key_position: int | None = Field(description="Its place in the primary key, from 1.")
    is_time: bool
    samples: list[str | None]
    seen: list[SeenValues] = Field(default=[], description="What all sampled values look like, with how many do.")
    empty: int = Field(default=0, description="How many of the sampled values are empty.")
    refused: dict[str, Refused] | None = Field(
        default=None, description="Sampled values each type would reject; null where their look has to tell."
    )
    impossible: list[str] = Field(default=[], description="Types that no value of the column could become.")
    proposed: ProposedType
    warehouse_name: str = Field(default="", description="What it is called in the warehouse; empty: as in the source.")
    name_reason: str = Field(default="", description="Why it cannot keep its name; empty when it does.")


class TableProposal(BaseModel):
    """Everything a job for this table could start with."""

    source_schema: str
    source_table: str
    destination_table: str
    columns: list[ProposedColumn]
    key: list[str]
    time_columns: list[str]
    proposed: ProposedLoad
    partition_by: str | None


def propose(
    declared: SourceType,
    source: Source,
    schema: str,
    table: str,
    time_zone: str,
    known: Mapping[str, str] = MappingProxyType({}),
) -> TableProposal:
    """What to propose for a table, whose schema is looked for where none is named.

    ``known`` are columns of the job and its warehouse table, by name with their source types: a source that shows the
    fields of some rows only may not show them.
    Raises BadInput, TableMissing, and what the source raises.
    """
    schema = schema_of(declared, source, schema, table, "schema")
    columns = source.columns(schema, table)
    if not columns:
        raise TableMissing(
            f"{schema}.{table} has no columns this login may read.".lstrip("."),
            advice="Choose another table, or ask for the right to read it.",
            field="table",
        )
    if declared.capabilities.sampled:
        columns = with_named(columns, known)
    samples = source.samples(schema, table, [column.name for column in columns], SAMPLED)
    mappings = {one.name: one for one in declared.propose(columns, samples, time_zone)}
    key = primary_key(columns)
    times = [one.name for one in columns if one.is_time or mappings[one.name].warehouse_type in _TIMES]
    instead = names_instead([one.name for one in columns])
    names = {name: new for name, new in instead.items() if name not in known}
    load = propose_load(declared, columns, key, {name: mappings[name].warehouse_type for name in times}, table)
    cursor = load.load.get("cursor")
    return TableProposal(
        source_schema=schema,
        source_table=table,
        destination_table=warehouse_name(table),
        columns=[
            _column(
                declared, one, samples.get(one.name, ()), mappings[one.name], time_zone, *names.get(one.name, ("", ""))
            )
            for one in columns
        ],
        key=key,
        time_columns=times,
        proposed=load,
        partition_by=str(cursor) if cursor in times else None,
    )


def primary_key(columns: Sequence[ColumnInfo]) -> list[str]:
    """The columns of the primary key in its order; empty without one."""
    ordered = sorted(columns, key=lambda column: column.key_position or 0)
    return [column.name for column in ordered if column.key_position]


def _column(
    declared: SourceType,
    column: ColumnInfo,
    samples: Sequence[str | None],
    mapping: ColumnMapping,
    time_zone: str,
    name: str,
    reason: str,
) -> ProposedColumn:
    shown = list(dict.fromkeys(value for value in samples if value is not None))[:SHOWN] or list(samples[:1])
    return ProposedColumn(
        name=column.name,
        source_type=column.source_type,
        nullable=column.nullable,
        key_position=column.key_position,
        is_time=column.is_time,
        samples=[None if value is None else value[:LONGEST_SHOWN] for value in shown],
        seen=seen_values(samples),
        empty=sum(value is None for value in samples),
        refused=refused_by_type(refused_samples(declared, column, samples, time_zone)),
        impossible=[kind.value for kind in impossible_types(declared, column)],
        proposed=ProposedType(
            warehouse_type=mapping.warehouse_type.value,
            mode=mapping.mode.value,
            precision=mapping.precision,
            scale=mapping.scale,
            format=mapping.format,
            confidence=mapping.confidence.value,
            reason=mapping.reason,
            warning=mapping.warning,
        ),
        warehouse_name=name,
        name_reason=reason,
    )
