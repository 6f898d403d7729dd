"""Making, changing and deleting jobs, for pages, programs and project files. Call inside the organization's scope."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from django.db import transaction

from b2b_recs.engine.etl.spec import CopySpec
from b2b_recs.engine.sources.registry import SOURCE_TYPES
from b2b_recs.runtime.schedules import ScheduleSpec
from b2b_recs.web.conflicts import Conflict, InUse
from b2b_recs.web.connections.models import Connection
from b2b_recs.web.etl.checks import check_spec
from b2b_recs.web.etl.held_types import refuse_held
from b2b_recs.web.etl.models import DataSource, DataSourceTable, ETLConfiguration, ETLRun
from b2b_recs.web.names import naming, refuse_taken
from b2b_recs.web.projects.models import ModelEndpoint, Schedule
from b2b_recs.web.projects.schedules import set_schedule
from b2b_recs.web.runs.forgetting import forget_logs

# What a type notes of its origin, beside what it is.
_NOTED = ("source_type", "confidence", "reason", "warning")


class DestinationTaken(Conflict):
    """Another job fills the warehouse table already."""

    code: ClassVar[str] = "destination_taken"


def configuration_of(model: ModelEndpoint) -> ETLConfiguration:
    """The ETL settings of a model, made when it has none yet."""
    found, _ = ETLConfiguration.objects.get_or_create(
        model=model, defaults={"organization_id": model.organization_id, "time_zone": model.time_zone}
    )
    return found


def refuse_taken_name(configuration: ETLConfiguration, name: str, but: int | None = None) -> None:
    """Raise NameTaken when another job (or draft) of the model has the name; ``but`` is the id of the job itself."""
    refuse_taken(DataSource.objects.filter(configuration=configuration), name, "job", but)


def refuse_taken_destination(configuration: ETLConfiguration, spec: CopySpec, but: int | None = None) -> None:
    """Raise DestinationTaken when another job of the model fills the same warehouse table."""
    same = {
        "spec__destination_table__iexact": spec.destination_table,
        "spec__destination_dataset__iexact": spec.destination_dataset,
    }
    others = DataSourceTable.objects.filter(data_source__configuration=configuration, data_source__draft=False, **same)
    other = others.exclude(data_source_id=but).select_related("data_source").first()
    if other is not None:
        named = other.spec["destination_table"]
        told = "" if named == spec.destination_table else "; names that differ only in capitals are the same to SQL"
        raise DestinationTaken(
            f"The warehouse table {named} is already filled by the job “{other.data_source.name}”{told}.",
            field="destination_table",
            advice="Give this job another destination.",
        )


def create_job(
    configuration: ETLConfiguration, name: str, connection: Connection, spec: CopySpec, *, enabled: bool = True
) -> DataSource:
    """A new job with its table, all or nothing. Raises NameTaken, and BadInput for a copy that cannot be."""
    check_spec(spec, SOURCE_TYPES.get(connection.source_type))
    refuse_taken_name(configuration, name)
    refuse_held(configuration.model_id, spec)
    own = {"organization_id": configuration.organization_id}
    with naming("job", name):
        job = DataSource.objects.create(
            **own, configuration=configuration, connection=connection, name=name, enabled=enabled
        )
        DataSourceTable.objects.create(**own, data_source=job, spec=spec.model_dump(mode="json"))
    return job


def finish_draft(draft: DataSource, name: str, connection: Connection, spec: CopySpec, enabled: bool) -> DataSource:
    """Turn a draft into the job it was to become. Raises NameTaken, and BadInput for a copy that cannot be."""
    with transaction.atomic():
        change_job(draft, name=name, connection=connection, spec=spec, enabled=enabled)
        draft.draft = False
        draft.save(update_fields=["draft", "updated_at"])
    return draft


def change_job(job: DataSource, *, spec: CopySpec | None = None, **values: Any) -> dict[str, Any]:
    """Give a job these values (name, connection, enabled, and its copy); returns those that were different.

    Raises NameTaken, and BadInput for a copy that cannot be.
    """
    changed = {field: value for field, value in values.items() if getattr(job, field) != value}
    with naming("job", str(values.get("name", job.name))):
        for field, value in changed.items():
            setattr(job, field, value)
        if changed:
            job.save(update_fields=[*changed, "updated_at"])
        if spec is None:
            return changed
        check_spec(spec, SOURCE_TYPES.get(job.connection.source_type))
        document = spec.model_dump(mode="json")
        table, created = DataSourceTable.objects.get_or_create(
            data_source=job, defaults={"organization_id": job.organization_id, "spec": document}
        )
        _note_origins(document, table.spec)
        if created or table.spec != document:
            refuse_held(job.configuration.model_id, spec)
            table.spec = changed["spec"] = document
            table.save(update_fields=["spec"])
    return changed


def _note_origins(document: dict[str, Any], before: dict[str, Any]) -> None:
    """Keep what each type was chosen for, and why, where the new copy does not say it and chooses the same."""
    known = {one["name"]: one for one in before.get("types", ())}
    for one in document["types"]:
        kept = known.get(one["name"], {})
        said = {name: value for name, value in one.items() if name not in _NOTED}
        same_origin = kept and one["source_type"] in ("", kept.get("source_type", "")) and not one["reason"]
        if same_origin and all(kept.get(name) == value for name, value in said.items()):
            one.update({name: kept[name] for name in _NOTED if name in kept})


def schedule_job(job: DataSource, schedule: ScheduleSpec, paused: bool = False) -> bool:
    """Give a job its schedule; returns whether anything changed."""
    return set_schedule(job.organization_id, Schedule.Target.ETL, job.id, schedule, not paused, datetime.now(UTC))


def delete_job(job: DataSource) -> None:
    """Delete a job with its runs and its schedule; what it loaded stays. Raises InUse while a run is under way."""
    with transaction.atomic():
        DataSource.objects.select_for_update().get(id=job.id)
        if ETLRun.objects.filter(data_source=job, status__in=ETLRun.ACTIVE).exists():
            raise InUse(f"A run of the job “{job.name}” is under way.", advice="Cancel it, or wait until it ends.")
        Schedule.objects.filter(target_kind=Schedule.Target.ETL, target_id=job.id).delete()
        forget_logs(ETLRun.objects.filter(data_source=job))
        job.delete()
