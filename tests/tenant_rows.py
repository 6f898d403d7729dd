"""People and rows for tests of tenancy: organizations with a member of every role and one row in every table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import models

from b2b_recs.web.accounts.models import ApiKey, Invitation, Membership, Organization, Role, User
from b2b_recs.web.api.models import KeptAnswer
from b2b_recs.web.connections.models import Connection, StoredSecret
from b2b_recs.web.datasets.models import Dataset, DatasetVersion
from b2b_recs.web.deployments.models import Deployment
from b2b_recs.web.etl.models import DataSource, DataSourceTable, ETLConfiguration, ETLRun
from b2b_recs.web.experiments.models import Experiment, TrainedModel
from b2b_recs.web.features.models import FeatureConfig
from b2b_recs.web.monitoring.models import PredictionLog, SystemMetrics
from b2b_recs.web.projects.models import ModelEndpoint, Removal, Schedule
from b2b_recs.web.runs.models import RunLogLine
from b2b_recs.web.tenancy import operating
from b2b_recs.web.training.models import PipelineConfiguration, PipelineRun

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class Tenant:
    """An organization, its people by role, and its rows by the name of their model."""

    organization: Organization
    people: dict[str, User]
    rows: dict[str, models.Model]

    @property
    def id(self) -> int:
        """The organization's id."""
        return self.organization.id

    def id_of(self, name: str) -> int:
        """The id of the row of that model."""
        return int(self.rows[name].pk)


def make_tenant(name: str) -> Tenant:
    """An organization of that name with a member of every role and one row in every table."""
    with operating():
        organization = Organization.objects.create(name=name, slug=name.lower())
        people = {}
        rows: dict[str, models.Model] = {}
        for role in Role.values:
            people[role] = User.objects.create_user(f"{role}@{name.lower()}.example")
            rows["Membership"] = Membership.objects.create(organization=organization, user=people[role], role=role)
        for row in _everything(organization, people["owner"]):
            rows[type(row).__name__] = row
    return Tenant(organization, people, rows)


def _everything(organization: Organization, user: User) -> list[models.Model]:
    own: dict[str, Any] = {"organization": organization}
    model = ModelEndpoint.objects.create(**own, name=f"Model of {organization.name}", created_by=user)
    of_model = {**own, "model": model}
    connection = Connection.objects.create(**of_model, name="shop", source_type="postgresql", parameters={"host": "db"})
    etl = ETLConfiguration.objects.create(**of_model)
    job = DataSource.objects.create(**own, configuration=etl, connection=connection, name="orders")
    pipeline_run = PipelineRun.objects.create(**of_model, started_by=user)
    dataset = Dataset.objects.create(**of_model, name="purchases")
    version = DatasetVersion.objects.create(**own, dataset=dataset, number=1, fingerprint="f" * 64)
    trained = TrainedModel.objects.create(
        **of_model, number=1, algorithm="popular", artifact_id="a" * 64, dataset_version=version
    )
    deployment = Deployment.objects.create(**of_model, trained_model=trained, artifact_id="a" * 64)
    hour = {"window_start": NOW, "window_end": NOW + timedelta(hours=1)}
    return [
        model, connection, etl, job, pipeline_run, dataset, version, trained, deployment,
        Invitation.objects.create(
            **own, email=f"guest@{organization.slug}.example", token_hash=f"{organization.id:064d}", expires_at=NOW
        ),
        ApiKey.objects.create(
            **own, name="shop", prefix=f"{organization.id:08d}", hash="0" * 64, scopes=["read"], model=model
        ),
        Schedule.objects.create(**own, target_kind="etl", target_id=job.id, cron="15 * * * *"),
        StoredSecret.objects.create(**own, name="secret", ciphertext=b"sealed"),
        DataSourceTable.objects.create(**own, data_source=job, spec={"source_table": "orders"}),
        ETLRun.objects.create(**own, data_source=job, pipeline_run=pipeline_run, started_by=user),
        RunLogLine.objects.create(**own, run_kind="etl", run_id=1, message=f"a line of {organization.name}"),
        FeatureConfig.objects.create(**of_model, name="plain"),
        PipelineConfiguration.objects.create(**of_model),
        Experiment.objects.create(**own, pipeline_run=pipeline_run, algorithm="popular"),
        PredictionLog.objects.create(**of_model, deployment=deployment, **hour),
        SystemMetrics.objects.create(**own, date=NOW.date()),
        Removal.objects.create(**own, kind="table", model_id=model.id, name="old", parts={}, removed_by=user),
        KeptAnswer.objects.create(**own, key="once", request_digest="0" * 64, status=201),
    ]  # fmt: skip
