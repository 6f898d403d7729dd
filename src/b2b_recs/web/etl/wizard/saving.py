"""Making a job of a draft, and changing a job, after the source was asked whether it fits.

The source is asked outside every transaction; call these outside the scope.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from pydantic import ValidationError

from b2b_recs.engine.counting import listed
from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.etl.spec import CopySpec
from b2b_recs.engine.quoted import quoted
from b2b_recs.engine.sources.contract import ColumnInfo, Source, SourceType
from b2b_recs.engine.sources.registry import SOURCE_TYPES, source_type
from b2b_recs.engine.warehouse.local import LocalTable
from b2b_recs.web.accounts.acting import acting
from b2b_recs.web.api.failures import words_of
from b2b_recs.web.api.limits import LOOKS, spend
from b2b_recs.web.connections.models import Connection
from b2b_recs.web.connections.services import opener
from b2b_recs.web.connections.testing import ask
from b2b_recs.web.etl.checks import check_spec
from b2b_recs.web.etl.drifted import refuse_drifted, taken_over
from b2b_recs.web.etl.earlier import EarlierTable, earlier_table
from b2b_recs.web.etl.filled_table import filled_table
from b2b_recs.web.etl.held_types import refuse_held
from b2b_recs.web.etl.jobs import (
    change_job,
    finish_draft,
    refuse_taken_destination,
    refuse_taken_name,
    schedule_job,
)
from b2b_recs.web.etl.models import DataSource
from b2b_recs.web.etl.schemas import JobSettings, schedule_in, spec_of
from b2b_recs.web.etl.sourcing import held_columns, settled_by
from b2b_recs.web.etl.wizard.state import Wizard
from b2b_recs.web.names import refuse_too_long

NAMED = 5  # new columns that are told by name
# Settings whose field has another name than the API's, with what may be typed there and what an empty one is told.
_AS_TYPED = {
    "destination_table": (
        "The table name {} cannot be used.",
        "Begin with a letter or _, then use letters, digits and _ only; at most 128 characters.",
        "The table name is missing.",
    ),
    "reject_threshold": (
        "{} is no percentage of rows.",
        "Give a number from 0 to 100.",
        "The share of rows is missing.",
    ),
}


def settings_of(values: Mapping[str, Any], job: DataSource) -> Any:
    """The settings a wizard holds, checked by their shape. Raises BadInput naming the field."""
    known = {name: value for name, value in values.items() if name in JobSettings.model_fields}
    document = {**known, "name": job.name, "connection_id": job.connection_id}
    refuse_too_long(str(values.get("destination_table") or ""), 128, "table name", "destination_table")
    try:
        return JobSettings.model_validate(document)
    except ValidationError as error:
        message, advice, field = words_of(error.errors(include_url=False, include_input=False))
        said, column = _AS_TYPED.get(field or ""), ""
        if said is not None:
            typed = _as_typed(str(field), values)
            message, advice = said[0].format(quoted(typed)) if str(typed).strip() else said[2], said[1]
        elif field and (found := re.match(r"types\.(\d+)", field)):
            column = str(values["types"][int(found[1])].get("name", ""))
            message, field = message.replace(field, f"What “{column[:100]}” becomes"), "types"
        raise BadInput(message, advice=advice, field=field, column=column) from None


def _as_typed(field: str, values: Mapping[str, Any]) -> object:
    value = values.get(field, "")
    return f"{value * 100:g}" if isinstance(value, float) else value


def fitting_spec(wizard: Wizard, values: Mapping[str, Any]) -> CopySpec:
    """The copy that settings make, checked by itself. Raises BadInput naming the field."""
    spec = spec_of(settings_of(values, wizard.job), wizard.model.time_zone)
    check_spec(spec, SOURCE_TYPES.get(wizard.job.connection.source_type))
    return spec


def checked_spec(wizard: Wizard, changes: Mapping[str, Any]) -> CopySpec:
    """The copy of a wizard after ``changes``, and its table is free. Raises BadInput naming the field."""
    spec = fitting_spec(wizard, {**wizard.values, **changes})
    refuse_taken_destination(wizard.job.configuration, spec, wizard.job.id)
    return spec


def refuse_unfit_load(wizard: Wizard, changes: Mapping[str, Any]) -> None:
    """Raise BadInput for a load and columns that cannot be, whatever the warehouse table is called."""
    named = {"destination_table": "any", "destination_dataset": "raw_data"}
    fitting_spec(wizard, {**wizard.values, **changes, **named})


def taken_destination(wizard: Wizard) -> BadInput | None:
    """What is wrong with the table name a draft holds, to be told where it is asked for; None when it is free."""
    try:
        checked_spec(wizard, {})
    except BadInput as refusal:
        return refusal if refusal.field == "destination_table" else None
    return None


def moved_into(wizard: Wizard, spec: CopySpec) -> EarlierTable | None:
    """The table a copy would fill from now on, when it holds rows of an earlier copy; None for the job's own.

    Call inside the scope.
    """
    own = (wizard.values.get("destination_dataset", spec.destination_dataset), wizard.values.get("destination_table"))
    if not wizard.is_draft and own == (spec.destination_dataset, spec.destination_table):
        return None
    return earlier_table(wizard.model.id, spec, wizard.proposal.columns if wizard.proposal else ())


def make_job(request: HttpRequest, wizard: Wizard, enabled: bool) -> DataSource:
    """The job of a finished wizard: copy, destination and schedule, all or nothing.

    Columns that came into the source after they were chosen are told, since they are not copied.
    """
    settings, spec, since = _asked(request, wizard, wizard.values)
    with acting(request):
        refuse_taken_name(wizard.job.configuration, wizard.job.name, wizard.job.id)
        refuse_taken_destination(wizard.job.configuration, spec, wizard.job.id)
        draft = _locked(wizard.job)
        if not draft.draft:  # pressed twice
            return draft
        job = finish_draft(draft, draft.name, draft.connection, spec, enabled)
        schedule_job(job, schedule_in(settings, wizard.model.time_zone), settings.paused)
    if since:
        one = len(since) == 1
        messages.warning(
            request,
            f"The source has {'a column that was' if one else f'{len(since):,} columns that were'} not there when the "
            f"columns were chosen: {listed(since[:NAMED], len(since))}. {'It is' if one else 'They are'} not copied; "
            "edit the job to add what is needed.",
        )
    return job


def save_job(
    request: HttpRequest,
    wizard: Wizard,
    changes: Mapping[str, Any],
    name: str = "",
    connection: Connection | None = None,
) -> dict[str, Any]:
    """Give a finished job these settings; returns what was different.

    Raises what the next run would be refused with.
    """
    job = wizard.job
    job.name, job.connection = name or job.name, connection or job.connection
    refilled = bool({"columns", "types"} & changes.keys())
    settings, spec, _ = _asked(request, wizard, {**wizard.values, **changes}, refilled)
    with acting(request):
        refuse_taken_name(job.configuration, job.name, job.id)
        refuse_taken_destination(job.configuration, spec, job.id)
        fresh = _locked(job)
        changed = change_job(fresh, name=job.name, connection=job.connection, enabled=settings.enabled, spec=spec)
        if schedule_job(fresh, schedule_in(settings, wizard.model.time_zone), settings.paused):
            changed["schedule"] = True
        return changed


def _asked(
    request: HttpRequest, wizard: Wizard, values: Mapping[str, Any], refilled: bool = False
) -> tuple[Any, CopySpec, list[str]]:
    """Settings and copy after the source was asked whether they fit, and the columns it did not have when some of its
    columns were chosen; ``refilled``: whether they must fit what the warehouse table holds, too."""
    with acting(request):
        settings = settings_of(values, wizard.job)
        spec = spec_of(settings, wizard.model.time_zone)
        declared = source_type(wizard.job.connection.source_type)
        check_spec(spec, declared)
        refuse_taken_destination(wizard.job.configuration, spec, wizard.job.id)
        refuse_held(wizard.model.id, spec)
        open_source = opener(wizard.job.connection)
    spend(request, LOOKS)
    settle = settled_by(declared, spec, held_columns(wizard.model.id, spec))
    seen = None
    if wizard.proposal is not None and spec.columns:
        seen = set(wizard.offered) or {one.name for one in wizard.proposal.columns}

    table = filled_table(wizard.model.id, spec) if refilled else None
    with acting(request):
        earlier = moved_into(wizard, spec) if table is not None else None

    def question(source: Source) -> tuple[CopySpec, list[str]]:
        settled = settle(source)
        if seen is None and table is None:
            return settled, []
        there = source.columns(settled.source_schema, settled.source_table)
        if table is not None:
            settled = taken_over(declared, source, settled, there, table.schema())
            through = settled.through(str(wizard.job.connection_id))
            _refuse_drifted(declared, through, there, table, earlier)
        if seen is None:
            return settled, []
        return settled, [one.name for one in there if one.name not in seen]

    return settings, *ask(open_source, question)


def _refuse_drifted(
    declared: SourceType, spec: CopySpec, there: Sequence[ColumnInfo], table: LocalTable, earlier: EarlierTable | None
) -> None:
    """Refuse what the next run would be; in a table of an earlier copy it is the table that does not fit."""
    try:
        refuse_drifted(declared, spec, there, table)
    except BadInput as refusal:
        if earlier is not None and refusal.field == "columns" and {*spec.columns} <= {one.name for one in there}:
            replace(earlier, fits=False).refuse_unfit()
        raise


def _locked(job: DataSource) -> DataSource:
    found: DataSource = (
        DataSource.objects.select_for_update(of=("self",)).select_related("connection", "configuration").get(id=job.id)
    )
    return found
