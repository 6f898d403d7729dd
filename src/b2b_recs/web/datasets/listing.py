"""The list of a model's warehouse tables: searched, sorted, page by page. Call inside the organization's scope."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.paginator import Page, Paginator

from b2b_recs.engine.errors import EngineError
from b2b_recs.engine.profile.facts import facts_of
from b2b_recs.web.datasets.tables import USUAL, WarehouseTable, add_formers, add_last_runs, warehouse_tables
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.ui import formats

PER_PAGE = 20
SORTS = ("name", "rows", "size", "loaded")
_LONG_AGO = datetime(1, 1, 2, tzinfo=UTC)


@dataclass
class Row:
    """One table of the list; numbers are None while it has never been loaded, or cannot be read."""

    of: WarehouseTable
    rows: int | None = None
    size_bytes: int | None = None
    versions: int | None = None
    columns: int | None = None
    loaded_at: datetime | None = None

    @property
    def dataset(self) -> str:
        """The dataset where it is not the usual one."""
        return "" if self.of.dataset == USUAL else self.of.dataset


@dataclass(frozen=True)
class Listing:
    """One page of tables with what it was narrowed by; ``all`` is how many there are."""

    page: Page[Any]
    all: int
    query: str
    sort: str
    headline: str


def listing(model: ModelEndpoint, query: str, sort: str, page: str | int, per_page: int = PER_PAGE) -> Listing:
    """The tables whose name, job or source contains ``query``. Four queries; only the tables shown are opened,
    unless they are sorted by what only opening tells."""
    everything = warehouse_tables(model)
    rows = [Row(one) for one in everything if _fits(one, query.casefold())]
    sort = sort if sort in SORTS else "name"
    if sort != "name":
        for row in rows:
            measure(row)
        rows.sort(key=lambda row: _order(row, sort), reverse=True)
    shown = Paginator(rows, per_page).get_page(page)
    for row in shown.object_list:
        measure(row)
    of = [row.of for row in shown.object_list]
    add_last_runs(of)
    add_formers(of)
    return Listing(shown, len(everything), query, sort, _headline(everything))


def measure(row: Row) -> Row:
    """The row with the numbers of its table's newest version."""
    filler = row.of.filler
    if not row.of.loaded or row.versions is not None:
        return row
    try:
        facts = facts_of(row.of.table)
    except EngineError:
        return row
    row.rows, row.size_bytes, row.versions = facts.rows, facts.size_bytes, facts.version + 1
    row.columns = len(facts.columns)
    row.loaded_at = max(facts.at, filler.synced_at) if filler and filler.synced_at else facts.at
    return row


def _fits(one: WarehouseTable, query: str) -> bool:
    filler = one.filler
    texts = (one.name, one.dataset, filler.name if filler else "", filler.source if filler else "")
    return any(query in text.casefold() for text in texts)


def _order(row: Row, sort: str) -> Any:
    if sort == "loaded":
        return row.loaded_at or _LONG_AGO
    return {"rows": row.rows, "size": row.size_bytes}[sort] or -1


def _headline(tables: list[WarehouseTable]) -> str:
    loaded = sum(one.loaded for one in tables)
    if not tables:
        return "What was copied out of your sources, table by table."
    waiting = len(tables) - loaded
    words = f"{formats.grouped(loaded)} table{'' if loaded == 1 else 's'} in the warehouse"
    return f"{words}, {formats.grouped(waiting)} not loaded yet." if waiting else f"{words}."
