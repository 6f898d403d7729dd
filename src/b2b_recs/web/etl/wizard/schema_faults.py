"""Step 4 as a whole: settings when everything typed can be, else every fault there is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import QueryDict

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.several import Collected
from b2b_recs.engine.warehouse.bigquery import check_new_names
from b2b_recs.web.etl.held_types import held_faults
from b2b_recs.web.etl.jobs import refuse_taken_destination
from b2b_recs.web.etl.proposals import TableProposal
from b2b_recs.web.etl.wizard.saving import checked_spec, fitting_spec, moved_into
from b2b_recs.web.etl.wizard.schema_form import schema_changes, schema_typed
from b2b_recs.web.etl.wizard.state import Wizard

_ASKED = ("destination_table", "types", "names", "partition_by", "cluster_by", "reject_threshold")


def checked_schema(typed: QueryDict, wizard: Wizard, proposal: TableProposal) -> dict[str, Any]:
    """The settings somebody typed in step 4. Raises BadInput with all their faults; call inside the scope."""
    faults = Collected()
    with faults.part():
        schema_changes(typed, wizard.values, proposal)
    found = schema_typed(typed, wizard.values, proposal)
    said = {fault.column for fault in faults.found}
    rest = {**found, "types": [one for one in found["types"] if one["name"] not in said]}
    if any(fault.field == "cluster_by" for fault in faults.found):
        rest["cluster_by"] = []
    try:
        spec = checked_spec(wizard, rest)
        faults.found += held_faults(wizard.model.id, spec)
        with faults.part():
            if earlier := moved_into(wizard, spec):
                earlier.refuse_unfit()
    except BadInput as refusal:
        faults.found += _by_parts(wizard, rest) or [refusal]
    faults.refuse()
    return found


def _by_parts(wizard: Wizard, found: Mapping[str, Any]) -> list[BadInput]:
    """What is wrong with each part when all others are as usual: a check of the whole tells the first fault only."""
    faults = Collected()
    basis = {name: value for name, value in wizard.values.items() if name not in _ASKED}
    with faults.part():
        spec = fitting_spec(wizard, {**basis, "destination_table": found["destination_table"]})
        refuse_taken_destination(wizard.job.configuration, spec, wizard.job.id)
    for name in ("reject_threshold", "partition_by", "cluster_by"):
        with faults.part():
            if name in found:
                fitting_spec(wizard, {**basis, name: found[name]})
    every_column = {**basis, "columns": []}
    for one in found["types"]:
        with faults.part():
            fitting_spec(wizard, {**every_column, "types": [one]})
    free: dict[str, str] = {}
    for column, name in found["names"].items():
        with faults.part():
            check_new_names({**free, column: name})
            free[column] = name
    return faults.found
