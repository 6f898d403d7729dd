"""The list of a model's runs, and each run with its stages, counts and log."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from b2b_recs.engine.errors import EngineError
from b2b_recs.web.accounts.access import allows, model_or_404, requires
from b2b_recs.web.etl.models import ETLRun
from b2b_recs.web.etl.services import cancel_run, start_run
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.runs import queries
from b2b_recs.web.runs.presenting import RunView
from b2b_recs.web.training.models import PipelineRun
from b2b_recs.web.training.services import cancel_pipeline, start_pipeline
from b2b_recs.web.ui.zone import shown_in


@requires("viewer")
@require_GET
def runs(request: HttpRequest, model_id: int) -> HttpResponse:
    """Copies and trainings of one model; only the rows when a page under way asks again."""
    model = model_or_404(request, model_id)
    ask = request.GET
    kind = ask.get("kind", "") if ask.get("kind", "") in ("etl", "pipeline") else ""
    status = ask.get("status", "") if ask.get("status", "") in dict(queries.STATUSES) else ""
    listing = queries.listing(model, ask.get("q", "").strip(), kind, status, ask.get("page", "1"))
    template = "runs/run_rows.html" if request.headers.get("HX-Request") else "runs/runs.html"
    with shown_in(model.time_zone):
        return render(request, template, {"model": model, "listing": listing})


@requires("viewer")
@require_GET
def etl_run(request: HttpRequest, model_id: int, run_id: int) -> HttpResponse:
    """One copy."""
    model, run = _etl(request, model_id, run_id)
    return _page(request, model, queries.etl_run_view(run, model.id), "runs/run.html")


@requires("viewer")
@require_GET
def etl_run_live(request: HttpRequest, model_id: int, run_id: int) -> HttpResponse:
    """One copy, the part that changes."""
    model, run = _etl(request, model_id, run_id)
    return _page(request, model, queries.etl_run_view(run, model.id), "runs/run_live.html")


@requires("editor")
@require_POST
def etl_run_cancel(request: HttpRequest, model_id: int, run_id: int) -> HttpResponse:
    """Ask one copy to stop; a copy that is over stays as it is."""
    model, run = _etl(request, model_id, run_id, "editor")
    cancel_run(run)
    return redirect("etl_run", model.id, run.id)


@requires("editor")
@require_POST
def etl_run_again(request: HttpRequest, model_id: int, run_id: int) -> HttpResponse:
    """Run the same job again."""
    model, run = _etl(request, model_id, run_id, "editor")
    try:
        fresh = start_run(run.data_source, request.user)
    except EngineError as refusal:
        messages.error(request, str(refusal))
        return redirect("etl_run", model.id, run.id)
    return redirect("etl_run", model.id, fresh.id)


@requires("viewer")
@require_GET
def pipeline_run(request: HttpRequest, model_id: int, run_id: int) -> HttpResponse:
    """One pipeline run with its copies."""
    model, run = _pipeline(request, model_id, run_id)
    return _page(request, model, queries.pipeline_run_view(run), "runs/run.html")


@requires("viewer")
@require_GET
def pipeline_run_live(request: HttpRequest, model_id: int, run_id: int) -> HttpResponse:
    """One pipeline run, the part that changes."""
    model, run = _pipeline(request, model_id, run_id)
    return _page(request, model, queries.pipeline_run_view(run), "runs/run_live.html")


@requires("editor")
@require_POST
def pipeline_run_cancel(request: HttpRequest, model_id: int, run_id: int) -> HttpResponse:
    """Ask one pipeline run, and the copies it waits for, to stop."""
    model, run = _pipeline(request, model_id, run_id, "editor")
    cancel_pipeline(run)
    return redirect("pipeline_run", model.id, run.id)


@requires("editor")
@require_POST
def pipeline_run_again(request: HttpRequest, model_id: int, run_id: int) -> HttpResponse:
    """Start the pipeline again, with copies when the earlier run had them."""
    model, run = _pipeline(request, model_id, run_id, "editor")
    try:
        fresh = start_pipeline(model, request.user, with_jobs=run.etl_runs.exists())
    except EngineError as refusal:
        messages.error(request, str(refusal))
        return redirect("pipeline_run", model.id, run.id)
    return redirect("pipeline_run", model.id, fresh.id)


def _page(request: HttpRequest, model: ModelEndpoint, run: RunView, template: str) -> HttpResponse:
    with shown_in(model.time_zone):
        return render(request, template, {"model": model, "run": run, "may_edit": allows(request, "editor")})


def _etl(request: HttpRequest, model_id: int, run_id: int, role: str = "viewer") -> tuple[ModelEndpoint, ETLRun]:
    model = model_or_404(request, model_id, role)
    return model, _one(queries.etl_runs(model.id), run_id)


def _pipeline(
    request: HttpRequest, model_id: int, run_id: int, role: str = "viewer"
) -> tuple[ModelEndpoint, PipelineRun]:
    model = model_or_404(request, model_id, role)
    return model, _one(queries.pipeline_runs(model.id), run_id)


def _one(rows: QuerySet[Any], run_id: int) -> Any:
    found = rows.filter(id=run_id).first()
    if found is None:
        raise Http404
    return found
