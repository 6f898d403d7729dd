"""The warehouse tables of a model, and the jobs that fill them. Call inside the organization's scope."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db.models import QuerySet
from django.db.models.fields.json import KT
from django.urls import reverse

from b2b_recs.engine.datasets.spec import RAW as USUAL
from b2b_recs.engine.errors import BadInput, EngineError, TooManyRejected
from b2b_recs.engine.etl.reached import noted_key
from b2b_recs.engine.profile.facts import loaded_tables, newest_version
from b2b_recs.engine.warehouse.local import LocalTable, LocalWarehouse
from b2b_recs.engine.warehouse.names import checked_dataset, checked_table, kept_beside
from b2b_recs.engine.warehouse.versions import versions
from b2b_recs.runtime.home import Home
from b2b_recs.web.accounts.refusals import NotThere
from b2b_recs.web.etl.filled import filled_by
from b2b_recs.web.etl.models import DataSourceTable, ETLRun
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.runs.presenting import RunView, present_etl

LONGEST_SHOWN = 100
_RUN = "etl-run-"
_NEWEST = 10  # versions among which that of a run is looked for; others join files
_OF_JOB = ("last_row_count", "last_synced_at", "data_source_id", "data_source__name", "data_source__connection__name")
_OF_COPY = ("source_schema", "source_table", "destination_dataset", "destination_table")


@dataclass(frozen=True)
class Filler:
    """The job that fills a table."""

    job_id: int
    name: str
    connection: str
    spec: dict[str, Any]
    rows: int | None
    synced_at: datetime | None

    @property
    def source(self) -> str:
        """Schema and table read."""
        return ".".join(part for part in (self.spec.get("source_schema"), self.spec.get("source_table")) if part)

    @property
    def load(self) -> dict[str, Any]:
        """How rows are loaded, as the job keeps it."""
        found = self.spec.get("load")
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True)
class Former:
    """A job that filled a table and fills another one now, with the page of that."""

    job_id: int
    name: str
    fills: str
    address: str


@dataclass
class WarehouseTable:
    """One table: where it is kept, and its job when there is one, else the one that filled it before."""

    model_id: int
    dataset: str
    name: str
    table: LocalTable
    loaded: bool
    filler: Filler | None = None
    last_run: RunView | None = field(default=None)
    former: Former | None = field(default=None)

    @property
    def slug(self) -> str:
        """How addresses name the table."""
        return slug_of(self.dataset, self.name)

    @property
    def address(self) -> str:
        """Its page."""
        return reverse("data_table", args=[self.model_id, self.slug])

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that tell rows apart; empty when nobody said."""
        named = tuple(self.filler.load.get("key") or ()) if self.filler else ()
        return named or (noted_key(self.table) if self.loaded else ())


def slug_of(dataset: str, name: str) -> str:
    """A table in an address: its name alone in the usual dataset, else both with a dot."""
    return name if dataset == USUAL else f"{dataset}.{name}"


def address_of(model_id: int, spec: Mapping[str, Any]) -> str:
    """The page of the table a job's copy fills; empty when it names none, or a name no table can have."""
    dataset, name = str(spec.get("destination_dataset") or USUAL), str(spec.get("destination_table") or "")
    try:
        slug = slug_of(checked_dataset(dataset), checked_table(name))
    except BadInput:
        return ""
    return reverse("data_table", args=[model_id, slug])


def rejected_address(model_id: int, run: ETLRun, spec: Mapping[str, Any]) -> str:
    """The page of the rows a run rejected, whose job copies as ``spec`` says; empty when it rejected none, or none is
    kept."""
    stopped = run.error_code == TooManyRejected.code
    kept = run.rows_rejected and (stopped or run.status in (ETLRun.Status.COMPLETED, ETLRun.Status.PARTIAL))
    address = address_of(model_id, filled_by(run, spec)) if kept else ""
    return address and f"{address}rejected/" + ("?stopped=1" if stopped else "")


def scratch() -> Path:
    """Where queries of pages may spill."""
    return Home.current().staging / "queries"


def warehouse_tables(model: ModelEndpoint) -> list[WarehouseTable]:
    """Every table that was loaded or that a job is to fill, by name; two queries, and no table is opened."""
    warehouse = _warehouse(model)
    fillers = _fillers(model)
    loaded = {(one.dataset, one.name): one for one in loaded_tables(warehouse)}
    found = []
    for dataset, name in sorted({*loaded, *fillers}, key=lambda place: (place[1].casefold(), place[0])):
        table = loaded.get((dataset, name))
        try:
            kept = table or warehouse.table(dataset, name)
        except BadInput:  # a job saved by an earlier release, with a name no table can have
            continue
        found.append(WarehouseTable(model.id, dataset, name, kept, table is not None, fillers.get((dataset, name))))
    return found


