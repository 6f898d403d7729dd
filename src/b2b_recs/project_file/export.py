"""Writes a model back as a project file; applying the result changes nothing."""

from __future__ import annotations

from typing import Any

from b2b_recs.engine.datasets.spec import DatasetSpec
from b2b_recs.engine.etl.spec import CopySpec
from b2b_recs.engine.training.spec import TrainingSpec
from b2b_recs.project_file.scheduled import form_of
from b2b_recs.project_file.schema import JobSection, PipelineSection, ProjectFile
from b2b_recs.project_file.writing import write_project
from b2b_recs.web.connections.models import Connection
from b2b_recs.web.connections.services import secret_fields_set
from b2b_recs.web.datasets.models import Dataset
from b2b_recs.web.etl.models import DataSource
from b2b_recs.web.projects.models import ModelEndpoint, Schedule
from b2b_recs.web.training.models import PipelineConfiguration


def export_project(model: ModelEndpoint) -> str:
    """The model as YAML. Secrets appear by reference only. Call inside the organization's scope."""
    return write_project(project_of(model))


def project_of(model: ModelEndpoint) -> ProjectFile:
    """The model as a checked project file."""
    jobs = DataSource.objects.filter(configuration__model=model, draft=False).select_related("connection", "table")
    document: dict[str, Any] = {
        "version": 1,
        "model": {
            "name": model.name,
            "description": model.description,
            "currency": model.currency,
            "time_zone": model.time_zone,
        },
        "connections": {one.name: _connection(one) for one in Connection.objects.filter(model=model).order_by("id")},
        "jobs": {job.name: _job(job, model) for job in jobs.order_by("id")},
        "datasets": {
            dataset.name: DatasetSpec.model_validate(dataset.spec)
            for dataset in Dataset.objects.filter(model=model).order_by("id")
        },
    }
    pipeline = PipelineConfiguration.objects.filter(model=model).first()
    if pipeline is not None:
        settings = dict(pipeline.spec)
        dataset_name = settings.pop("dataset")
        spec = TrainingSpec.model_validate(settings)
        schedule = form_of(Schedule.Target.PIPELINE, model.id, model.time_zone)
        document["pipeline"] = PipelineSection.of(dataset_name, spec, schedule)
    return ProjectFile.model_validate(document)


def _connection(connection: Connection) -> dict[str, Any]:
    """Plain parameters as they are; what came by reference, and every secret, by reference."""
    secrets = {
        field: {"env": _variable(connection.name, field)}
        for field in secret_fields_set(connection)
        if field not in connection.references
    }
    return {"type": connection.source_type, **connection.parameters, **secrets, **connection.references}


def _variable(connection: str, field: str) -> str:
    letters = [letter if letter.isascii() and letter.isalnum() else "_" for letter in f"{connection}_{field}".upper()]
    name = "".join(letters)
    return f"_{name}" if name[0].isdigit() else name


def _job(job: DataSource, model: ModelEndpoint) -> JobSection:
    spec = CopySpec.model_validate(job.table.spec)
    schedule = form_of(Schedule.Target.ETL, job.id, model.time_zone)
    section = JobSection.of(job.connection.name, spec, schedule, job.enabled)
    if spec.time_zone != model.time_zone:
        return section
    # follows the model, which a file says by leaving it out
    return JobSection.model_validate(section.model_dump(by_alias=True, exclude={"time_zone"}))
