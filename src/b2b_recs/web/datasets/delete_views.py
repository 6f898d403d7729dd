"""The page that deletes a warehouse table, or says what holds it."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from b2b_recs.engine.errors import EngineError
from b2b_recs.engine.profile.facts import facts_of
from b2b_recs.web.accounts.access import model_or_404, requires
from b2b_recs.web.accounts.acting import user_of
from b2b_recs.web.datasets.deleting import delete_table, holders_of
from b2b_recs.web.datasets.tables import table_or_404
from b2b_recs.web.projects.models import ModelEndpoint


@requires("editor")
@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, model_id: int, table: str) -> HttpResponse:
    """What would be lost, or what holds the table; after the question it is deleted."""
    model = model_or_404(request, model_id, "editor")
    one = table_or_404(model, table)
    if not one.loaded:
        raise Http404
    if request.method == "POST":
        try:
            name = delete_table(model, table, user_of(request))
        except EngineError as refusal:
            messages.error(request, str(refusal))
            return redirect("data_delete", model_id, one.slug)
        messages.success(request, f"The table {name} was deleted.")
        return redirect("data", model_id)
    context = {
        "model": model,
        "one": one,
        "facts": facts_of(one.table),
        "holders": holders_of(one),
        "archived": model.status == ModelEndpoint.Status.ARCHIVED,
    }
    return render(request, "datasets/delete.html", context)
