"""The ETL page of a model: connections and jobs, and what can be done with jobs."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from b2b_recs.engine.errors import EngineError
from b2b_recs.web.accounts.access import allows, model_or_404, requires, row_or_404
from b2b_recs.web.accounts.acting import trigger_of, user_of
from b2b_recs.web.etl.chart import chart_of
from b2b_recs.web.etl.following import jobs_to_run
from b2b_recs.web.etl.history import statistics
from b2b_recs.web.etl.job_page import job_page
from b2b_recs.web.etl.jobs import configuration_of, delete_job
from b2b_recs.web.etl.models import DataSource
from b2b_recs.web.etl.page import etl_page, job_list
from b2b_recs.web.etl.services import start_run
from b2b_recs.web.ui.zone import shown_in


@requires("viewer")
@require_GET
def etl(request: HttpRequest, model_id: int) -> HttpResponse:
    """The page; its numbers of the last 30 days come in a fragment of their own."""
    model = model_or_404(request, model_id)
    context = {"model": model, "page": etl_page(request, model), "may_edit": allows(request, "editor")}
    with shown_in(model.time_zone):
        return render(request, "etl/etl.html", context)


@requires("viewer")
@require_GET
def etl_jobs(request: HttpRequest, model_id: int) -> HttpResponse:
    """The list of jobs alone, asked for while a run is under way."""
    model = model_or_404(request, model_id)
    context = {"model": model, "jobs": job_list(request, model), "may_edit": allows(request, "editor")}
    with shown_in(model.time_zone):
        return render(request, "etl/jobs.html", context)


@requires("viewer")
@require_GET
def etl_numbers(request: HttpRequest, model_id: int) -> HttpResponse:
    """The last 30 days in numbers and as a chart."""
    model = model_or_404(request, model_id)
    found = statistics(model.id)
    with shown_in(model.time_zone):
        return render(request, "etl/numbers.html", {"model": model, "numbers": found, "chart": chart_of(found)})


@requires("viewer")
@require_GET
def job(request: HttpRequest, model_id: int, job_id: int) -> HttpResponse:
    """The page of one job: what it does, its runs, the one under way."""
    return _job_page(request, model_id, job_id, "etl/job.html")


@requires("viewer")
@require_GET
def job_live(request: HttpRequest, model_id: int, job_id: int) -> HttpResponse:
    """The part of a job's page that changes while a run is under way."""
    return _job_page(request, model_id, job_id, "etl/job_live.html")


@requires("editor")
@require_POST
def etl_run_all(request: HttpRequest, model_id: int) -> HttpResponse:
    """Run every job that is switched on; one under way is not started twice."""
    model = model_or_404(request, model_id, "editor")
    try:
        started = [start_run(job, user_of(request), trigger_of(request)) for job in jobs_to_run(model)]
    except EngineError as refusal:
        messages.error(request, str(refusal))
        return redirect("etl", model.id)
    if started:
        messages.success(request, f"{len(started):,} {'copy' if len(started) == 1 else 'copies'} asked for.")
    else:
        messages.error(request, "No job is switched on. Create one, or switch one on.")
    return redirect("etl", model.id)


@requires("editor")
@require_POST
def etl_follow(request: HttpRequest, model_id: int) -> HttpResponse:
    """Follow the schedules of all jobs, or pause them; runs by hand go on working."""
    configuration = configuration_of(model_or_404(request, model_id, "editor"))
    configuration.enabled = request.POST.get("enabled") == "yes"
    configuration.save(update_fields=["enabled"])
    return redirect("etl", model_id)


@requires("editor")
@require_POST
def job_run(request: HttpRequest, model_id: int, job_id: int) -> HttpResponse:
    """Run a job now; its page shows the run."""
    job = _job(request, model_id, job_id)
    try:
        run = start_run(job, user_of(request), trigger_of(request))
    except EngineError as refusal:
        messages.error(request, str(refusal))
        return redirect("etl", model_id) if request.POST.get("stay") else redirect("job", model_id, job_id)
    return _back(request, model_id) if request.POST.get("stay") else redirect("etl_run", model_id, run.id)


@requires("editor")
@require_POST
def job_switch(request: HttpRequest, model_id: int, job_id: int) -> HttpResponse:
    """Switch a job on or off."""
    job = _job(request, model_id, job_id)
    job.enabled = request.POST.get("enabled") == "yes"
    job.save(update_fields=["enabled"])
    return redirect("job", model_id, job_id) if request.GET.get("back") == "job" else _back(request, model_id)


@requires("editor")
@require_POST
def job_delete(request: HttpRequest, model_id: int, job_id: int) -> HttpResponse:
    """Delete a job or a draft; the warehouse table it filled stays."""
    job = _job(request, model_id, job_id)
    try:
        delete_job(job)
    except EngineError as refusal:
        messages.error(request, str(refusal))
    else:
        kept = "" if job.draft else " The warehouse table it filled stays."
        messages.success(request, f"The {'draft' if job.draft else 'job'} “{job.name}” was deleted.{kept}")
    return redirect("etl", model_id)


def _job_page(request: HttpRequest, model_id: int, job_id: int, template: str) -> HttpResponse:
    found = _job(request, model_id, job_id, "viewer")
    if found.draft:
        return redirect("etl", model_id)
    model = found.configuration.model
    with shown_in(model.time_zone):
        context = {"model": model, "job": found, "page": job_page(found, request.GET.get("page", "1"))}
        return render(request, template, {**context, "may_edit": allows(request, "editor")})


def _job(request: HttpRequest, model_id: int, job_id: int, role: str = "editor") -> DataSource:
    rows = DataSource.objects.select_related("configuration__model", "connection", "table").filter(
        configuration__model_id=model_id
    )
    return row_or_404(request, rows, role, id=job_id)


def _back(request: HttpRequest, model_id: int) -> HttpResponse:
    """The list as it was narrowed: a form's address carries the query of the page it stands on."""
    if request.htmx:  # type: ignore[attr-defined]
        model = model_or_404(request, model_id)
        context = {"model": model, "jobs": job_list(request, model), "may_edit": allows(request, "editor")}
        with shown_in(model.time_zone):
            return render(request, "etl/jobs.html", context)
    return redirect(f"{reverse('etl', args=[model_id])}?{request.GET.urlencode()}".rstrip("?"))
