"""The operation of the API on the versions of the warehouse table a job fills."""

from datetime import datetime
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import AwareDatetime, BaseModel, Field

from b2b_recs.engine.errors import WarehouseTableMissing
from b2b_recs.engine.warehouse.local import LocalTable, LocalWarehouse
from b2b_recs.engine.warehouse.versions import Version, version_at, versions
from b2b_recs.runtime.home import Home
from b2b_recs.web.accounts.access import row_or_404
from b2b_recs.web.accounts.acting import acting
from b2b_recs.web.accounts.refusals import error_answer
from b2b_recs.web.api.door import needs
from b2b_recs.web.api.schemas import Id, PageNumber, PageOf, PerPage, answers
from b2b_recs.web.etl.drafts import refuse_draft
from b2b_recs.web.etl.models import DataSource, ETLRun

router = Router(tags=["ETL jobs"])
Moment = Annotated[AwareDatetime | None, Query(None, description="Only the version that was current at this moment.")]
_RUN = "copy:etl-run-"


class VersionOut(BaseModel):
    """One version of a warehouse table."""

    version: int
    at: datetime = Field(description="When it became the current one.")
    operation: str = Field(
        description="created, loaded, replaced, columns added or rearranged (the same rows in fewer files)."
    )
    rows: int = Field(description="Rows of the whole table.")
    size_bytes: int = Field(description="Bytes of its files.")
    run_id: int | None = Field(description="The run that made it; null when no run did, or it was deleted.")
    current: bool
    readable: bool = Field(description="Whether its rows are still kept.")


class Versions(PageOf):
    """One page of versions, newest first."""

    destination: str = Field(description="The warehouse table.")
    items: list[VersionOut]


@router.get("/etl/sources/{int:source_id}/versions/", response=answers(200, Versions, 409))
@needs("viewer")
def versions_of(
    request: HttpRequest,
    source_id: Id,
    page: PageNumber,
    per_page: PerPage,
    at: Moment = None,
) -> Versions | HttpResponse:
    """The versions of the warehouse table a job fills, or with `at` the one that was current then.

    A table never loaded has none. A moment before the first load is a 404.
    """
    with acting(request):
        job = row_or_404(request, DataSource.objects.select_related("configuration", "table"), id=source_id)
        refuse_draft(job)
    table = _table(job)
    newest = table.version() if table.exists() else None
    total = 0 if newest is None else newest + 1
    try:
        found = list(versions(table, per_page, (page - 1) * per_page)) if at is None else [_at(table, at, total)]
    except WarehouseTableMissing as missing:
        return error_answer(404, missing.code, missing.message, missing.advice, "at")
    with acting(request):
        runs = _runs(job, found)
    items = [_shown(one, runs.get(one.made_by), current=one.number == newest) for one in found]
    place = {"page": page, "total": total} if at is None else {"page": 1, "total": 1}
    return Versions(**place, per_page=per_page, destination=table.name, items=items)


def _at(table: LocalTable, at: datetime, total: int) -> Version:
    """The version that was current at a moment; others may be made meanwhile."""
    number = version_at(table, at)
    newer = max(0, total - 1 - number)
    return next(one for one in versions(table, skip=newer) if one.number == number)


def _table(job: DataSource) -> LocalTable:
    kept = getattr(job, "table", None)
    spec = kept.spec if kept else {}
    warehouse = LocalWarehouse(Home.current().model_warehouse(job.configuration.model_id))
    return warehouse.table(
        str(spec.get("destination_dataset") or "raw_data"), str(spec.get("destination_table") or "none")
    )


def _runs(job: DataSource, found: list[Version]) -> dict[str, int]:
    """The runs that are still there, by the name under which they load. An earlier job may have filled the table."""
    named = {one.made_by: int(one.made_by.removeprefix(_RUN)) for one in found if one.made_by.startswith(_RUN)}
    own = ETLRun.objects.filter(data_source__configuration_id=job.configuration_id, id__in=named.values())
    there = set(own.values_list("id", flat=True))
    return {name: run for name, run in named.items() if run in there}


def _shown(version: Version, run_id: int | None, *, current: bool) -> VersionOut:
    return VersionOut(
        version=version.number,
        at=version.at,
        operation=version.operation,
        rows=version.rows,
        size_bytes=version.size_bytes,
        run_id=run_id,
        current=current,
        readable=version.readable,
    )
