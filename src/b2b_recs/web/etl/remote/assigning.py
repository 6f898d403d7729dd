"""What a run's attempt needs to know, read in one go."""

from __future__ import annotations

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.etl.runner import CopyTask
from b2b_recs.engine.etl.spec import CopySpec
from b2b_recs.engine.sources.registry import source_type
from b2b_recs.runtime.home import Home
from b2b_recs.runtime.run_documents import Assignment, GuardRules
from b2b_recs.runtime.warehouse_mark import mark_of
from b2b_recs.web.connections.services import guard, with_secrets
from b2b_recs.web.etl.filled import note_filled
from b2b_recs.web.etl.models import ETLRun
from b2b_recs.web.runs.documents import parsed


def task_of(run_id: int) -> CopyTask:
    """The task of a run, which keeps the table it fills, with the secrets of its own connection.

    Call inside the organization's scope. Raises BadInput when the connection is switched off or the settings cannot
    be used.
    """
    run = ETLRun.objects.select_related(
        "data_source__connection", "data_source__configuration", "data_source__table"
    ).get(id=run_id)
    job = run.data_source
    connection = job.connection
    if not connection.enabled:
        raise BadInput(f"The connection “{connection.name}” is switched off.", advice="Switch it on, then run again.")
    secret_fields = source_type(connection.source_type).secret_fields
    parameters = with_secrets(connection)
    spec = parsed(CopySpec, job.table.spec, f"the job “{job.name}”")
    note_filled(run, spec)
    return CopyTask(
        run_id=run.id,
        job_id=job.id,
        organization_id=run.organization_id,
        model_id=job.configuration.model_id,
        connection=connection.name,
        connection_id=connection.id,
        source_type=connection.source_type,
        parameters={name: value for name, value in parameters.items() if name not in secret_fields},
        secrets={name: value for name, value in parameters.items() if name in secret_fields},
        spec=spec,
    )


def assignment_of(run_id: int, attempt: int) -> Assignment:
    """A run as it is handed to a runner elsewhere. Call inside the organization's scope. Raises BadInput."""
    rules = guard()
    return Assignment(
        attempt=attempt,
        stages=ETLRun.objects.get(id=run_id).stages,
        task=task_of(run_id),
        guard=GuardRules(
            enabled=rules.enabled,
            allowed=[str(network) for network in rules.allowed],
            own=list(rules.own),
            apart=rules.apart,
        ),
        warehouse=mark_of(Home.current().create().warehouse),
    )
