"""What a proof of the deployed model needs: what was measured, and the model that was measured, made again.

Call ``subject_of`` inside the organization's scope.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from b2b_recs.engine.artifacts.bundle import Recommender, open_bundle
from b2b_recs.engine.artifacts.store import ArtifactStore
from b2b_recs.engine.datasets.build import build_dataset
from b2b_recs.engine.datasets.spec import DatasetSpec
from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.training.proof import Tested, read_tested, write_tested_model
from b2b_recs.engine.warehouse.local import LocalWarehouse
from b2b_recs.runtime.home import Home
from b2b_recs.web.datasets.models import DatasetVersion
from b2b_recs.web.deployments.services import active_deployment, ask
from b2b_recs.web.experiments.models import TrainedModel
from b2b_recs.web.projects.models import ModelEndpoint

LIVE_LENGTH = 10


@dataclass(frozen=True, slots=True)
class Subject:
    """The deployed version of a model, the pinned data it learnt from, and what was measured."""

    model: ModelEndpoint
    trained: TrainedModel
    version: DatasetVersion
    tested: Tested


def subject_of(model: ModelEndpoint) -> Subject:
    """The deployed version with its evaluation. BadInput when nothing is deployed or nothing was kept to compare."""
    deployment = active_deployment(model)
    if deployment is None:
        raise BadInput(
            f"{model.name} has no deployed model yet.", advice="Run its pipeline first: b2b-recs run MODEL --wait"
        )
    trained = deployment.trained_model
    evaluation_id = trained.metrics.get("evaluation_artifact_id")
    version = DatasetVersion.objects.select_related("dataset").filter(id=trained.dataset_version_id).first()
    if evaluation_id is None or version is None:
        raise BadInput(
            f"Nothing was kept of the evaluation of v{trained.number}.", advice="Run the pipeline of the model again."
        )
    return Subject(model, trained, version, read_tested(ArtifactStore(Home.current().artifacts), evaluation_id))


def remake(subject: Subject, artifacts: Path) -> str:
    """The measured model, fitted again from the pinned tables into another artifact folder; the artifact's id.

    Raises BadInput when the tables no longer give the data that was measured.
    """
    version = subject.version
    build = build_dataset(
        DatasetSpec.model_validate(version.dataset.spec),
        LocalWarehouse(Home.current().model_warehouse(subject.model.id)),
        version.table_versions,
        time_zone=subject.model.time_zone,
    )
    if build.fingerprint != version.fingerprint:
        raise BadInput(
            f"The dataset {version.dataset.name} is no longer defined as it was for v{subject.trained.number}.",
            field="dataset",
            advice="Run the pipeline of the model again, then prove the new version.",
        )
    return write_tested_model(ArtifactStore(artifacts), build.interactions, subject.tested, datetime.now(UTC))


def live_differences(subject: Subject, customers: list[str]) -> list[str]:
    """The customers to whom the running endpoint gives another list than the deployed artifact ranked here.

    Call inside the scope. Raises what ``ask`` raises.
    """
    here = Recommender(open_bundle(ArtifactStore(Home.current().artifacts), subject.trained.artifact_id))
    differing = []
    for customer in customers:
        ranked = here.recommend(customer, LIVE_LENGTH)
        expected = [here.bundle.product_ids[int(index)] for index in ranked.products]
        answer = ask(subject.model, customer, LIVE_LENGTH)
        received: list[dict[str, Any]] = answer["recommendations"]
        same = [row["product_id"] for row in received[: len(expected)]] == expected
        rest_is_popular = all(row["list"] == "popular" for row in received[len(expected) :])
        version = answer["model_version"] == f"v{subject.trained.number}"
        if not (same and rest_is_popular and version and answer["known"] == ranked.known):
            differing.append(customer)
    return differing
