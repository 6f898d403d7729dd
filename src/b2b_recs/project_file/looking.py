"""What the jobs of a project file that ask for it find out from the values of their sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from b2b_recs.engine.errors import EngineError
from b2b_recs.engine.etl.spec import CopySpec
from b2b_recs.engine.sources.registry import SOURCE_TYPES
from b2b_recs.project_file.reading import ReadFile, ResolvedConnection
from b2b_recs.project_file.schema import JobSection
from b2b_recs.web.connections.services import opener_of, read_named_secret
from b2b_recs.web.connections.testing import ask
from b2b_recs.web.etl.models import DataSource
from b2b_recs.web.etl.sourcing import held_columns, settled_by
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.tenancy import scope


@dataclass(frozen=True, slots=True)
class _Before:
    """What the installation holds of a job: its copy, and the columns of its warehouse table."""

    spec: CopySpec | None
    held: frozenset[str]
    connection: str = ""


def wanted_spec(file: ReadFile, section: JobSection, time_zone: str) -> CopySpec:
    """What a section asks to be copied; times without a zone are the model's where it says nothing of them."""
    spec = section.copy_spec(file.project.schemas(section))
    return spec if "time_zone" in section.model_fields_set else spec.model_copy(update={"time_zone": time_zone})


def found_specs(
    organization_id: int, file: ReadFile, connections: Mapping[str, ResolvedConnection]
) -> dict[str, CopySpec]:
    """The copy of each job that asks for detection, with the types and names its source's values lead to, by job.

    The source is asked until the first run has filled the warehouse table; from then on what was found stays. What
    the file says itself always wins. Asks outside every transaction, so call it before one is begun.
    Raises ProjectFileRefused for a source that cannot be asked or whose table does not fit the job.
    """
    found = {}
    for name, section in file.project.jobs.items():
        if section.detect:
            wanted = wanted_spec(file, section, file.project.model.time_zone)
            before = _before(organization_id, file, name, wanted)
            if before.held and before.spec is not None and _same_place(before, section, wanted):
                found[name] = _kept(wanted, before.spec)
            else:
                found[name] = _asked(organization_id, file, name, connections[section.connection], before.held)
    return found


def _before(organization_id: int, file: ReadFile, name: str, wanted: CopySpec) -> _Before:
    with scope(organization_id):
        model = ModelEndpoint.objects.filter(name__iexact=file.project.model.name).first()
        if model is None:
            return _Before(None, frozenset())
        jobs = DataSource.objects.filter(configuration__model=model, name=name, draft=False)
        job = jobs.select_related("connection", "table").first()
        spec = None if job is None else CopySpec.model_validate(job.table.spec)
        return _Before(spec, held_columns(model.id, wanted), "" if job is None else job.connection.name)


def _same_place(before: _Before, section: JobSection, wanted: CopySpec) -> bool:
    assert before.spec is not None
    same = (before.connection, before.spec.source_table, before.spec.destination_table)
    schemas = {before.spec.source_schema, ""}
    return same == (section.connection, wanted.source_table, wanted.destination_table) and (
        wanted.source_schema in schemas
    )


def _kept(wanted: CopySpec, before: CopySpec) -> CopySpec:
    """The copy the file asks for, with the types and names that were found for what it says nothing of."""
    said = {mapping.name for mapping in wanted.types}
    copied = set(wanted.columns)
    types = [one for one in before.types if one.name not in said and (not copied or one.name in copied)]
    changes = {
        "source_schema": before.source_schema,
        "types": (*wanted.types, *types),
        "names": {**before.names, **wanted.names},
    }
    return wanted.model_copy(update=changes)


def _asked(
    organization_id: int, file: ReadFile, name: str, connection: ResolvedConnection, held: frozenset[str]
) -> CopySpec:
    section = file.project.jobs[name]
    wanted = wanted_spec(file, section, file.project.model.time_zone)
    with scope(organization_id):
        stored = {key: read_named_secret(organization_id, secret) for key, secret in connection.stored.items()}
    parameters = {**connection.parameters, **connection.secrets, **stored}
    try:
        return ask(
            opener_of(connection.type, parameters, organization_id),
            settled_by(SOURCE_TYPES[connection.type], wanted, held),
        )
    except EngineError as error:
        advice = error.advice or "Check the connection."
        raise file.refusal(
            ("jobs", name, "detect"), error.message, f"{advice} Or leave detect out; then nothing is asked."
        ) from error