def table_or_404(model: ModelEndpoint, slug: str) -> WarehouseTable:
    """The table an address names, with the last run of its job; it need not be loaded yet. Raises NotThere."""
    dataset, _, name = slug.rpartition(".")
    try:
        table = _warehouse(model).table(dataset or USUAL, name)
    except BadInput:
        raise _not_there(model, slug) from None
    loaded = newest_version(table) is not None
    filler = _filler_of(model, table.dataset, table.name)
    if kept_beside(name) or not (loaded or filler):
        raise _not_there(model, slug)
    found = WarehouseTable(model.id, table.dataset, table.name, table, loaded, filler)
    add_last_runs([found])
    add_formers([found])
    return found


def _not_there(model: ModelEndpoint, slug: str) -> NotThere:
    name = slug if len(slug) <= LONGEST_SHOWN else f"{slug[:LONGEST_SHOWN]}…"
    return NotThere(f"“{model.name}” has no table {name}.", "Check its name; the list of the model's tables has it.")


def add_last_runs(tables: Iterable[WarehouseTable]) -> None:
    """Give each table the last run of its job; one query however many."""
    by_job = {one.filler.job_id: one for one in tables if one.filler}
    if not by_job:
        return
    runs = ETLRun.objects.filter(data_source_id__in=by_job).select_related("data_source", "started_by")
    for run in runs.order_by("data_source_id", "-id").distinct("data_source_id"):
        one = by_job[run.data_source_id]
        one.last_run = present_etl(run, one.model_id)


def add_formers(tables: Iterable[WarehouseTable]) -> None:
    """Give each table that no job fills the one that did, and its last run into it; one query however many."""
    made = {number: one for one in tables if one.loaded and one.filler is None and (number := _newest_run(one))}
    if not made:
        return
    also = ("data_source__table", "data_source__configuration", "started_by")
    for run in ETLRun.objects.filter(id__in=made).select_related(*also):
        one, job = made[run.id], run.data_source
        if job.configuration.model_id == one.model_id:
            one.last_run, copy = present_etl(run, one.model_id), job.table
            one.former = Former(job.id, job.name, copy.destination, address_of(one.model_id, copy.spec))


def run_number(made_by: str) -> int | None:
    """The id of a run by the name under which it loads, such as ``copy:etl-run-12``."""
    _, _, number = made_by.partition(_RUN)
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 19 else None


def _newest_run(one: WarehouseTable) -> int | None:
    """The run that filled a table last."""
    try:
        return next((number for made in versions(one.table, _NEWEST) if (number := run_number(made.made_by))), None)
    except EngineError:
        return None


def _warehouse(model: ModelEndpoint) -> LocalWarehouse:
    return LocalWarehouse(Home.current().model_warehouse(model.id))


def _fillers(model: ModelEndpoint) -> dict[tuple[str, str], Filler]:
    """The jobs of a model by the table they fill; of each copy only what a list shows, there may be thousands."""
    rows = _jobs(model).values(*_OF_JOB, **{f"copy_{name}": KT(f"spec__{name}") for name in _OF_COPY})
    found = {}
    for row in rows:
        spec = {name: row[f"copy_{name}"] for name in _OF_COPY}
        place = str(spec["destination_dataset"] or USUAL), str(spec["destination_table"] or "")
        if place[1]:
            found[place] = _filler(row, spec)
    return found


def _filler_of(model: ModelEndpoint, dataset: str, name: str) -> Filler | None:
    """The job that fills one table, with its whole copy."""
    for row in _jobs(model).filter(spec__destination_table=name).values(*_OF_JOB, "spec"):
        if str(row["spec"].get("destination_dataset") or USUAL) == dataset:
            return _filler(row, row["spec"])
    return None


def _jobs(model: ModelEndpoint) -> QuerySet[DataSourceTable]:
    jobs: QuerySet[DataSourceTable] = DataSourceTable.objects.filter(
        data_source__configuration__model=model, data_source__draft=False
    )
    return jobs.order_by("id")


def _filler(row: Mapping[str, Any], spec: dict[str, Any]) -> Filler:
    return Filler(
        row["data_source_id"],
        row["data_source__name"],
        row["data_source__connection__name"],
        spec,
        row["last_row_count"],
        row["last_synced_at"],
    )
