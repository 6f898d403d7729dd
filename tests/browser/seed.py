"""Fills an installation's database for the browser tests: one model of each state. Prints what the tests need as JSON.

Run as a process of its own, under the database role of the worker, so that the tests' own process needs no Django.
"""

# ruff: noqa: E402 - Django has to be set up before its models are imported

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "b2b_recs.web.settings")
os.environ["B2B_RECS_ROLE"] = "worker"
django.setup()

import numpy as np
from django.utils import timezone
from seed_data import fill_warehouse
from seed_versions import add_version, keeper, measured, served

from b2b_recs.engine.algorithms.registry import make_algorithm
from b2b_recs.engine.artifacts.bundle import write_bundle
from b2b_recs.engine.artifacts.store import ArtifactStore
from b2b_recs.engine.datasets.interactions import Interactions
from b2b_recs.engine.serving.traffic import EDGES_MS
from b2b_recs.runtime.home import Home
from b2b_recs.web.accounts.bootstrap import ensure_owner
from b2b_recs.web.accounts.models import Membership, Organization, User
from b2b_recs.web.accounts.sign_in_links import create_link
from b2b_recs.web.connections.models import Connection
from b2b_recs.web.connections.services import save_connection
from b2b_recs.web.datasets.models import Dataset, DatasetVersion
from b2b_recs.web.deployments.models import Deployment
from b2b_recs.web.deployments.pointers import sync_pointers
from b2b_recs.web.etl.drafts import save_draft
from b2b_recs.web.etl.models import DataSource, DataSourceTable, ETLConfiguration, ETLRun
from b2b_recs.web.experiments.models import Experiment, TrainedModel
from b2b_recs.web.monitoring.models import PredictionLog
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.runs.models import RunLogLine
from b2b_recs.web.tenancy import operating, scope
from b2b_recs.web.training.models import PipelineConfiguration, PipelineRun

NOW = timezone.now()
DAY_US = 86_400_000_000
PRODUCTS = ("White hanging heart holder", "Red woolly hottie", "Glass star T-light holder", "Jumbo bag red retrospot",
            "Regency cakestand 3 tier", "Party bunting", "Lunch bag black skull", "Set of 3 cake tins")  # fmt: skip

BEATS_BUY_AGAIN = {"model": "user_knn", "other": "buy_again", "segment": "all", "metric": "ndcg@10",
                   "difference": {"value": 0.039, "low": 0.029, "high": 0.05}}  # fmt: skip


def interactions() -> Interactions:
    """Six customers who reorder, over half a year that ends today."""
    now = int(NOW.timestamp() * 1_000_000)
    generator = np.random.default_rng(7)
    rows = [
        (order * 6 + customer, customer, product, now - (170 - 28 * order + customer) * DAY_US)
        for customer in range(6)
        for order in range(6)
        for product in generator.choice(len(PRODUCTS), 3, replace=False)
    ]
    rows.sort(key=lambda row: row[3])
    order, customer, product, moment = (np.array(column) for column in zip(*rows, strict=True))
    return Interactions(
        customer=customer.astype(np.int32),
        product=product.astype(np.int32),
        order=order.astype(np.int32),
        time=moment.astype(np.int64),
        revenue=np.full(len(rows), 12.5),
        quantity=np.full(len(rows), 6.0),
        customer_ids=np.array([f"178{number}" for number in range(50, 56)]),
        product_ids=np.array([f"85{number}A" for number in range(123, 131)]),
        product_names=np.array(PRODUCTS),
        product_categories=np.array(["Home"] * len(PRODUCTS)),
        customer_names=np.array(["Ash Trading", "Beech Gifts", "Cedar & Co", "Dogwood", "Elm House", "Fir Retail"]),
    )


def stages(names: tuple[str, ...], running: str = "", failed: str = "") -> list[dict[str, object]]:
    """Stages done up to the one running or failed, waiting after it."""
    found, reached = [], False
    for position, name in enumerate(names):
        state = "waiting" if reached else "done"
        if name in (running, failed):
            state, reached = ("running" if name == running else "failed"), True
        began = NOW - timedelta(minutes=12, seconds=40 - 2 * position)
        found.append(
            {
                "name": name,
                "state": state,
                "detail": "",
                "started_at": began.isoformat() if state != "waiting" else None,
            }
            | ({"seconds": 1.4, "finished_at": NOW.isoformat()} if state == "done" else {})
        )
    return found


