"""The wizard that makes a connection, and what can be done with one."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from b2b_recs.engine.errors import BadInput, EngineError
from b2b_recs.engine.sources.contract import CheckResult, Source, SourceType
from b2b_recs.engine.sources.drivers import install_command
from b2b_recs.engine.sources.form_help import help_of
from b2b_recs.engine.sources.registry import SOURCE_TYPES, parameter_faults
from b2b_recs.engine.sources.settings_read import as_read
from b2b_recs.web.accounts.access import model_or_404, own_transactions, requires, row_or_404
from b2b_recs.web.accounts.acting import acting
from b2b_recs.web.api.limits import spend
from b2b_recs.web.connections.changing import (
    changed_parameters,
    delete_connection,
    job_names,
    make_connection,
    refuse_taken_name,
    to_open,
    update_connection,
)
from b2b_recs.web.connections.forms import PASTED, changes_from, form_of, parameters_from
from b2b_recs.web.connections.models import Connection
from b2b_recs.web.connections.pages import CATEGORIES, categories, tile_of
from b2b_recs.web.connections.retesting import PATIENCE_SECONDS, begin
from b2b_recs.web.connections.schemas import suggested_name, without_secrets
from b2b_recs.web.connections.services import folders_of, note_use, opener_of, secrets_set_at
from b2b_recs.web.connections.stale import mark_of, stale_fault
from b2b_recs.web.connections.tested import proof_of, proves
from b2b_recs.web.connections.testing import ask, test_stored
from b2b_recs.web.etl.page import card_context
from b2b_recs.web.names import refuse_bad_name
from b2b_recs.web.projects.models import ModelEndpoint

TESTS = "tests of connections"
TABLES_SHOWN = 40


@requires("editor")
@require_GET
def connection_new(request: HttpRequest, model_id: int) -> HttpResponse:
    """Step 1: which system; tiles by category."""
    model = model_or_404(request, model_id, "editor")
    chosen = request.GET.get("category", "")
    context = {
        "model": model,
        "categories": [
            (name, title, [(one, tile_of(one.type)) for one in types]) for name, title, types in categories()
        ],
        "category": chosen if chosen in CATEGORIES else next(iter(CATEGORIES)),
    }
    return render(request, "connections/new.html", context)


@requires("editor")
@never_cache
@own_transactions
@require_http_methods(["GET", "POST"])
def connection_form(request: HttpRequest, model_id: int, type_name: str) -> HttpResponse:
    """Step 2: the settings of one source type; tested, then saved."""
    declared = _declared(type_name)
    with acting(request):
        model = model_or_404(request, model_id, "editor")
    if request.method == "POST":
        parameters = parameters_from(declared, request.POST.dict())
        if request.POST.get("do") == "save":
            return _create(request, model, declared, parameters)
        return _try(request, model, declared, parameters, parameters)
    return _page(request, model, declared, {"form": form_of(declared, folders=_folders(request, declared)), "name": ""})


@requires("editor")
@never_cache
@own_transactions
@require_http_methods(["GET", "POST"])
def connection_edit(request: HttpRequest, model_id: int, connection_id: int) -> HttpResponse:
    """The settings of a stored connection; credentials only where they change."""
    with acting(request):
        row = _row(request, model_id, connection_id)
        declared = _declared(row.source_type)
        if request.method == "GET":
            plain = without_secrets(row.parameters, declared)
            form = form_of(declared, plain, secrets_set_at(row), _folders(request, declared))
            context = {"form": form, "name": row.name, "row": row, "jobs": job_names(row), "mark": mark_of(row)}
            return _page(request, row.model, declared, context)
        given = changes_from(declared, request.POST.dict(), as_read(declared, row.parameters))
        mark, name = request.POST.get("mark", ""), request.POST.get("name", "").strip()
        if request.POST.get("do") == "save" and (fault := stale_fault(row, mark, name, given)):
            return _refused(request, fault, mark=mark_of(row))
        try:
            full = to_open(row, changed_parameters(row, given))
        except EngineError as refusal:
            return _refused(request, refusal)
    if request.POST.get("do") == "save":
        return _update(request, row, declared, given, full)
    return _try(request, row.model, declared, full, full)


@requires("editor")
@require_POST
@own_transactions
def connection_test(request: HttpRequest, model_id: int, connection_id: int) -> HttpResponse:
    """Test a stored connection: in the background for a page that can look again, else now."""
    asked_at = timezone.now()
    with acting(request):
        row = _row(request, model_id, connection_id)
    try:
        spend(request, TESTS)
        if request.htmx:  # type: ignore[attr-defined]
            begin(row.organization_id, row.id)
            return _card(request, row, asked_at)
        test_stored(row.organization_id, row.id)
    except EngineError as refusal:
        if request.htmx:  # type: ignore[attr-defined]
            return _card(request, row, None)
        messages.error(request, str(refusal))
    return redirect("etl", model_id)


@requires("viewer")
@require_GET
def connection_card(request: HttpRequest, model_id: int, connection_id: int) -> HttpResponse:
    """The card of a connection, asked for until the test asked for at ``since`` has ended."""
    row = _row(request, model_id, connection_id, "viewer")
    return _card(request, row, _moment(request.GET.get("since", "")))


def _moment(text: str) -> datetime | None:
    """The time an address names, None for one that is none or has no zone."""
    try:
        found = parse_datetime(text.replace(" ", "+"))
    except ValueError:
        return None
    return found if found is not None and timezone.is_aware(found) else None


def _card(request: HttpRequest, row: Connection, since: datetime | None) -> HttpResponse:
    with acting(request):
        context = card_context(request, row.model_id, row.id)
        tested = context["card"].tested_at
        waits = since is not None and (tested is None or tested < since)
        patient = since is not None and timezone.now() - since < timedelta(seconds=PATIENCE_SECONDS)
        context["since"] = since if waits and patient else None
        return render(request, "etl/connection_card.html", context)


@requires("editor")
@require_POST
def connection_switch(request: HttpRequest, model_id: int, connection_id: int) -> HttpResponse:
    """Switch a connection on or off; its jobs are refused while it is off. ``job`` names the one whose page asked."""
    row = _row(request, model_id, connection_id)
    on = request.POST.get("enabled") == "yes"
    update_connection(row, None, on, None)
    messages.success(request, f"The connection “{row.name}” is switched {'on' if on else 'off'}.")
    job = row.jobs.filter(id=number).first() if (number := request.GET.get("job", "")[:18]).isdecimal() else None
    return redirect("job", model_id, job.id) if job is not None else redirect("etl", model_id)


@requires("editor")
@require_POST
def connection_delete(request: HttpRequest, model_id: int, connection_id: int) -> HttpResponse:
    """Delete a connection with its credentials; refused while jobs use it."""
    row = _row(request, model_id, connection_id)
    try:
        delete_connection(row)
    except EngineError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"The connection “{row.name}” was deleted.")
    return redirect("etl", model_id)


def _try(
    request: HttpRequest,
    model: ModelEndpoint,
    declared: SourceType,
    parameters: dict[str, Any],
    proven: dict[str, Any],
) -> HttpResponse:
    """The outcome of a test of these parameters."""
    faults = [*_whole_address(declared, parameters), *parameter_faults(declared.type, parameters)]
    faults = _once([*faults, *_name_faults(request)])
    if faults:
        return _refused(request, *faults)
    try:
        found = _check(request, declared, parameters)
    except EngineError as refusal:
        return _refused(request, refusal)
    context = {
        "found": found,
        "declared": declared,
        "version": _version(declared, found),
        "tables": found.tables[:TABLES_SHOWN],
        "more": max(0, len(found.tables) - TABLES_SHOWN),
        "proof": proof_of(model.id, declared.type, proven),
        "suggested": suggested_name(declared.type, parameters),
    }
    return render(request, "connections/passed.html", context)


def _create(
    request: HttpRequest, model: ModelEndpoint, declared: SourceType, parameters: dict[str, Any]
) -> HttpResponse:
    name = request.POST.get("name", "").strip() or suggested_name(declared.type, parameters)
    faults = _once([*_whole_address(declared, parameters), *parameter_faults(declared.type, parameters)])
    faults += _name_faults(request)
    if faults:
        return _refused(request, *faults)
    try:
        refuse_bad_name(name, "a connection")
        with acting(request):
            refuse_taken_name(model, name)
        if not proves(request.POST.get("proof", ""), model.id, declared.type, parameters):
            _check(request, declared, parameters)
        with acting(request):
            row, _ = make_connection(model_or_404(request, model.id, "editor"), name, declared.type, parameters)
            note_use(row.organization_id, row.id)
    except EngineError as refusal:
        return _refused(request, refusal)
    copy = f"{reverse('job_new', args=[model.id])}?connection={row.id}"
    told = "The connection “{}” works and is saved. Now choose a table to copy. "
    messages.success(request, format_html(told + '<a class="btn btn-sm" href="{}">Copy a table</a>', name, copy))
    return _go(request, f"{reverse('etl', args=[model.id])}?connection={row.id}")


def _whole_address(declared: SourceType, parameters: dict[str, Any]) -> list[BadInput]:
    """What is said of a whole address in the field of the host, where the page has a field for addresses."""
    if declared.type not in PASTED or "://" not in str(parameters.get("host", "")):
        return []
    advice = "Put it into “Paste an address” above, which fills in the fields."
    return [BadInput("Host cannot be used: this is a whole address.", advice=advice, field="host")]


def _name_faults(request: HttpRequest) -> list[BadInput]:
    """What is wrong about the name that was typed, if one was."""
    try:
        if name := request.POST.get("name", "").strip():
            refuse_bad_name(name, "a connection")
    except BadInput as fault:
        return [fault]
    return []


def _once(faults: list[BadInput]) -> list[BadInput]:
    """The first fault of each field."""
    return list({fault.field: fault for fault in reversed(faults)}.values())[::-1]


def _update(
    request: HttpRequest, row: Connection, declared: SourceType, given: dict[str, Any], full: dict[str, Any]
) -> HttpResponse:
    name = request.POST.get("name", "").strip()
    faults = [*_whole_address(declared, full), *parameter_faults(declared.type, full)] if given else []
    if faults := _once(faults):
        return _refused(request, *faults)
    try:
        refuse_bad_name(name, "a connection")
        if given and not proves(request.POST.get("proof", ""), row.model_id, declared.type, full):
            _check(request, declared, full)
        with acting(request):
            fresh = Connection.objects.select_for_update().get(id=row.id)
            changes = update_connection(fresh, name, None, given or None)
            if given:
                note_use(fresh.organization_id, fresh.id)
    except EngineError as refusal:
        return _refused(request, refusal)
    messages.success(request, f"The connection “{name}” is saved." if changes else "Nothing was changed.")
    return _go(request, reverse("etl", args=[row.model_id]))


def _check(request: HttpRequest, declared: SourceType, parameters: dict[str, Any]) -> CheckResult:
    spend(request, TESTS)
    organization = request.organization.id  # type: ignore[attr-defined]
    return ask(opener_of(declared.type, parameters, organization), _question)


def _question(source: Source) -> CheckResult:
    return source.check()


def _folders(request: HttpRequest, declared: SourceType) -> tuple[Path, ...]:
    """The folders a connection of this type may name here; none for one that reads no files of this machine."""
    organization = request.organization.id  # type: ignore[attr-defined]
    return folders_of(organization) if declared.place_field else ()


def _version(declared: SourceType, found: CheckResult) -> str:
    """What answered, in words; a bare number is put after the name of the type."""
    version = found.server_version
    return f"{declared.name} {version}" if version[:1].isdigit() else version


def _refused(request: HttpRequest, *refusals: EngineError, mark: str = "") -> HttpResponse:
    """What the form says when it was refused; the fields at fault are marked by the page's script.

    With ``mark`` the form is told what is saved by now, so that sending it again replaces that.
    """
    template = "connections/refused.html" if request.htmx else "connections/refused_page.html"  # type: ignore[attr-defined]
    with acting(request):
        context = {"refusals": refusals, "unsaved": request.POST.get("do") == "save", "mark": mark}
        return render(request, template, context, status=422)


def _go(request: HttpRequest, address: str) -> HttpResponse:
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponse(headers={"HX-Redirect": address})
    return redirect(address)


def _page(request: HttpRequest, model: ModelEndpoint, declared: SourceType, context: dict[str, Any]) -> HttpResponse:
    # The name under which the browser's tab keeps what was typed; a saved change ends what it kept before.
    row = context.get("row")
    what = f"saved/{row.id}/{context['mark']}" if row else f"new/{declared.type}"
    context |= {
        "kept_as": f"connection/{request.user.pk}/{model.id}/{what}",
        "model": model,
        "declared": declared,
        "tile": tile_of(declared.type),
        "pasted": PASTED.get(declared.type, ""),
        "category": CATEGORIES[declared.category],
        "help": help_of(declared),
        "install": install_command(declared.extra) if declared.extra and not declared.installed else "",
    }
    with acting(request):
        return render(request, "connections/form.html", context)


def _declared(type_name: str) -> SourceType:
    found = SOURCE_TYPES.get(type_name)
    if found is None:
        raise Http404
    return found


def _row(request: HttpRequest, model_id: int, connection_id: int, role: str = "editor") -> Connection:
    rows = Connection.objects.select_related("model").filter(model_id=model_id)
    return row_or_404(request, rows, role, id=connection_id)
