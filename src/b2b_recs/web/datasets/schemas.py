"""Warehouse tables as programs see them."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from b2b_recs.engine.profile.document import TableProfile
from b2b_recs.engine.profile.facts import VersionFacts, facts_of
from b2b_recs.engine.profile.notes import QualityNote, quality_notes
from b2b_recs.engine.profile.preview import Preview
from b2b_recs.engine.profile.rejects import rejected_count
from b2b_recs.engine.profile.values import Plain
from b2b_recs.web.api.schemas import PageOf
from b2b_recs.web.datasets.listing import Row, measure
from b2b_recs.web.datasets.overview import parts_of
from b2b_recs.web.datasets.tables import WarehouseTable


class FillerOut(BaseModel):
    """The job that fills a table."""

    id: int
    name: str
    source: str = Field(description="Schema and table read.")
    last_run_id: int | None
    last_run_status: str | None = Field(description="pending, running, completed, partial, failed or cancelled.")


class TableOut(BaseModel):
    """A warehouse table; numbers are null until it has been loaded."""

    name: str = Field(description="How addresses name it: the table, with its dataset and a dot if not raw_data.")
    dataset: str
    loaded: bool
    rows: int | None
    size_bytes: int | None = Field(description="Bytes of the newest version, compressed.")
    version: int | None = Field(description="The newest version; the first is 0.")
    loaded_at: datetime | None
    job: FillerOut | None = Field(description="null when no job fills the table any more.")


class Tables(PageOf):
    """One page of warehouse tables, by name."""

    items: list[TableOut]


class ColumnOut(BaseModel):
    """A column of a table."""

    name: str
    type: str = Field(description="The warehouse type with its digits, such as NUMERIC(12, 2).")
    mode: str = Field(description="NULLABLE or REQUIRED.")
    source_type: str = Field(description="The type in the source; empty when nobody noted it.")
    parts: list[str] = Field(description="key, cursor, partition by day, cluster 1 to 4.")


class TableDetail(TableOut):
    """A table with its columns."""

    columns: list[ColumnOut]
    key: list[str] = Field(description="The columns that tell rows apart; empty when nobody said.")
    rejected_rows: int


class TableDeleted(BaseModel):
    """The table that was deleted."""

    name: str


class PreviewColumn(BaseModel):
    """A column of a preview."""

    name: str
    type: str


class PreviewOut(BaseModel):
    """The first rows of a version, as they are stored."""

    version: int
    total_rows: int
    columns: list[PreviewColumn]
    rows: list[list[Plain]] = Field(
        description="Whole numbers, floats and truths as such; decimals, times and bytes as exact text; NULL as null."
    )


class StatisticsOut(TableProfile):
    """The statistics of a version with the notes on its quality, the worst first."""

    notes: list[QualityNote]


class Underway(BaseModel):
    """The statistics are being worked out; ask again after `Retry-After` seconds."""

    version: int
    ready: bool = False


def table_out(one: WarehouseTable, row: Row | None = None) -> TableOut:
    """A table with the numbers of its newest version."""
    return TableOut(**_numbers(one, row))


def detail_out(one: WarehouseTable) -> TableDetail:
    """A table with its columns, those of the newest version."""
    facts = facts_of(one.table) if one.loaded else None
    parts = parts_of(one)
    columns = [
        ColumnOut(
            name=column.name,
            type=column.type_words,
            mode=column.mode.value,
            source_type=column.source_type,
            parts=parts.get(column.name, []),
        )
        for column in (facts.columns if facts else ())
    ]
    rejected = rejected_count(one.table) if one.loaded else 0
    return TableDetail(**_numbers(one), columns=columns, key=list(one.key), rejected_rows=rejected)


def preview_out(found: Preview, facts: VersionFacts) -> PreviewOut:
    """First rows with the columns they are of."""
    columns = [PreviewColumn(name=column.name, type=column.type_words) for column in found.columns]
    return PreviewOut(version=facts.version, total_rows=facts.rows, columns=columns, rows=found.rows)


def statistics_out(profile: TableProfile) -> StatisticsOut:
    """Statistics with their notes."""
    return StatisticsOut(**dict(profile), notes=quality_notes(profile))


def _numbers(one: WarehouseTable, row: Row | None = None) -> dict[str, object]:
    row = row or measure(Row(one))
    filler, run = one.filler, one.last_run
    job = filler and FillerOut(
        id=filler.job_id,
        name=filler.name,
        source=filler.source,
        last_run_id=run.id if run else None,
        last_run_status=run.status if run else None,
    )
    return {
        "name": one.slug,
        "dataset": one.dataset,
        "loaded": one.loaded,
        "rows": row.rows,
        "size_bytes": row.size_bytes,
        "version": None if row.versions is None else row.versions - 1,
        "loaded_at": row.loaded_at,
        "job": job,
    }