COPIES = (("order lines", 541_909, 0), ("products", 4_070, 0), ("customers", 4_372, 12))  # name, rows, rejected
COPY = ("connect", "read", "load", "reconcile")
PIPELINE = ("copy", "dataset", "train", "evaluate", "register", "deploy")


def log(organization: Organization, run: ETLRun | PipelineRun, *lines: tuple[str, str]) -> None:
    """Lines of a run's log."""
    for level, message in lines:
        RunLogLine.objects.create(
            organization=organization, run_kind=run.KIND, run_id=run.id, level=level, message=message
        )


def job(organization: Organization, model: ModelEndpoint, connection: Connection, name: str, rows: int) -> DataSource:
    """A job with its table."""
    configuration, _ = ETLConfiguration.objects.get_or_create(organization=organization, model=model)
    source = DataSource.objects.create(
        organization=organization, configuration=configuration, connection=connection, name=name
    )
    DataSourceTable.objects.create(
        organization=organization,
        data_source=source,
        spec=copy_of(name.replace(" ", "_")),
        last_row_count=rows or None,
        last_synced_at=NOW - timedelta(minutes=12) if rows else None,
    )
    return source


def copy_of(table: str) -> dict[str, object]:
    """What the job of a table copies."""
    load: dict[str, object] = {"strategy": "catalog"}
    if table == "order_lines":
        load = {"strategy": "transactional", "cursor": "ordered_at", "key": ["order_id", "line_no"]}
    elif table == "products":
        load = {"strategy": "merge", "cursor": "launched_on", "key": ["product_id"]}
    return {"source_schema": "public", "source_table": table, "destination_table": f"bq_{table}", "load": load}


def experiments(organization: Organization, pipeline: PipelineRun) -> None:
    """What every algorithm reached."""
    figures = {"user_knn": (0.381, 0.372, 0.39), "buy_again": (0.342, 0.333, 0.351), "ials": (0.323, 0.314, 0.333),
               "ease": (0.288, 0.28, 0.297), "popular": (0.137, 0.131, 0.144)}  # fmt: skip
    for algorithm, (value, low, high) in figures.items():
        metrics = {"all": {"ndcg@10": {"value": value, "low": low, "high": high}}}
        Experiment.objects.create(
            organization=organization, pipeline_run=pipeline, algorithm=algorithm, metrics=metrics, seconds=1.2
        )


def copied_before(organization: Organization, jobs: dict[str, DataSource]) -> None:
    """A month of nightly copies, two of them refused."""
    for days in range(29, 0, -1):
        for position, source in enumerate(jobs.values()):
            began = NOW - timedelta(days=days, minutes=position)
            rows = 0 if days in (9, 23) and not position else (620, 124, 40)[position] + days % 7 * 40
            ended: dict[str, Any] = {"status": "completed", "stages": stages(COPY)}
            if not rows:
                ended = {"status": "failed", "stages": stages(COPY, failed="connect"), "error_code": "connection_lost"}
            ETLRun.objects.create(
                organization=organization, data_source=source, attempt=1, triggered_by="schedule", rows_read=rows,
                rows_loaded=rows, bytes=rows * 90, created_at=began, started_at=began,
                finished_at=began + timedelta(seconds=20 + days % 5), **ended,
            )  # fmt: skip


def copied_now(common: dict[str, Any], jobs: dict[str, DataSource], pipeline: PipelineRun) -> int:
    """The copies of the last training, one with rejected rows; returns the last one's id."""
    number = 0
    for name, rows, rejected in COPIES:
        run = ETLRun.objects.create(
            **common, data_source=jobs[name], pipeline_run=pipeline,
            status="partial" if rejected else "completed", stages=stages(COPY), rows_read=rows,
            rows_loaded=rows - rejected, rows_rejected=rejected, bytes=rows * 90, triggered_by="pipeline",
            results={
                "source_count": rows, "warehouse_count": rows - rejected, "rows_rejected": rejected,
                "rejected_example": "joined_at: 0000-00-00 is not a date" if rejected else "",
                "reconciled": True, "table_version": 0,
            },
            started_at=NOW - timedelta(minutes=13), finished_at=NOW - timedelta(minutes=12),
        )  # fmt: skip
        told = ("warning" if rejected else "info", f"{rows:,} rows read")
        log(common["organization"], run, ("info", "Connected to shop"), told)
        number = run.id
    return number


def fitted_artifact() -> str:
    """The id of what a training wrote."""
    data, moment = interactions(), int(NOW.timestamp() * 1_000_000)
    fitted = make_algorithm("buy_again").fit(data, moment)
    return write_bundle(ArtifactStore(Home.current().artifacts), fitted, data, now=moment, trained_at=NOW)


