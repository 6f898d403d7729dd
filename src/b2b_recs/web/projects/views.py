"""Dashboard, create model, and the page of one model."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from b2b_recs.engine.errors import BadInput, EngineError
from b2b_recs.web.accounts.access import allows, model_or_404, requires
from b2b_recs.web.projects import model_queries, palette, queries
from b2b_recs.web.projects.forms import ModelForm
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.projects.services import create_model
from b2b_recs.web.projects.setup import setup_form
from b2b_recs.web.projects.setup_facts import facts_of, settle
from b2b_recs.web.projects.setup_rules import KINDS
from b2b_recs.web.projects.setup_saving import dropped_words, faults_of, save_and_train, started_words
from b2b_recs.web.projects.starter import starter
from b2b_recs.web.projects.states import change_status, moves_of
from b2b_recs.web.training.services import start_pipeline
from b2b_recs.web.ui.formats import grouped
from b2b_recs.web.ui.zone import shown_in


@requires("viewer")
@require_GET
def dashboard(request: HttpRequest) -> HttpResponse:
    """Every model of the organization, the numbers of the last day and what happened last."""
    ask = request.GET
    board = queries.board(ask.get("q", "").strip(), ask.get("status", ""), ask.get("sort", ""), ask.get("page", "1"))
    summary = board.summary
    if board.nothing_yet:
        headline = "Recommendations from the data you already have."
    elif not summary.active:
        headline = "No model answers now." if summary.answered else "No model answers yet."
    else:
        headline = f"{grouped(summary.active)} of {grouped(summary.models)} answer requests."
    context = {"board": board, "headline": headline, "may_create": allows(request, "editor")}
    return render(request, "projects/dashboard.html", context)


@requires("viewer")
@require_GET
def find(request: HttpRequest) -> HttpResponse:
    """Where the letters of the command palette may lead."""
    query, asked = request.GET.get("q", ""), request.GET.get("model", "")
    found = model_or_404(request, int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < 19 else None
    template = "projects/palette.html" if request.htmx else "projects/palette_page.html"  # type: ignore[attr-defined]
    return render(request, template, {"groups": palette.find(request, query, found), "query": query})


@requires("editor")
@require_http_methods(["GET", "POST"])
def model_create(request: HttpRequest) -> HttpResponse:
    """The form of a new model; after creating, the model's page."""
    form = ModelForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            model = create_model(request.organization, request.user, **form.cleaned_data)
        except BadInput as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        else:
            return redirect("model", model.id)
    status = 422 if form.errors else 200
    return render(request, "projects/model_create.html", {"form": form}, status=status)


@requires("viewer")
@require_GET
def model(request: HttpRequest, model_id: int) -> HttpResponse:
    """The path from source to endpoint with the state of each step, and the figures that are true now."""
    found = model_or_404(request, model_id)
    with shown_in(found.time_zone):
        context = {
            "model": found,
            "overview": model_queries.overview(found),
            "may_edit": allows(request, "editor"),
            "moves": moves_of(found),
            "may_delete": allows(request, "admin"),
            "start": starter(found.name, found.currency, found.time_zone),
        }
        return render(request, "projects/model.html", context)


@requires("viewer")
@require_GET
def model_live(request: HttpRequest, model_id: int) -> HttpResponse:
    """All of the page that changes, from one reading: every second while a run goes, now and then while requests are
    answered."""
    found = model_or_404(request, model_id)
    overview = model_queries.overview(found)
    with shown_in(found.time_zone):
        context = {"model": found, "overview": overview, "may_edit": allows(request, "editor")}
        answer = render(request, "projects/model_poll.html", context)
    if overview.busy != (request.GET.get("was") == "busy"):
        answer["HX-Refresh"] = "true"  # a run began or ended: chart, recent runs and buttons have changed too
    return answer


@requires("editor")
@require_http_methods(["GET", "POST"])
def model_setup(request: HttpRequest, model_id: int) -> HttpResponse:
    """Which column means what; after confirming, a training starts."""
    found = model_or_404(request, model_id, "editor")
    do = request.POST.get("do", "")
    form = setup_form(found, request.POST, do)
    faults: dict[str, BadInput] = {}
    if form is not None and request.method == "POST" and do == "train":
        faults = faults_of(form, found.time_zone) or settle(found, form)
        if not faults:
            try:
                run = save_and_train(found, request.user, form)
            except EngineError as refusal:
                messages.error(request, str(refusal))
            else:
                messages.success(request, f"{started_words(run, first=form.saved is None)}{dropped_words(form)}")
                return redirect("model", found.id)
    context = {"model": found, "form": form, "faults": faults, "added": do == "add", "kinds": KINDS.items()}
    return render(request, "projects/setup.html", context, status=422 if faults else 200)


@requires("editor")
@require_POST
def model_setup_facts(request: HttpRequest, model_id: int) -> HttpResponse:
    """What the set-up would leave out as it stands, and the products there are, asked while the page stands."""
    found = model_or_404(request, model_id, "editor")
    form = setup_form(found, request.POST)
    context = {"model": found, "form": form, "facts": facts_of(found, form) if form is not None else None}
    return render(request, "projects/setup_facts.html", context)


@requires("editor")
@require_POST
def model_status(request: HttpRequest, model_id: int) -> HttpResponse:
    """Pause, resume, archive or restore a model."""
    found = model_or_404(request, model_id, "editor")
    wanted = request.POST.get("status", "")
    if wanted not in ModelEndpoint.Status.values:
        return HttpResponseBadRequest("No such status.")
    try:
        changed = change_status(found.id, wanted)
    except EngineError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{changed.name} is {changed.get_status_display().lower()} now.")
    return redirect("model", found.id)


@requires("editor")
@require_POST
def model_train(request: HttpRequest, model_id: int) -> HttpResponse:
    """Train on the data in the warehouse."""
    return _start(request, model_id, with_jobs=False)


@requires("editor")
@require_POST
def model_run(request: HttpRequest, model_id: int) -> HttpResponse:
    """Copy every enabled job, then train."""
    return _start(request, model_id, with_jobs=True)


def _start(request: HttpRequest, model_id: int, with_jobs: bool) -> HttpResponse:
    found = model_or_404(request, model_id, "editor")
    try:
        start_pipeline(found, request.user, with_jobs=with_jobs)
    except EngineError as refusal:
        messages.error(request, str(refusal))
    return redirect("model", found.id)
