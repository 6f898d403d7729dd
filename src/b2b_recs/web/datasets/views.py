"""The pages about a model's warehouse tables: the list, and the tabs of one table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from b2b_recs.engine.errors import EngineError
from b2b_recs.engine.profile.rejects import Wanted, rejected_count
from b2b_recs.web.accounts.access import allows, model_or_404, requires
from b2b_recs.web.datasets import tabs
from b2b_recs.web.datasets.listing import listing
from b2b_recs.web.datasets.overview import head_of, overview
from b2b_recs.web.datasets.sending import rejected_lines, sample
from b2b_recs.web.datasets.tables import WarehouseTable, table_or_404
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.ui.zone import shown_in

LARGEST = 10**15


@requires("viewer")
@require_GET
def tables(request: HttpRequest, model_id: int) -> HttpResponse:
    """The warehouse tables of a model."""
    model = model_or_404(request, model_id)
    ask = request.GET
    found = listing(model, ask.get("q", "").strip()[:200], ask.get("sort", ""), ask.get("page", "1"))
    with shown_in(model.time_zone):
        return render(request, "datasets/tables.html", {"model": model, "listing": found})


@requires("viewer")
@require_GET
def table(request: HttpRequest, model_id: int, table: str) -> HttpResponse:
    """One table: its numbers, its columns, what fills it."""
    model, one = _table(request, model_id, table)
    return _tab(request, model, one, "data_table", "datasets/overview.html", overview=lambda: overview(one))


@requires("viewer")
@require_GET
def preview(request: HttpRequest, model_id: int, table: str) -> HttpResponse:
    """The first rows of a version."""
    model, one = _table(request, model_id, table)
    version, group = _number(request, "version"), _number(request, "columns") or 1
    chosen = frozenset(request.GET.getlist("show"))
    found = {"preview": lambda: tabs.preview_tab(one, version, group, chosen)}
    return _tab(request, model, one, "data_preview", "datasets/preview.html", **found)


@requires("viewer")
@require_GET
def download(request: HttpRequest, model_id: int, table: str) -> HttpResponse | StreamingHttpResponse:
    """The first rows of a version as a file, CSV or Parquet."""
    model, one = _table(request, model_id, table)
    form = "parquet" if request.GET.get("format") == "parquet" else "csv"
    try:
        return sample(one, form, _number(request, "version"), _number(request, "rows"))
    except EngineError as refusal:
        return _refused(request, model, one, "data_preview", refusal)


@requires("viewer")
@require_GET
def statistics(request: HttpRequest, model_id: int, table: str) -> HttpResponse:
    """Every column in figures; worked out in the background when nobody has asked for this version before."""
    return _statistics(request, model_id, table, "datasets/statistics.html")


@requires("viewer")
@require_GET
def statistics_panel(request: HttpRequest, model_id: int, table: str) -> HttpResponse:
    """The part of that page that comes later."""
    return _statistics(request, model_id, table, "datasets/statistics_panel.html")


@requires("viewer")
@require_GET
def quality(request: HttpRequest, model_id: int, table: str) -> HttpResponse:
    """What to know before trusting the table."""
    return _quality(request, model_id, table, "datasets/quality.html")


@requires("viewer")
@require_GET
def quality_panel(request: HttpRequest, model_id: int, table: str) -> HttpResponse:
    """The part of that page that comes later."""
    return _quality(request, model_id, table, "datasets/quality_panel.html")


@requires("viewer")
@require_GET
def versions(request: HttpRequest, model_id: int, table: str) -> HttpResponse:
    """The versions of a table, the newest first."""
    model, one = _table(request, model_id, table)
    found = {"history": lambda: tabs.versions_tab(one, request.GET.get("page", "1"))}
    return _tab(request, model, one, "data_versions", "datasets/versions.html", **found)


@requires("viewer")
@require_GET
def compare(request: HttpRequest, model_id: int, table: str) -> HttpResponse:
    """Two versions of a table side by side."""
    return _compare(request, model_id, table, "datasets/compare.html")


@requires("viewer")
@require_GET
def compare_panel(request: HttpRequest, model_id: int, table: str) -> HttpResponse:
    """The part of that page that comes later."""
    return _compare(request, model_id, table, "datasets/compare_panel.html")


@requires("viewer")
@require_GET
def rejected(request: HttpRequest, model_id: int, table: str) -> HttpResponse:
    """The rows the table could not take, with the reason of each."""
    model, one = _table(request, model_id, table)
    found = {"rejected": lambda: tabs.rejected_tab(one, _wanted(request, one), _number(request, "page") or 1)}
    return _tab(request, model, one, "data_rejected", "datasets/rejected.html", **found)


@requires("viewer")
@require_GET
def rejected_export(request: HttpRequest, model_id: int, table: str) -> StreamingHttpResponse:
    """The same rows as a file for a spreadsheet."""
    _, one = _table(request, model_id, table)
    return rejected_lines(one, _wanted(request, one))


def _statistics(request: HttpRequest, model_id: int, table: str, template: str) -> HttpResponse:
    model, one = _table(request, model_id, table)
    version, ask = _number(request, "version"), request.GET
    query, page = ask.get("q", "").strip()[:200], ask.get("page", "1")
    found = {"statistics": lambda: tabs.statistics_tab(one, version, query, page)}
    return _tab(request, model, one, "data_statistics", template, **found)


def _quality(request: HttpRequest, model_id: int, table: str, template: str) -> HttpResponse:
    model, one = _table(request, model_id, table)
    found = {"quality": lambda: tabs.quality_tab(one, _number(request, "version"))}
    return _tab(request, model, one, "data_quality", template, **found)


def _compare(request: HttpRequest, model_id: int, table: str, template: str) -> HttpResponse:
    model, one = _table(request, model_id, table)
    before, after = _number(request, "before"), _number(request, "after")
    found = {"compared": lambda: tabs.compare_tab(one, before, after)}
    return _tab(request, model, one, "data_versions", template, **found)


def _tab(
    request: HttpRequest,
    model: ModelEndpoint,
    one: WarehouseTable,
    here: str,
    template: str,
    **found: Callable[[], Any],
) -> HttpResponse:
    """A tab with what ``found`` finds; a table never loaded, and a version that is gone, have a page that says so."""
    with shown_in(model.time_zone):
        context = _context(request, model, one, here)
        if not one.loaded and not (here == "data_rejected" and rejected_count(one.table, stopped=True)):
            return render(request, "datasets/not_loaded.html", context)
        try:
            return render(request, template, context | {name: find() for name, find in found.items()})
        except EngineError as refusal:
            return _refused(request, model, one, here, refusal)


def _refused(
    request: HttpRequest, model: ModelEndpoint, one: WarehouseTable, here: str, refusal: EngineError
) -> HttpResponse:
    status = 404 if refusal.code == "warehouse_table_missing" else 422
    context = {**_context(request, model, one, here), "refusal": refusal}
    if request.headers.get("HX-Request"):  # the part that comes later: what it waited for went away meanwhile
        return render(request, "datasets/refusal_panel.html", context)
    return render(request, "datasets/refused.html", context, status=status)


def _context(request: HttpRequest, model: ModelEndpoint, one: WarehouseTable, here: str) -> dict[str, Any]:
    return {"model": model, "one": one, "head": head_of(one, here), "may_edit": allows(request, "editor")}


def _table(request: HttpRequest, model_id: int, table: str) -> tuple[ModelEndpoint, WarehouseTable]:
    model = model_or_404(request, model_id)
    return model, table_or_404(model, table)


def _wanted(request: HttpRequest, one: WarehouseTable) -> Wanted:
    """What the query asks for; a table never loaded can only have rows that stopped a run."""
    ask = request.GET
    stopped = not one.loaded or bool(ask.get("stopped"))
    return Wanted(ask.get("q", "").strip()[:200], ask.get("column", ""), ask.get("reason", ""), stopped)


def _number(request: HttpRequest, name: str) -> int | None:
    """A number of the query; None when it is missing or none."""
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and int(text[:20]) <= LARGEST else None
