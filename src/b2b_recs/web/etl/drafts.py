"""Half-filled wizards: kept as drafts, resumed, and turned into jobs. Call inside the organization's scope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from b2b_recs.engine.errors import BadInput
from b2b_recs.web.conflicts import Conflict, Unfinished
from b2b_recs.web.connections.models import Connection
from b2b_recs.web.etl.jobs import refuse_taken_name
from b2b_recs.web.etl.models import DataSource, DataSourceTable, ETLConfiguration
from b2b_recs.web.names import naming

STEPS = 5


def save_draft(
    configuration: ETLConfiguration,
    draft: DataSource | None,
    name: str,
    connection: Connection,
    step: int,
    completed: Sequence[int],
    values: Mapping[str, Any],
) -> DataSource:
    """The draft with what the wizard holds now, new or brought up to date; ``values`` are kept as they are.

    Raises NameTaken, and Conflict for a job that is finished.
    """
    if draft is not None and not draft.draft:
        raise Conflict(
            f"The job “{draft.name}” is finished, not a draft.", field="draft_id", advice="Update the job instead."
        )
    refuse_taken_name(configuration, name, but=draft.id if draft else None)
    own = {"organization_id": configuration.organization_id}
    draft = draft or DataSource(**own, configuration=configuration, draft=True)
    draft.name, draft.connection = name, connection
    draft.wizard_step, draft.wizard_completed_steps = step, sorted(set(completed))
    with naming("job", name):
        draft.save()
        DataSourceTable.objects.update_or_create(data_source=draft, defaults={**own, "spec": dict(values)})
    return draft


def refuse_draft(job: DataSource) -> None:
    """Raise Unfinished for a draft."""
    if job.draft:
        raise Unfinished(f"The job “{job.name}” is a draft.", advice="Finish it with add-source and its draft_id.")


def named_row(configuration: ETLConfiguration, source_id: int | None, field: str) -> DataSource | None:
    """The job or draft of that id in a model, None without an id. Raises BadInput for ``field`` when there is none."""
    if source_id is None:
        return None
    found: DataSource | None = DataSource.objects.filter(configuration=configuration, id=source_id).first()
    if found is None:
        raise BadInput("There is no such job or draft in this model.", field=field, advice="Look it up in the list.")
    return found
