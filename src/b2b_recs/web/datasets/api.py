"""The operations of the API on warehouse tables."""

from typing import Annotated

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Path, Query, Router

from b2b_recs.engine.errors import WarehouseTableMissing
from b2b_recs.engine.profile.facts import VersionFacts, facts_of
from b2b_recs.engine.profile.preview import preview as first_rows
from b2b_recs.web.accounts.access import model_or_404
from b2b_recs.web.accounts.acting import acting, user_of
from b2b_recs.web.accounts.refusals import error_answer
from b2b_recs.web.api.door import needs
from b2b_recs.web.api.schemas import LARGEST_ID, TAKES_JSON, Id, PageNumber, PerPage, Search, answers
from b2b_recs.web.datasets.deleting import delete_table
from b2b_recs.web.datasets.examining import statistics_of
from b2b_recs.web.datasets.listing import listing
from b2b_recs.web.datasets.schemas import (
    PreviewOut,
    StatisticsOut,
    TableDeleted,
    TableDetail,
    Tables,
    Underway,
    detail_out,
    preview_out,
    statistics_out,
    table_out,
)
from b2b_recs.web.datasets.tables import WarehouseTable, table_or_404

router = Router(tags=["Warehouse tables"])
TableName = Annotated[str, Path(description="A table's `name` in the list.")]
VersionNumber = Annotated[
    int | None, Query(None, ge=0, le=LARGEST_ID, description="The version; the newest without it.")
]
# Seconds a program is kept waiting for statistics before it is told to ask again.
WAIT = 1.0


@router.get("/models/{int:model_id}/tables/", response=answers(200, Tables))
@needs("viewer")
def tables(request: HttpRequest, model_id: Id, page: PageNumber, per_page: PerPage, q: Search) -> Tables:
    """The warehouse tables of a model, by name: those that were loaded, and those that a job is to fill."""
    with acting(request):
        found = listing(model_or_404(request, model_id), q, "name", page, per_page)
        shown = found.page.object_list if found.page.number == page else []
        items = [table_out(row.of, row) for row in shown]
    return Tables(page=page, per_page=per_page, total=found.page.paginator.count, items=items)


@router.get("/models/{int:model_id}/tables/{str:table}/", response=answers(200, TableDetail))
@needs("viewer")
def table(request: HttpRequest, model_id: Id, table: TableName) -> TableDetail:
    """One table with its columns, its key and its job."""
    return detail_out(_table(request, model_id, table))


@router.get("/models/{int:model_id}/tables/{str:table}/preview/", response=answers(200, PreviewOut))
@needs("viewer")
def preview(
    request: HttpRequest,
    model_id: Id,
    table: TableName,
    version: VersionNumber = None,
    rows: int = Query(100, ge=1, le=1_000, description="How many rows."),
) -> PreviewOut | HttpResponse:
    """The first rows of a version. A table never loaded, and a version that is gone, are a 404."""
    one = _table(request, model_id, table)
    try:
        facts = facts_of(one.table, version)
        return preview_out(first_rows(one.table, facts.version, rows), facts)
    except WarehouseTableMissing as missing:
        return _missing(missing)


@router.get(
    "/models/{int:model_id}/tables/{str:table}/statistics/",
    response={**answers(200, StatisticsOut), 202: Underway},
)
@needs("viewer")
def statistics(
    request: HttpRequest, model_id: Id, table: TableName, version: VersionNumber = None
) -> StatisticsOut | HttpResponse:
    """Every column of a version in figures, and notes on its quality.

    They are worked out once for each version. Until they are there the answer is 202; ask again. A table never loaded,
    and a version that is gone, are a 404.
    """
    one = _table(request, model_id, table)
    try:
        facts: VersionFacts = facts_of(one.table, version)
    except WarehouseTableMissing as missing:
        return _missing(missing)
    answer = statistics_of(one, facts.version, WAIT)
    if isinstance(answer.refusal, WarehouseTableMissing):
        return _missing(answer.refusal)
    if answer.refusal is not None:
        raise answer.refusal
    if answer.document is None:
        document = Underway(version=facts.version).model_dump()
        return JsonResponse(document, status=202, headers={"Retry-After": "2"})
    return statistics_out(answer.document)


@router.post("/models/{int:model_id}/tables/{str:table}/delete/", response=answers(200, TableDeleted, 409, *TAKES_JSON))
@needs("editor")
def delete(request: HttpRequest, model_id: Id, table: TableName) -> TableDeleted:
    """Delete a loaded table with every version and its rejected rows.

    Refused while a job writes to it, a dataset reads it, the version in service was trained on it, or a training is
    under way; the refusal names them.
    """
    with acting(request):
        return TableDeleted(name=delete_table(model_or_404(request, model_id, "editor"), table, user_of(request)))


def _table(request: HttpRequest, model_id: int, table: str) -> WarehouseTable:
    with acting(request):
        return table_or_404(model_or_404(request, model_id), table)


def _missing(missing: WarehouseTableMissing) -> HttpResponse:
    return error_answer(404, missing.code, missing.message, missing.advice, "version")
