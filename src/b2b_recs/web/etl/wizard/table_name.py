"""The name of the warehouse table while it is typed, and what a step begins with again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from b2b_recs.engine.errors import BadInput
from b2b_recs.web.accounts.access import requires, row_or_404
from b2b_recs.web.etl.destination import free_destination
from b2b_recs.web.etl.earlier import ADVICE, EarlierTable
from b2b_recs.web.etl.facts import USUAL_REJECTS
from b2b_recs.web.etl.models import DataSource
from b2b_recs.web.etl.proposals import TableProposal
from b2b_recs.web.etl.wizard.saving import checked_spec, moved_into
from b2b_recs.web.etl.wizard.state import Wizard, wizard_of

HINT = "a letter or _, then letters, digits and _"
_CHECKED = ("source_schema", "source_table", "load")


@requires("editor")
@require_GET
def job_table_check(request: HttpRequest, model_id: int, job_id: int) -> HttpResponse:
    """Whether a job may fill the warehouse table whose name is being typed."""
    rows = DataSource.objects.select_related("configuration__model", "connection", "table").filter(
        configuration__model_id=model_id
    )
    wizard = wizard_of(row_or_404(request, rows, "editor", id=job_id))
    name, fault = request.GET.get("destination_table", "").strip(), ""
    part = {part: wizard.values[part] for part in _CHECKED if part in wizard.values}
    try:
        checked_spec(replace(wizard, values=part), {"destination_table": name})
    except BadInput as refusal:
        fault = f"{refusal.message} {refusal.advice}" if name and refusal.field == "destination_table" else ""
    free = bool(name) and not fault
    earlier = _earlier(wizard, name) if free else None
    if earlier is not None and not earlier.fits:
        fault = f"{earlier.words} {ADVICE}"
    context = {"fault": fault, "free": free, "earlier": earlier, "hint": HINT}
    return render(request, "etl/wizard/name.html", context)


def _earlier(wizard: Wizard, name: str) -> EarlierTable | None:
    """The table of that name when it holds rows of an earlier copy; None too while the step as it was saved is at
    fault elsewhere."""
    try:
        return moved_into(wizard, checked_spec(wizard, {"destination_table": name}))
    except BadInput:
        return None


def proposed_again(wizard: Wizard, proposal: TableProposal) -> dict[str, Any]:
    """What resetting step 4 gives back: of a draft everything it asks for, of a job the types and names alone, since
    another table name would leave its table behind. Call inside the organization's scope."""
    types: dict[str, Any] = {"types": [], "names": {}}
    if not wizard.is_draft:
        return types
    chosen, day = wizard.values.get("columns") or (), proposal.partition_by
    return {
        **types,
        "destination_table": free_destination(wizard.job.configuration, proposal.destination_table, wizard.job.id),
        "partition_by": day if not chosen or day in chosen else None,
        "cluster_by": [],
        "reject_threshold": USUAL_REJECTS,
    }
