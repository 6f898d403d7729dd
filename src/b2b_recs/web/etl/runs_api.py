"""The operations of the API on runs."""

from typing import Annotated, Literal

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Query, Router

from b2b_recs.web.accounts.access import model_or_404, row_or_404
from b2b_recs.web.accounts.acting import acting
from b2b_recs.web.api.door import needs
from b2b_recs.web.api.schemas import LARGEST_ID, TAKES_JSON, Id, PageNumber, PerPage, answers, page_of
from b2b_recs.web.etl.models import ETLRun
from b2b_recs.web.etl.rejected import RejectedRows, rejected_csv, rejected_page
from b2b_recs.web.etl.services import cancel_run
from b2b_recs.web.etl.showing import RunOut, Runs, RunStatusOut, run_out, run_status

router = Router(tags=["ETL runs"])
StatusFilter = Annotated[
    Literal["pending", "running", "completed", "partial", "failed", "cancelled"] | None,
    Query(None, description="Only runs that are in this state."),
]


@router.get("/models/{int:model_id}/etl/runs/", response=answers(200, Runs))
@needs("viewer")
def runs(
    request: HttpRequest,
    model_id: Id,
    page: PageNumber,
    per_page: PerPage,
    status: StatusFilter = None,
    source_id: int | None = Query(None, ge=1, le=LARGEST_ID, description="Only runs of this job."),
) -> Runs:
    """The runs of a model's jobs, newest first."""
    with acting(request):
        rows = _rows().filter(data_source__configuration__model=model_or_404(request, model_id))
        if status is not None:
            rows = rows.filter(status=status)
        if source_id is not None:
            rows = rows.filter(data_source_id=source_id)
        return Runs(**page_of(rows.order_by("-id"), page, per_page, run_out))


@router.get("/etl/runs/{int:run_id}/status/", response=answers(200, RunStatusOut))
@needs("viewer")
def status(
    request: HttpRequest,
    run_id: Id,
    after: int = Query(0, ge=0, le=LARGEST_ID, description="Only log lines after this `log_cursor`."),
) -> RunStatusOut:
    """How far a run is: stages, counters, reconciliation, why it waits or failed and what to do, new log lines."""
    with acting(request):
        return run_status(_row(request, run_id), after)


@router.post("/etl/runs/{int:run_id}/cancel/", response=answers(200, RunOut, *TAKES_JSON))
@needs("editor")
def cancel(request: HttpRequest, run_id: Id) -> RunOut:
    """Stop a run: one that waits ends now, one that copies stops at its next batch, one that is over stays as it is."""
    with acting(request):
        run = _row(request, run_id, "editor")
        cancel_run(run)
        return run_out(_rows().get(id=run.id))


@router.get(
    "/etl/runs/{int:run_id}/rejected/",
    response=answers(200, RejectedRows),
    openapi_extra={"responses": {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}},
)
@needs("viewer")
def rejected(
    request: HttpRequest,
    run_id: Id,
    page: PageNumber,
    per_page: PerPage,
    format: Literal["json", "csv"] = Query("json", description="csv gives every row as a file."),
) -> RejectedRows | HttpResponse:
    """The rows a run could not load, each with the column at fault and why.

    A job that replaces its table keeps those of its last run only. Those of a run that was stopped because there were
    too many are kept until a run of the job ends well or is stopped like it.
    """
    with acting(request):
        run = _row(request, run_id)
    if format == "csv":
        name = f"rejected-{run_id}.csv"
        return StreamingHttpResponse(
            rejected_csv(run),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
    return rejected_page(run, page, per_page)


def _rows() -> QuerySet[ETLRun]:
    return ETLRun.objects.select_related("data_source__configuration", "data_source__table", "started_by")


def _row(request: HttpRequest, run_id: int, role: str = "viewer") -> ETLRun:
    return row_or_404(request, _rows(), role, id=run_id)
