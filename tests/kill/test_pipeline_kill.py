"""Kill -9 at every step of copy, train, register and deploy: nothing is lost, nothing doubled, the old one answers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from web_support import TestDatabase
from wholesale_orders import START, habitual_orders

from b2b_recs.engine.artifacts.store import ArtifactStore
from b2b_recs.engine.serving.pointers import read_pointer
from b2b_recs.engine.warehouse.local import LocalWarehouse
from b2b_recs.project_file.apply import apply_project
from b2b_recs.project_file.reading import parse_project
from b2b_recs.runtime.home import Home
from b2b_recs.web.accounts.models import Organization
from b2b_recs.web.datasets.models import DatasetVersion
from b2b_recs.web.deployments.models import Deployment
from b2b_recs.web.etl.models import ETLRun
from b2b_recs.web.experiments.models import Experiment, TrainedModel
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.runs.models import RunLogLine
from b2b_recs.web.tenancy import operating, scope
from b2b_recs.web.training.models import PipelineRun
from b2b_recs.web.training.services import start_pipeline

WORKER = Path(__file__).with_name("faulty_worker.py")
SECONDS = 240  # a limit for hopeless cases, not a measure
DAY = timedelta(days=1)
FIRST_DAYS = 160

PROJECT = """
version: 1
model: {name: Shop}
connections:
  shop: {type: postgresql, host: 127.0.0.1, port: {env: PORT}, database: kill_source, username: postgres,
         password: {env: PASSWORD}}
jobs:
  lines:
    connection: shop
    table: public.lines
    load: {transactional: {cursor: ordered_at, key: [line_id], backfill: all}}
datasets:
  purchases:
    base: bq_lines
    roles: {customer: customer, product: product, time: ordered_at, revenue: revenue, quantity: quantity,
            order: order_id}
pipeline:
  dataset: purchases
  algorithms: [popular, buy_again]
  split: {test_days: 20}
  deploy: always