def versions(model: ModelEndpoint, pipeline: PipelineRun) -> TrainedModel:
    """Three versions of the model with what they learnt from; returns the newest."""
    organization = model.organization
    dataset = Dataset.objects.create(organization=organization, model=model, name="purchases")
    version = DatasetVersion.objects.create(
        organization=organization, dataset=dataset, number=7, fingerprint="f" * 64, rows=397_884, customers=4_338,
        products=3_665, last_at=NOW,
    )  # fmt: skip
    artifact = fitted_artifact()
    until = round(NOW.timestamp() * 1_000_000)
    period = {"cut": until - 18 * 86_400_000_000, "until": until}
    trained: TrainedModel = TrainedModel.objects.create(
        organization=organization, model=model, number=12, algorithm="user_knn", artifact_id=artifact,
        dataset_version=version, pipeline_run=pipeline, status="deployed", created_at=NOW - timedelta(hours=2),
        metrics={"test_days": 18, "test_customers": 1011, "period": period, "learnt_until": until,
                 "comparisons": [BEATS_BUY_AGAIN], **measured(0.381)},
    )  # fmt: skip
    earlier = add_version(model, 11, 0.384, artifact, version, NOW, status="retired")
    add_version(model, 10, 0.352, artifact, version, NOW)
    served(earlier, NOW - timedelta(days=9), NOW - timedelta(hours=2))
    return trained


def in_service(trained: TrainedModel) -> None:
    """The version answers, with an hour of requests."""
    own = {"organization": trained.organization, "model": trained.model}
    deployment = Deployment.objects.create(
        **own, trained_model=trained, artifact_id=trained.artifact_id, status="active", gate=trained.metrics["gate"]
    )
    counts = [0] * (len(EDGES_MS) + 1)
    counts[35] = 1_240
    PredictionLog.objects.create(
        **own, deployment=deployment, window_start=NOW - timedelta(hours=1), window_end=NOW, requests=1_240,
        predictions=12_400, mean_latency_ms=3.1, latency={"counts": counts},
    )  # fmt: skip


def live_model(organization: Organization, user: User) -> ModelEndpoint:
    """A model that answers."""
    model = ModelEndpoint.objects.create(
        organization=organization, name="Giftware wholesale", description="Gifts for shops", currency="GBP",
        time_zone="Europe/London", status="active", endpoint_active=True, created_by=user,
    )  # fmt: skip
    shop = shop_of(model)
    common = {"organization": organization, "started_by": user, "attempt": 1}
    pipeline = PipelineRun.objects.create(
        **common, model=model, status="completed", stages=stages(PIPELINE), created_at=NOW - timedelta(minutes=14),
        started_at=NOW - timedelta(minutes=13), finished_at=NOW - timedelta(minutes=11),
    )  # fmt: skip
    jobs = {name: job(organization, model, shop, name, rows) for name, rows, _ in COPIES}
    copied_before(organization, jobs)
    last = copied_now(common, jobs, pipeline)
    half_made(model, shop)
    fill_warehouse(Home.current().model_warehouse(model.id), NOW, last)
    log(organization, pipeline, ("info", "6 algorithms tried"), ("info", "User neighbours chosen"))
    PipelineConfiguration.objects.create(organization=organization, model=model, spec={"dataset": "purchases"})
    experiments(organization, pipeline)
    in_service(versions(model, pipeline))
    return model


def busy_model(organization: Organization, user: User, name: str = "Spare parts") -> ModelEndpoint:
    """A model in the middle of a run."""
    model = ModelEndpoint.objects.create(organization=organization, name=name, created_by=user)
    shop = connection_of(organization, model, Connection.TestStatus.NEVER)
    PipelineConfiguration.objects.create(organization=organization, model=model, spec={"dataset": "purchases"})
    pipeline = PipelineRun.objects.create(
        organization=organization, model=model, status="running", attempt=1, stages=stages(PIPELINE, running="copy"),
        started_by=user, started_at=NOW - timedelta(seconds=20),
    )  # fmt: skip
    run = ETLRun.objects.create(
        organization=organization, data_source=job(organization, model, shop, "order lines", 0), pipeline_run=pipeline,
        status="running", attempt=1, stages=stages(COPY, running="read"), rows_read=210_000, rows_expected=541_909,
        started_at=NOW - timedelta(seconds=20), triggered_by="pipeline",
    )  # fmt: skip
    log(organization, run, ("info", "Connected to shop"))
    return model


