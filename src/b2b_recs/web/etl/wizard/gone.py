"""Columns a job reads and its source no longer has: told where columns are chosen, and let go of by saving there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import QueryDict

from b2b_recs.engine.errors import BadInput, ColumnMissing, EngineError, SchemaDrift, TypeHeld
from b2b_recs.engine.several import Several
from b2b_recs.web.etl.models import ETLRun
from b2b_recs.web.etl.proposals import TableProposal
from b2b_recs.web.etl.wizard.shown import shown_names
from b2b_recs.web.etl.wizard.state import Wizard


def stale_look(wizard: Wizard) -> bool:
    """Whether the newest run found another table than the last look did. Call inside the organization's scope."""
    if wizard.is_draft or wizard.seen_at is None:
        return False
    run = ETLRun.objects.filter(data_source=wizard.job).only("error_code", "finished_at").first()
    found = run is not None and run.error_code in (SchemaDrift.code, TypeHeld.code, ColumnMissing.code)
    return found and run.finished_at is not None and run.finished_at > wizard.seen_at


def tells_of_change(refusal: EngineError | None) -> bool:
    """Whether a refusal says that the source is another than the page shows."""
    faults: Sequence[EngineError] = refusal.faults if isinstance(refusal, Several) else [refusal] if refusal else []
    return any(one.field == "columns" and getattr(one, "column", "") for one in faults)


def gone_columns(wizard: Wizard, proposal: TableProposal) -> list[str]:
    """The columns, by their names in the source, that the job or its table has and the last look did not find."""
    values, load = wizard.values, wizard.values.get("load") or {}
    if wizard.is_draft or load.get("strategy") == "files":
        return []
    known = wizard.known(proposal.source_schema, proposal.source_table)
    kept, names = set(values.get("gone") or ()), values.get("names") or {}
    here = {one.name for one in proposal.columns}
    return [name for name in known if name not in here and names.get(name, name) not in kept]


def without_gone(
    typed: QueryDict, wizard: Wizard, proposal: TableProposal, changes: Mapping[str, Any]
) -> dict[str, Any]:
    """The changes of a step together with what follows from columns that are gone, as the page had told.

    A column that the page still showed is not let go of: the source was looked at elsewhere in the meantime.
    Raises BadInput when no column of the job is left.
    """
    shown = set(shown_names(typed) or ())
    gone = [name for name in gone_columns(wizard, proposal) if name not in shown]
    if not gone:
        return dict(changes)
    values = {**wizard.values, **changes}
    left = [name for name in values.get("columns") or () if name not in gone]
    if values.get("columns") and not left:  # no columns would mean all of them
        raise BadInput(
            "None of the columns this job reads is left in the source.",
            field="columns",
            advice="Choose some in step 3.",
        )
    names = values.get("names") or {}
    return {
        **changes,
        "gone": sorted({*(values.get("gone") or ()), *(names.get(name, name) for name in gone)}),
        "columns": left,
        "types": [one for one in values.get("types") or () if one["name"] not in gone],
        "names": {name: new for name, new in names.items() if name not in gone},
        "partition_by": None if values.get("partition_by") in gone else values.get("partition_by"),
        "cluster_by": [name for name in values.get("cluster_by") or () if name not in gone],
    }
