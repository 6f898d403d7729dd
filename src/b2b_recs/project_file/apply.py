"""Makes the database say what a project file says. Applying the same file twice changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.etl.spec import CopySpec
from b2b_recs.project_file.looking import found_specs, wanted_spec
from b2b_recs.project_file.reading import ReadFile, ResolvedConnection
from b2b_recs.project_file.scheduled import form_of
from b2b_recs.project_file.schedules import Schedule as ScheduleSetting
from b2b_recs.project_file.schema import JobSection, ModelSection, PipelineSection
from b2b_recs.web.accounts.models import Organization, User
from b2b_recs.web.connections.models import Connection
from b2b_recs.web.connections.services import read_named_secret, save_connection
from b2b_recs.web.datasets.models import Dataset
from b2b_recs.web.etl.jobs import change_job, create_job
from b2b_recs.web.etl.models import DataSource, ETLConfiguration
from b2b_recs.web.projects.models import ModelEndpoint, Schedule
from b2b_recs.web.projects.schedules import set_schedule
from b2b_recs.web.projects.services import create_model
from b2b_recs.web.tenancy import scope
from b2b_recs.web.training.models import PipelineConfiguration


class _Undo(Exception):
    """Ends a dry run; everything it wrote is rolled back."""


@dataclass(frozen=True, slots=True)
class Applied:
    """The model of a project file, what changed, and what the file no longer names, in words."""

    model: ModelEndpoint
    changes: list[str]
    kept: list[str]


def apply_project(
    organization_id: int,
    file: ReadFile,
    user: User | None = None,
    *,
    dry_run: bool = False,
    environment: Mapping[str, str] | None = None,
) -> Applied:
    """Create or update the model of a project file, all or nothing; ``dry_run`` only says what would change.

    Parts that the file no longer names are kept and reported: deleting is done on the pages, where it is confirmed.
    Raises ProjectFileRefused for a missing variable or a source that a job wants to ask and cannot, and BadInput naming
    the field.
    """
    applied: Applied | None = None
    resolved = file.connections(environment) if environment is not None else file.connections()
    found = found_specs(organization_id, file, resolved)
    try:
        with scope(organization_id), transaction.atomic():
            applied = _Application(organization_id, file, user, resolved, found).run()
            if dry_run:
                raise _Undo
    except _Undo:
        pass
    assert applied is not None
    return applied


class _Application:
    def __init__(
        self,
        organization_id: int,
        file: ReadFile,
        user: User | None,
        resolved: Mapping[str, ResolvedConnection],
        found: Mapping[str, CopySpec],
    ) -> None:
        self.organization_id = organization_id
        self.file = file
        self.project = file.project
        self.user = user
        self.resolved = resolved
        self.found = found
        self.changes: list[str] = []
        self.now = datetime.now(UTC)

    def run(self) -> Applied:
        self.model = self._model(self.project.model)
        connections = {name: self._connection(name, one) for name, one in self.resolved.items()}
        configuration, _ = ETLConfiguration.objects.get_or_create(
            model=self.model,
            defaults={"organization_id": self.organization_id, "time_zone": self.model.time_zone},
        )
        for name, job in self.project.jobs.items():
            self._job(configuration, name, job, connections)
        datasets = {
            name: self._dataset(name, spec.model_dump(mode="json")) for name, spec in self.project.datasets.items()
        }
        if self.project.pipeline is not None:
            self._pipeline(self.project.pipeline, datasets)
        return Applied(self.model, self.changes, self._kept(configuration))

    def _model(self, section: ModelSection) -> ModelEndpoint:
        model = ModelEndpoint.objects.filter(name__iexact=section.name).first()
        if model is None:
            self.changes.append(f"model “{section.name}” created")
            return create_model(
                Organization.objects.get(id=self.organization_id),
                self.user,
                section.name,
                description=section.description,
                currency=section.currency,
                time_zone=section.time_zone,
            )
        return self._update(model, f"model “{section.name}”", section.model_dump())

    def _connection(self, name: str, wanted: ResolvedConnection) -> Connection:
        stored = {key: read_named_secret(self.organization_id, secret) for key, secret in wanted.stored.items()}
        connection, changes = save_connection(
            self.model,
            name,
            wanted.type,
            {**wanted.parameters, **wanted.secrets, **stored},
            references=wanted.references,
        )
        self.changes += changes
        return connection

    def _job(
        self, configuration: ETLConfiguration, name: str, section: JobSection, connections: dict[str, Connection]
    ) -> None:
        spec = self.found.get(name) or wanted_spec(self.file, section, self.model.time_zone)
        what, connection = f"job “{name}”", connections[section.connection]
        job = DataSource.objects.filter(configuration=configuration, name=name).first()
        if job is None:
            job = create_job(configuration, name, connection, spec, enabled=section.enabled)
            self.changes.append(f"{what} created: {section.table} → {section.destination}")
        else:
            self._tell(what, change_job(job, connection=connection, enabled=section.enabled, spec=spec))
        self._schedule(what, Schedule.Target.ETL, job.id, section.schedule, self.model.time_zone)

    def _dataset(self, name: str, document: dict[str, Any]) -> Dataset:
        dataset = Dataset.objects.filter(model=self.model, name=name).first()
        if dataset is None:
            self.changes.append(f"dataset “{name}” created")
            return Dataset.objects.create(
                organization_id=self.organization_id, model=self.model, name=name, spec=document
            )
        return self._update(dataset, f"dataset “{name}”", {"spec": document})

    def _pipeline(self, section: PipelineSection, datasets: dict[str, Dataset]) -> None:
        dataset = (
            datasets.get(section.dataset) or Dataset.objects.filter(model=self.model, name=section.dataset).first()
        )
        if dataset is None:
            raise BadInput(f"There is no dataset “{section.dataset}”.", field="pipeline.dataset")
        document = {"dataset": dataset.name, **section.training_spec().model_dump(mode="json")}
        configuration = PipelineConfiguration.objects.filter(model=self.model).first()
        if configuration is None:
            PipelineConfiguration.objects.create(organization_id=self.organization_id, model=self.model, spec=document)
            self.changes.append("pipeline created")
        else:
            self._update(configuration, "pipeline", {"spec": document})
        self._schedule("pipeline", Schedule.Target.PIPELINE, self.model.id, section.schedule, self.model.time_zone)

    def _schedule(self, what: str, kind: str, target_id: int, wanted: ScheduleSetting, time_zone: str) -> None:
        if form_of(kind, target_id, time_zone) == wanted:
            return
        if set_schedule(self.organization_id, kind, target_id, wanted.spec(time_zone), not wanted.paused, self.now):
            self.changes.append(f"{what}: schedule is now {wanted.words.lower()}")

    def _update(self, row: Any, what: str, values: dict[str, Any]) -> Any:
        """Set what differs, save once, and say which fields changed."""
        changed = {field: value for field, value in values.items() if getattr(row, field) != value}
        if changed:
            for field, value in changed.items():
                setattr(row, field, value)
            self._tell(what, changed)
            row.save()
        return row

    def _tell(self, what: str, changed: Mapping[str, Any]) -> None:
        for field, value in changed.items():
            shown = "changed" if isinstance(value, dict) else f"is now {value}"
            self.changes.append(f"{what}: {field.replace('spec', 'definition')} {shown}")

    def _kept(self, configuration: ETLConfiguration) -> list[str]:
        parts = (
            ("connection", Connection.objects.filter(model=self.model), self.project.connections),
            ("job", DataSource.objects.filter(configuration=configuration), self.project.jobs),
            ("dataset", Dataset.objects.filter(model=self.model), self.project.datasets),
        )
        return [
            f"{what} “{row.name}” is not in the file and was kept"
            for what, rows, named in parts
            for row in rows
            if row.name not in named
        ]