def failed_model(organization: Organization, user: User) -> ModelEndpoint:
    """A model whose source refuses."""
    model = ModelEndpoint.objects.create(organization=organization, name="Contracts", created_by=user)
    erp = connection_of(organization, model, Connection.TestStatus.FAILED)
    run = ETLRun.objects.create(
        organization=organization, data_source=job(organization, model, erp, "contracts", 0), status="failed",
        attempt=2, stages=stages(COPY, failed="connect"), started_by=user, error_code="authentication_refused",
        error="The password was refused by erp.example.com.", advice="Check user name and password, then run again.",
        started_at=NOW - timedelta(minutes=3), finished_at=NOW - timedelta(minutes=3),
    )  # fmt: skip
    log(organization, run, ("info", "Connecting to erp.example.com"), ("error", "The password was refused"))
    return model


def connection_of(organization: Organization, model: ModelEndpoint, tested: str) -> Connection:
    """A connection whose last test ended so."""
    return Connection.objects.create(
        organization=organization, model=model, name="shop", source_type="postgresql", last_test_status=tested
    )


def shop_of(model: ModelEndpoint) -> Connection:
    """The connection to the shop that is really there."""
    address = urlsplit(os.environ["BROWSER_SHOP"])
    typed = {"host": address.hostname, "port": address.port, "database": address.path.strip("/")}
    connection, _ = save_connection(
        model, "shop", "postgresql", {**typed, "username": address.username, "password": address.password}
    )
    tested = {"last_test_status": Connection.TestStatus.PASSED, "last_test_at": NOW, "last_test_message": ""}
    Connection.objects.filter(id=connection.id).update(**tested)
    return connection


def half_made(model: ModelEndpoint, shop: Connection) -> None:
    """A job whose wizard was left before its last step."""
    load = {"strategy": "merge", "cursor": "changed_at", "key": ["product_id", "valid_from"]}
    values = {"source_schema": "public", "source_table": "price_list", "destination_table": "bq_price_list"}
    values = {**values, "load": load}
    save_draft(ETLConfiguration.objects.get(model=model), None, "Price list", shop, 5, [1, 2, 3, 4], values)


def main() -> None:
    """Fill, and print the ids and sign-in links."""
    owner, organization, _ = ensure_owner()
    with operating():
        organization.name = "Northgate Supply"
        organization.save()
        viewer = User.objects.create_user("viewer@example.com")
        Membership.objects.create(organization=organization, user=viewer, role="viewer")
        for name in ("passkey", "app"):
            proving = User.objects.create_user(f"{name}@example.com", "correct horse battery")
            Membership.objects.create(organization=organization, user=proving, role="viewer")
        lonely = User.objects.create_user("lonely@example.com")
        empty = Organization.objects.create(name="Empty Ltd", slug="empty")
        Membership.objects.create(organization=empty, user=lonely, role="owner")
        both = User.objects.create_user("both@example.com", full_name="Both “Houses”")
        for place in (organization, empty):
            Membership.objects.create(organization=place, user=both, role="viewer")
        links = {name: [create_link(user) for _ in range(12)] for name, user in
                 (("owner", owner), ("viewer", viewer), ("lonely", lonely), ("both", both))}  # fmt: skip
    with scope(organization.id):
        models = [build(organization, owner) for build in (failed_model, busy_model, live_model)]
        ending, watched = (busy_model(organization, owner, name) for name in ("Ending soon", "Watched"))
        recent = ETLRun.objects.filter(created_at__gte=NOW - timedelta(hours=1)).order_by("id")
        runs = [(run.data_source.configuration.model_id, run.id) for run in recent]
        live = DataSource.objects.filter(configuration__model=models[2])
        jobs = {job.name: job.id for job in live}
        pipelines = [(run.model_id, run.id) for run in PipelineRun.objects.order_by("id")]
        artifact = Deployment.objects.values_list("artifact_id", flat=True).first()
    sync_pointers(organization.id)
    house = keeper(str(artifact), NOW)
    links["keeper"] = house.pop("links")
    print(json.dumps({
        "links": links, "keeper": house,
        "failed": models[0].id, "busy": models[1].id, "live": models[2].id, "ending": ending.id,
        "watched": watched.id,
        "runs": runs, "jobs": jobs, "shop": live[0].connection_id,
        "pipelines": pipelines, "home": str(Path(Home.current().root)),
    }))  # fmt: skip


main()
