"""A small shop's model for tests of runs: two jobs, a dataset, a pipeline, and trained models on demand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection, connections

from b2b_recs.web.accounts.models import Membership, Organization, Role, User
from b2b_recs.web.connections.models import Connection
from b2b_recs.web.datasets.models import Dataset, DatasetVersion
from b2b_recs.web.etl.models import DataSource, DataSourceTable, ETLConfiguration
from b2b_recs.web.experiments.models import TrainedModel
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.tenancy import operating
from b2b_recs.web.training.models import PipelineConfiguration, PipelineRun

GATE = {"passed": True, "deploy": True, "reasons": ["Better than what is in service."]}


@dataclass
class Shop:
    """An organization with one model, its jobs and its pipeline."""

    organization: Organization
    user: User
    model: ModelEndpoint
    connection: Connection
    etl: ETLConfiguration
    jobs: list[DataSource]
    dataset: Dataset | None

    @property
    def id(self) -> int:
        """The organization's id."""
        return self.organization.id

    def add_job(self, name: str, **fields: Any) -> DataSource:
        """One more job with its table; call inside a scope."""
        own = {"organization": self.organization}
        job = DataSource.objects.create(**own, configuration=self.etl, connection=self.connection, name=name, **fields)
        spec = {"source_schema": "public", "source_table": name, "destination_table": f"bq_{name}"}
        DataSourceTable.objects.create(**own, data_source=job, spec=spec)
        self.jobs.append(job)
        return job

    def trained(self, number: int, run: PipelineRun | None = None) -> TrainedModel:
        """One more version of the model; call inside a scope."""
        version, _ = DatasetVersion.objects.get_or_create(
            organization=self.organization,
            dataset=self.dataset,
            number=1,
            defaults={"fingerprint": "f" * 64, "last_at": datetime(2026, 2, 1, tzinfo=UTC)},
        )
        return TrainedModel.objects.create(
            organization=self.organization,
            model=self.model,
            pipeline_run=run,
            number=number,
            algorithm="popular",
            artifact_id=f"{number:064d}",
            dataset_version=version,
            metrics={"gate": GATE, "warnings": []},
        )


def make_shop(name: str = "Acme", jobs: tuple[str, ...] = ("orders", "products"), pipeline: bool = True) -> Shop:
    """A shop of that name; without ``pipeline`` nothing is configured to train."""
    with operating():
        organization = Organization.objects.create(name=name, slug=name.lower())
        own = {"organization": organization}
        user = User.objects.create_user(f"owner@{name.lower()}.example")
        Membership.objects.create(organization=organization, user=user, role=Role.OWNER)
        model = ModelEndpoint.objects.create(**own, name=f"Model of {name}", created_by=user)
        source = Connection.objects.create(**own, model=model, name="shop", source_type="postgresql", parameters={})
        etl = ETLConfiguration.objects.create(**own, model=model)
        shop = Shop(organization, user, model, source, etl, [], None)
        for job in jobs:
            shop.add_job(job)
        if pipeline:
            shop.dataset = Dataset.objects.create(**own, model=model, name="purchases", spec={})
            PipelineConfiguration.objects.create(**own, model=model, spec={"dataset": "purchases"})
        return shop


def queued(task: str | None = None) -> list[tuple[str, int, str]]:
    """Task, run and status of every job of the queue, in order."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT task_name, (args->>'run_id')::int, status::text FROM procrastinate_jobs ORDER BY id")
        rows = [(str(name), int(run), str(status)) for name, run, status in cursor.fetchall()]
    return [row for row in rows if task in (None, row[0])]


def finish_all() -> None:
    """Let the queue believe that its workers have ended the jobs they had in hand."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'succeeded' WHERE status = 'doing'")


@contextmanager
def without_pool() -> Iterator[None]:
    """Connections as the worker and its children have them: none is kept for others."""
    connections.close_all()
    connections["default"].close_pool()
    options = connections.settings["default"]["OPTIONS"]
    pool = options.pop("pool", None)
    yield
    connections.close_all()
    if pool is not None:
        options["pool"] = pool


def begin(task: str, run_id: int) -> None:
    """Let the queue believe that a worker has that job in hand."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE procrastinate_jobs SET status = 'doing' WHERE task_name = %s AND (args->>'run_id')::int = %s",
            [task, run_id],
        )
