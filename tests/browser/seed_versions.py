"""A company of its own for what is put into service and what is deleted. Used by ``seed.py``, in its process."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from b2b_recs.engine.warehouse.local import LocalWarehouse
from b2b_recs.runtime.home import Home
from b2b_recs.web.accounts.models import Membership, Organization, User
from b2b_recs.web.accounts.sign_in_links import create_link
from b2b_recs.web.connections.models import Connection
from b2b_recs.web.datasets.models import Dataset, DatasetVersion
from b2b_recs.web.deployments.models import Deployment
from b2b_recs.web.deployments.pointers import sync_pointers
from b2b_recs.web.experiments.models import TrainedModel
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.projects.services import create_model
from b2b_recs.web.tenancy import operating, scope

PASSED = "NDCG@10 is 0.{0} [0.372, 0.390]. It is better than “Popular”: +0.210 [+0.190, +0.230]."
WORSE = "It is worse than the model in service (Customers who buy alike): -0.031 [-0.040, -0.022]."
TOWNS = pa.table({"customer": ["17850", "17851", "17852"], "town": ["Hull", "York", None]})


def measured(value: float) -> dict[str, Any]:
    """The figures of a version and the verdict on it."""
    passed = value >= 0.38
    reason = PASSED.format(round(1000 * value)) if passed else WORSE
    return {
        "all": {"ndcg@10": {"value": value, "low": value - 0.009, "high": value + 0.009}}, "headline": "ndcg@10",
        "gate": {"passed": passed, "deploy": passed, "reasons": [reason]},
    }  # fmt: skip


def add_version(
    model: ModelEndpoint, number: int, value: float, artifact: str, version: DatasetVersion, now: datetime, **more: Any
) -> TrainedModel:
    """A version that was measured; its gate did not pass it when it is worse than .38."""
    trained: TrainedModel = TrainedModel.objects.create(
        organization_id=model.organization_id, model=model, number=number, algorithm="user_knn", artifact_id=artifact,
        dataset_version=version, created_at=now - timedelta(days=30 - number),
        metrics=measured(value),
        **more,
    )  # fmt: skip
    return trained


def served(trained: TrainedModel, since: datetime, until: datetime | None = None) -> None:
    """A version that was in service between two moments; without an end it is now."""
    Deployment.objects.create(
        organization_id=trained.organization_id, model=trained.model, trained_model=trained, deployed_at=since,
        artifact_id=trained.artifact_id, deactivated_at=until, gate=trained.metrics["gate"],
        status="retired" if until else "active",
    )  # fmt: skip


def keeper(artifact: str, now: datetime) -> dict[str, Any]:
    """The company, with a model of three versions and a table nobody needs, and a model that was archived."""
    with operating():
        user = User.objects.create_user("keeper@example.com", full_name="Kim Keeper")
        organization = Organization.objects.create(name="Keepers Ltd", slug="keepers")
        Membership.objects.create(organization=organization, user=user, role="owner")
        links = [create_link(user) for _ in range(12)]
    with scope(organization.id):
        model = create_model(organization, user, "Garden tools", currency="GBP", time_zone="Europe/London")
        old = create_model(organization, user, "Last year's range", currency="GBP", time_zone="Europe/London")
        ModelEndpoint.objects.filter(id=model.id).update(status="active", endpoint_active=True)
        ModelEndpoint.objects.filter(id=old.id).update(status="archived")
        Connection.objects.create(
            organization=organization, model=model, name="shop", source_type="postgresql", last_test_status="passed"
        )
        dataset = Dataset.objects.create(organization=organization, model=model, name="purchases")
        version = DatasetVersion.objects.create(
            organization=organization, dataset=dataset, number=3, fingerprint="e" * 64, rows=41_203, customers=512,
            products=1_890, last_at=now, table_versions={"bq_order_lines": 12, "bq_products": 4},
        )  # fmt: skip
        first, second, _ = (
            add_version(model, number, value, artifact, version, now, status=status)
            for number, value, status in ((1, 0.381, "retired"), (2, 0.392, "deployed"), (3, 0.361, "candidate"))
        )
        served(first, now - timedelta(days=29), now - timedelta(days=28))
        served(second, now - timedelta(days=28))
    for number in (model.id, old.id):
        tables = LocalWarehouse(Home.current().model_warehouse(number))
        tables.table("raw_data", "bq_towns").append(TOWNS)
    sync_pointers(organization.id)
    return {"links": links, "model": model.id, "archived": old.id}
