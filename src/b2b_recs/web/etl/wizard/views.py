"""The pages of the wizard: five steps, each with an address of its own, so that reload and back button work."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from b2b_recs.engine.errors import BadInput, EngineError
from b2b_recs.engine.sources.registry import SOURCE_TYPES
from b2b_recs.web.accounts.access import model_or_404, own_transactions, requires, row_or_404
from b2b_recs.web.accounts.acting import acting, trigger_of, user_of
from b2b_recs.web.api.limits import LOOKS, spend
from b2b_recs.web.connections.pages import cards
from b2b_recs.web.connections.testing import ask
from b2b_recs.web.etl.drafts import save_draft
from b2b_recs.web.etl.facts import facts_of
from b2b_recs.web.etl.jobs import configuration_of, refuse_taken_name
from b2b_recs.web.etl.misfits import misfits_in_words
from b2b_recs.web.etl.models import DataSource
from b2b_recs.web.etl.services import start_run
from b2b_recs.web.etl.wizard.faults import Told, told
from b2b_recs.web.etl.wizard.gone import gone_columns, stale_look, tells_of_change, without_gone
from b2b_recs.web.etl.wizard.load_form import load_changes, load_form, load_typed
from b2b_recs.web.etl.wizard.moved import left_behind
from b2b_recs.web.etl.wizard.named import named
from b2b_recs.web.etl.wizard.saving import checked_spec, make_job, refuse_unfit_load, save_job, taken_destination
from b2b_recs.web.etl.wizard.schedule_form import next_times, schedule_form, schedule_rule, typed_form
from b2b_recs.web.etl.wizard.schema_faults import checked_schema
from b2b_recs.web.etl.wizard.schema_form import schema_form, schema_typed
from b2b_recs.web.etl.wizard.stale import mark_of, refuse_stale
from b2b_recs.web.etl.wizard.state import LAST, STEPS, Wizard, wizard_of
from b2b_recs.web.etl.wizard.table_name import proposed_again
from b2b_recs.web.etl.wizard.tables import choose_table, table_list
from b2b_recs.web.names import refuse_bad_name
from b2b_recs.web.ui.zone import shown_in

TEMPLATES = {1: "connection", 2: "table", 3: "load", 4: "schema", 5: "schedule"}


@requires("editor")
@require_http_methods(["GET", "POST"])
def job_new(request: HttpRequest, model_id: int) -> HttpResponse:
    """Step 1 of a new job; it becomes a draft as soon as it has a name and a connection."""
    model = model_or_404(request, model_id, "editor")
    fault: BadInput | None = None
    if request.method == "POST":
        configuration = configuration_of(model)
        try:
            name, connection = named(request.POST, configuration, None)
            draft = save_draft(configuration, None, name, connection, 2, [1], {})
        except BadInput as refusal:
            fault = refusal
        else:
            return redirect("job_step", model_id, draft.id, 2)
    context = {"model": model, "connections": cards(model), "steps": ",".join(STEPS), "step": 1}
    context |= _told(told(1, fault), fault)
    context["name"] = request.POST.get("name", "")
    context["chosen"] = request.POST.get("connection") or request.GET.get("connection", "")
    return render(request, "etl/wizard/connection.html", context, status=422 if fault else 200)


@requires("editor")
@require_GET
def job_name_check(request: HttpRequest, model_id: int) -> HttpResponse:
    """Whether a job may have the name that is being typed."""
    model = model_or_404(request, model_id, "editor")
    name, own = request.GET.get("name", "").strip(), request.GET.get("job", "")
    fault = ""
    try:
        refuse_bad_name(name, "a job")
        refuse_taken_name(configuration_of(model), name, int(own) if own.isdigit() and len(own) < 18 else None)
    except BadInput as refusal:
        fault = f"{refusal.message} {refusal.advice}" if name else ""
    return render(request, "etl/wizard/name.html", {"fault": fault, "free": bool(name) and not fault})


@requires("editor")
@own_transactions
@require_http_methods(["GET", "POST"])
@never_cache  # the back button shows what is saved now
def job_step(request: HttpRequest, model_id: int, job_id: int, step: int) -> HttpResponse:
    """One step of a draft or of a job that is edited."""
    if step not in TEMPLATES:
        raise Http404
    wizard = _loaded(request, model_id, job_id)
    if step > wizard.reachable:
        return redirect("job_step", model_id, job_id, wizard.reachable)
    if request.method == "GET":
        return _show(request, wizard, step)
    try:
        return _SAVE[step](request, wizard)
    except EngineError as refusal:
        return _show(request, wizard, step, refusal)


@requires("editor")
@own_transactions
@require_GET
@never_cache  # the back button shows what is chosen now
def job_tables(request: HttpRequest, model_id: int, job_id: int) -> HttpResponse:
    """The tables the connection of a draft can read, as a fragment: the source is asked while the page stands."""
    wizard = _loaded(request, model_id, job_id)
    declared = SOURCE_TYPES[wizard.job.connection.source_type]
    context: dict[str, Any] = {"model": wizard.model, "wizard": wizard, "q": request.GET.get("q", "").strip()}
    context |= {"able": declared.capabilities, "in_file": bool(declared.place_field)}
    try:
        context["found"] = table_list(request, wizard, context["q"])
    except EngineError as refusal:
        context["refusal"] = refusal
    with acting(request):
        return render(request, "etl/wizard/tables.html", context)


@requires("editor")
@require_GET
def job_schedule_words(request: HttpRequest, model_id: int) -> HttpResponse:
    """A schedule in words with its next five times, while it is being typed."""
    model = model_or_404(request, model_id, "editor")
    context: dict[str, Any] = {"model": model, "zone": request.GET.get("time_zone", "").strip() or model.time_zone}
    try:
        rule = schedule_rule(request.GET, model.time_zone)
        context["words"], context["times"] = next_times(rule)
    except BadInput as refusal:
        context["refusal"] = refusal
    with shown_in(context["zone"] if "times" in context else model.time_zone):
        return render(request, "etl/wizard/times.html", context)


def _connection_step(request: HttpRequest, wizard: Wizard) -> HttpResponse:
    with acting(request):
        job = wizard.job
        name, connection = named(request.POST, job.configuration, job.id)
        refuse_stale(request.POST, wizard, 1, {"name": name, "connection_id": connection.id})
        if wizard.is_draft:
            moved = connection.id != job.connection_id
            job.name, job.connection = name, connection
            if moved:
                wizard.forget_table()
            wizard.keep(1, {})
            return redirect("job_step", wizard.model.id, job.id, 2)
    return _saved(request, wizard, save_job(request, wizard, {}, name, connection))


def _table_step(request: HttpRequest, wizard: Wizard) -> HttpResponse:
    if not wizard.is_draft:
        raise BadInput("A job keeps its table.", field="table", advice="Make a new job for another table.")
    choose_table(request, wizard)
    return redirect("job_step", wizard.model.id, wizard.job.id, 3)


def _load_step(request: HttpRequest, wizard: Wizard) -> HttpResponse:
    proposal = _looked(request, wizard)
    changes = load_changes(request.POST, proposal, datetime.now(UTC), wizard.values.get("load"))
    changes = without_gone(request.POST, wizard, proposal, changes)
    refuse_stale(request.POST, wizard, 3, changes)
    answer = _kept(request, wizard, 3, changes)
    if wizard.is_draft:
        with acting(request):
            wizard.offer()
    return answer


def _schema_step(request: HttpRequest, wizard: Wizard) -> HttpResponse:
    proposal = _looked(request, wizard)
    if request.POST.get("do") == "reset":
        with acting(request):
            again = proposed_again(wizard, proposal)
            if wizard.is_draft:
                wizard.keep(4, again)
        if not wizard.is_draft:
            return _saved(request, wizard, save_job(request, wizard, again), 4)
        return redirect("job_step", wizard.model.id, wizard.job.id, 4)
    with acting(request):
        changes = without_gone(request.POST, wizard, proposal, checked_schema(request.POST, wizard, proposal))
        refuse_stale(request.POST, wizard, 4, changes)
    before, filled = schema_form(wizard.values, proposal).misfits, dict(wizard.values)
    answer = _kept(request, wizard, 4, changes)
    now = schema_form({**wizard.values, **changes}, proposal).misfits
    told = {name: words for name, words in now.items() if before.get(name) != words}
    if told:
        messages.warning(request, misfits_in_words(told))
    with acting(request):
        if not wizard.is_draft and (left := left_behind(wizard.model.id, filled, changes["destination_table"])):
            messages.warning(request, left)
    return answer


def _schedule_step(request: HttpRequest, wizard: Wizard) -> HttpResponse:
    changes: dict[str, Any] = {"schedule": schedule_rule(request.POST, wizard.model.time_zone)}
    refuse_stale(request.POST, wizard, 5, changes)
    if not wizard.is_draft:
        return _saved(request, wizard, save_job(request, wizard, changes))
    with acting(request):
        wizard.keep(5, changes)
    job = make_job(request, wizard, enabled=True)
    with acting(request):
        if request.POST.get("run_now"):
            run = start_run(job, user_of(request), trigger_of(request))
            messages.success(request, f"The job “{job.name}” is made, and its first copy was started.")
            return redirect("etl_run", wizard.model.id, run.id)
    messages.success(request, f"The job “{job.name}” is made.")
    return redirect("job", wizard.model.id, job.id)


_SAVE: dict[int, Callable[[HttpRequest, Wizard], HttpResponse]] = {
    1: _connection_step,
    2: _table_step,
    3: _load_step,
    4: _schema_step,
    5: _schedule_step,
}


def _kept(request: HttpRequest, wizard: Wizard, step: int, changes: dict[str, Any]) -> HttpResponse:
    """A draft goes to its next step; a job is saved."""
    if not wizard.is_draft:
        return _saved(request, wizard, save_job(request, wizard, changes))
    with acting(request):
        if step == 3:
            refuse_unfit_load(wizard, changes)
        else:
            checked_spec(wizard, changes)
        wizard.keep(step, changes)
    return redirect("job_step", wizard.model.id, wizard.job.id, step + 1)


def _saved(request: HttpRequest, wizard: Wizard, changed: dict[str, Any], step: int = 0) -> HttpResponse:
    name = wizard.job.name
    messages.success(request, f"The job “{name}” is saved." if changed else f"Nothing of “{name}” was changed.")
    if step:
        return redirect("job_step", wizard.model.id, wizard.job.id, step)
    return redirect("job", wizard.model.id, wizard.job.id)


def _show(request: HttpRequest, wizard: Wizard, step: int, refusal: EngineError | None = None) -> HttpResponse:
    context: dict[str, Any] = {
        "model": wizard.model,
        "wizard": wizard,
        "job": wizard.job,
        "step": step,
        "steps": ",".join(STEPS),
        "links": {
            number: reverse("job_step", args=[wizard.model.id, wizard.job.id, number])
            for number in range(1, wizard.reachable + 1)
        },
        "last": LAST,
        "mark": mark_of(wizard, step),
    }
    trouble, faults = None, told(step, refusal)
    if step in (3, 4):
        try:
            _looked(request, wizard, again=not wizard.is_draft and tells_of_change(refusal))
            form = context["form"] = _form(request, wizard, step)
            context["gone"] = gone_columns(wizard, wizard.proposal) if wizard.proposal else []
            already = _named_already(request, wizard) if step == 4 else None
            faults = told(step, refusal or already, {row.name for row in form.rows})
            context["form"] = form.with_faults(faults.rows)
        except EngineError as error:
            trouble = context["trouble"] = error
    context |= _told(faults, refusal)
    with acting(request), shown_in(wizard.model.time_zone):
        if step == 1:
            context |= {
                "connections": cards(wizard.model),
                "name": request.POST.get("name", wizard.job.name),
                "chosen": request.POST.get("connection", str(wizard.job.connection_id)),
            }
        elif step == 5:
            context |= _schedule_context(request, wizard)
        status = 422 if refusal is not None or trouble is not None else 200
        return render(request, f"etl/wizard/{TEMPLATES[step]}.html", context, status=status)


def _named_already(request: HttpRequest, wizard: Wizard) -> EngineError | None:
    """What is wrong with the table name of a draft before anything is typed: another job may have taken it."""
    with acting(request):
        return taken_destination(wizard) if wizard.is_draft and request.method == "GET" else None


def _told(faults: Told, refusal: EngineError | None) -> dict[str, Any]:
    """What the page says of a refusal: on top as a whole, and beside its fields."""
    return {"refusal": refusal, "told": faults, "faults": faults.beside}


def _form(request: HttpRequest, wizard: Wizard, step: int) -> Any:
    """The form of step 3 or 4, with what was typed when it was refused."""
    proposal, values = _looked(request, wizard), wizard.values
    again = request.method == "POST"
    if step == 4:
        typed = schema_typed(request.POST, values, proposal) if again else {}
        return schema_form({**values, **typed}, proposal)
    form = load_form(values, proposal, SOURCE_TYPES[wizard.job.connection.source_type].capabilities)
    return load_typed(request.POST, form) if again else form


def _schedule_context(request: HttpRequest, wizard: Wizard) -> dict[str, Any]:
    form = schedule_form(wizard.values.get("schedule"), wizard.model.time_zone)
    if request.method == "POST":
        form = typed_form(request.POST, wizard.model.time_zone)
    return {"form": form, "facts": facts_of(wizard.values, wizard.proposal)}


def _looked(request: HttpRequest, wizard: Wizard, again: bool = False) -> Any:
    """What the source says of the table: kept from the last look, or asked now."""
    with acting(request):
        again = again or request.GET.get("look") == "again" or stale_look(wizard)
    if wizard.proposal is None or again:
        spend(request, LOOKS)
        schema, table = wizard.values.get("source_schema", ""), wizard.values.get("source_table", "")
        with acting(request):
            open_source, question = wizard.question(schema, table)
        found = ask(open_source, question)
        with acting(request):
            wizard.remember(found)
    return wizard.proposal


def _loaded(request: HttpRequest, model_id: int, job_id: int) -> Wizard:
    with acting(request):
        rows = DataSource.objects.select_related("configuration__model", "connection", "table").filter(
            configuration__model_id=model_id
        )
        return wizard_of(row_or_404(request, rows, "editor", id=job_id))