"""

COPY_STEPS = (
    "copy.before_read", "copy.read", "copy.before_stage", "copy.before_journal", "copy.after_stage", "copy.after_read",
    "copy.settled", "copy.before_rejected", "copy.before_commit", "copy.after_commit",
)  # fmt: skip
PIPELINE_STEPS = (
    "train.before_write", "train.after_write", "pipeline.before_register", "pipeline.before_deploy",
    "pipeline.after_deploy",
)  # fmt: skip
# with these the worker itself is killed, and its child by the kernel
WORKER_STEPS = {"copy.before_commit", "copy.after_commit", "train.after_write", "pipeline.after_deploy"}


class Shop:
    """A source database with orders, and the model that learns from them."""

    def __init__(self, database: TestDatabase, server: Any, folder: Path) -> None:
        self.database, self.server, self.folder = database, server, folder
        self.plan = folder / "plan"
        self.plan.mkdir()
        self.log = folder / "worker.log"
        self.worker: subprocess.Popen[bytes] | None = None
        self.source = psycopg.connect(server.create_database("kill_source"), autocommit=True)
        self.source.execute(
            "CREATE TABLE lines (line_id bigint PRIMARY KEY, order_id text NOT NULL, customer text NOT NULL,"
            " product text NOT NULL, ordered_at timestamptz NOT NULL, quantity int NOT NULL, revenue numeric(12,2))"
        )
        orders = habitual_orders(customers=24, products=24, orders=8)
        self.lines = [
            (
                number,
                f"o{orders.order[number]}",
                str(orders.customer_ids[orders.customer[number]]),
                str(orders.product_ids[orders.product[number]]),
                datetime.fromtimestamp(int(orders.time[number]) / 1e6, UTC),
                int(orders.quantity[number]),
                float(orders.revenue[number]),
            )
            for number in range(len(orders))
        ]
        cut = datetime.fromtimestamp(START / 1e6, UTC) + FIRST_DAYS * DAY
        self.first = [line for line in self.lines if line[4] < cut]
        self.later = [line for line in self.lines if line[4] >= cut]
        with operating():
            self.organization = Organization.objects.create(name="Shop", slug="shop")
        environment = {"PORT": str(server.port), "PASSWORD": server.password}
        self.model: ModelEndpoint = apply_project(
            self.organization.id, parse_project(PROJECT), environment=environment
        ).model

    def insert(self, lines: list[tuple[Any, ...]]) -> None:
        with self.source.cursor() as cursor:
            cursor.executemany("INSERT INTO lines VALUES (%s, %s, %s, %s, %s, %s, %s)", lines)

    def start(self) -> PipelineRun:
        with scope(self.organization.id):
            return start_pipeline(self.model)

    def run_of(self, run: PipelineRun) -> PipelineRun:
        with scope(self.organization.id):
            found: PipelineRun = PipelineRun.objects.get(id=run.id)
            return found

    def kill_at(self, kind: str, steps: tuple[str, ...]) -> None:
        for step in steps:
            (self.plan / f"{kind}.{step}").write_text("worker" if step in WORKER_STEPS else "child")

    def keep_working(self) -> None:
        """Start a worker when none runs."""
        if self.worker is not None and self.worker.poll() is None:
            return
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("B2B_RECS_")},
            "B2B_RECS_HOME": os.environ["B2B_RECS_HOME"],
            "B2B_RECS_SECRET_KEY": os.environ["B2B_RECS_SECRET_KEY"],
            "B2B_RECS_SERVING_PORT": "9",  # nothing answers there
            "DATABASE_URL": self.database.control.owner,
            "DJANGO_SETTINGS_MODULE": "b2b_recs.web.settings",
        }
        with self.log.open("ab") as output:
            self.worker = subprocess.Popen(
                [sys.executable, str(WORKER), str(self.plan)], env=environment, stdout=output, stderr=output
            )

    def until_over(self, run: PipelineRun) -> Iterator[PipelineRun]:
        """The run as it is, again and again until it has ended; dead workers are replaced."""
        until = time.monotonic() + SECONDS
        while True:
            self.keep_working()
            now = self.run_of(run)
            yield now
            if now.is_over:
                return
            assert time.monotonic() < until, f"{now.stages}\n{self.log.read_text()[-6000:]}"
            time.sleep(0.2)

    def finish(self, run: PipelineRun) -> PipelineRun:
        for now in self.until_over(run):
            last = now
        assert last.status == "completed", f"{last.error}\n{last.stages}\n{self.log.read_text()[-6000:]}"
        return last

    def table(self) -> Any:
        home = Home.current()
        return LocalWarehouse(home.model_warehouse(self.model.id)).table("raw_data", "bq_lines")

    def answering(self) -> str:
        """The version the pointer file names; its artifact is whole."""
        home = Home.current()
        pointer = read_pointer(home.deployment_pointer(self.model.id))
        ArtifactStore(home.artifacts).open(pointer.artifact_id)
        return pointer.version

    def loaded(self) -> list[tuple[Any, ...]]:
        """The table of the warehouse, row by row, as the source would give it."""
        names = ["line_id", "order_id", "customer", "product", "ordered_at", "quantity", "revenue"]
        rows = self.table().read(columns=names).to_pylist()
        return sorted(tuple(float(row[name]) if name == "revenue" else row[name] for name in names) for row in rows)

    def close(self) -> None:
        if self.worker is not None:
            self.worker.terminate()
            self.worker.wait(20)
        self.source.close()
        self.server.drop_database("kill_source")


@pytest.fixture
def shop(platform_database: TestDatabase, role_server: Any, tmp_path: Path) -> Iterator[Shop]:
    Home.current().create()
    shop = Shop(platform_database, role_server, tmp_path)
    try:
        yield shop
    finally:
        shop.close()


@pytest.mark.slow
def test_killed_at_every_step_a_pipeline_still_ends_as_if_nothing_had_happened(shop: Shop) -> None:
    shop.insert(shop.first)
    shop.kill_at("etl", ("copy.before_forget",))  # not reached any more after a kill behind the commit
    first = shop.finish(shop.start())
    assert first.results["version"] == "v1"
    assert shop.loaded() == shop.first
    assert shop.answering() == "v1"

    shop.insert(shop.later)
    shop.kill_at("etl", COPY_STEPS)
    shop.kill_at("pipeline", PIPELINE_STEPS)
    second = shop.start()
    sizes, versions = set(), []
    for _ in shop.until_over(second):
        sizes.add(shop.table().row_count())
        versions.append(shop.answering())

    ended = shop.run_of(second)
    assert ended.status == "completed", f"{ended.error}\n{shop.log.read_text()[-6000:]}"
    assert [path.name for path in shop.plan.iterdir() if path.suffix != ".done"] == []
    # whole states only: the old table, then the new one; the old model, then the new one
    assert sizes <= {len(shop.first), len(shop.lines)}
    assert versions == sorted(versions)
    assert set(versions) <= {"v1", "v2"}
    assert shop.answering() == "v2"
    assert shop.loaded() == shop.lines
    check_records(shop, ended)


def check_records(shop: Shop, ended: PipelineRun) -> None:
    """One of everything, whatever was repeated."""
    with scope(shop.organization.id):
        copy = ETLRun.objects.get(pipeline_run=ended)
        assert (copy.status, copy.attempt) == ("completed", len(COPY_STEPS) + 1)
        assert copy.results["source_count"] == copy.results["warehouse_count"] >= len(shop.later)
        assert copy.results["reconciled"] is True
        assert copy.rows_loaded == len(shop.later)
        assert ended.attempt == len(PIPELINE_STEPS) + 1
        trained = TrainedModel.objects.get(pipeline_run=ended)
        assert trained.number == 2
        assert TrainedModel.objects.count() == 2
        measured = list(Experiment.objects.filter(pipeline_run=ended).values_list("algorithm", flat=True))
        assert len(measured) == len(set(measured)) >= 2
        assert DatasetVersion.objects.count() == 2
        assert trained.dataset_version.rows == len(shop.lines)
        assert Deployment.objects.get(status="active").trained_model_id == trained.id
        assert Deployment.objects.count() == 2
        assert ended.results["trained_model_id"] == trained.id
        assert [stage["state"] for stage in ended.stages] == ["done"] * 6
        said = RunLogLine.objects.filter(run_kind="etl", run_id=copy.id, message__startswith="Attempt ").count()
        assert said == len(COPY_STEPS)
