"""Carries out one pipeline run in its own process: dataset → train → evaluate → register → deploy."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from b2b_recs.engine.algorithms.registry import ALGORITHMS
from b2b_recs.engine.artifacts.store import ArtifactStore
from b2b_recs.engine.datasets.build import build_dataset
from b2b_recs.engine.datasets.interactions import DatasetBuild
from b2b_recs.engine.datasets.spec import DatasetSpec
from b2b_recs.engine.faults import step
from b2b_recs.engine.training.pipeline import train
from b2b_recs.engine.training.result import InService
from b2b_recs.engine.training.spec import TrainingSpec
from b2b_recs.engine.warehouse.local import LocalWarehouse
from b2b_recs.runtime.home import Home
from b2b_recs.web.datasets.models import Dataset, DatasetVersion
from b2b_recs.web.deployments.services import active_deployment, deploy, wait_until_serving
from b2b_recs.web.experiments.models import TrainedModel
from b2b_recs.web.experiments.services import register
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.runs.attempts import DONE, carry_out, claim
from b2b_recs.web.runs.models import Run
from b2b_recs.web.runs.recorder import RunRecorder
from b2b_recs.web.tenancy import scope
from b2b_recs.web.training.models import PipelineConfiguration, PipelineRun


def execute(organization_id: int, run_id: int) -> int:
    """Take the next attempt at a pipeline run; returns the exit code for the worker."""
    attempt = claim(PipelineRun, organization_id, run_id, after=_after)
    if attempt is None:
        return DONE
    return carry_out(PipelineRun, attempt, lambda recorder: _work(organization_id, run_id, recorder), after=_after)


def _after(run: Run) -> None:
    """Nothing waits for a pipeline run."""


def _work(organization_id: int, run_id: int, recorder: RunRecorder) -> dict[str, Any]:
    with scope(organization_id):
        trained = TrainedModel.objects.filter(pipeline_run_id=run_id).first()
    if trained is None:  # otherwise an attempt before this one got as far as registering
        trained = _train(organization_id, run_id, recorder)
    deployed = _deploy(trained, recorder)
    return {
        "results": {
            "dataset_version_id": trained.dataset_version_id,
            "trained_model_id": trained.id,
            "version": f"v{trained.number}",
            "deployed": deployed,
            "gate": trained.metrics["gate"],
            "warnings": trained.metrics["warnings"],
        }
    }


def _train(organization_id: int, run_id: int, recorder: RunRecorder) -> TrainedModel:
    home = Home.current()
    with scope(organization_id):
        run = PipelineRun.objects.select_related("model").get(id=run_id)
        settings = dict(PipelineConfiguration.objects.get(model=run.model).spec)
        dataset = Dataset.objects.get(model=run.model, name=settings.pop("dataset"))
        pinned = DatasetVersion.objects.filter(id=run.results.get("dataset_version_id")).first()
        current = active_deployment(run.model)
        copies = list(run.etl_runs.order_by("id").values_list("id", flat=True))
    model = run.model
    # an attempt after the first reads the very table versions the first one read
    pins = pinned.table_versions if pinned else None
    recorder.stage("dataset", "running", dataset.name)
    spec = DatasetSpec.model_validate(dataset.spec)
    build = build_dataset(spec, LocalWarehouse(home.model_warehouse(model.id)), pins, time_zone=model.time_zone)
    version = _pin(organization_id, run_id, dataset, build)
    for filtered in build.steps:
        recorder.log(f"{filtered.name}: {filtered.rows_before:,} → {filtered.rows_after:,} rows")
    recorder.stage(
        "dataset",
        "done",
        f"{build.rows:,} rows, {build.interactions.customers:,} customers, {build.interactions.products:,} products",
    )
    in_service = None
    if current is not None:
        in_service = InService(algorithm=current.trained_model.algorithm, parameters=current.trained_model.parameters)
    result = train(
        build.interactions,
        TrainingSpec.model_validate(settings),
        ArtifactStore(home.artifacts),
        recorder,
        lambda: datetime.now(UTC),
        lineage={
            "pipeline_run": run_id,
            "etl_runs": copies,
            "dataset": dataset.name,
            "dataset_version": version.number,
            "dataset_fingerprint": build.fingerprint,
            "table_versions": build.table_versions,
        },
        in_service=in_service,
    )
    step("pipeline.before_register")
    with scope(organization_id):
        trained = register(run, version, result)
    recorder.stage("register", "done", f"v{trained.number}, {ALGORITHMS[trained.algorithm].title}")
    return trained


def _pin(organization_id: int, run_id: int, dataset: Dataset, build: DatasetBuild) -> DatasetVersion:
    """The version that names exactly what was read; the same content keeps its version."""
    times = build.interactions.time
    with scope(organization_id):
        dataset = Dataset.objects.select_for_update().get(id=dataset.id)
        version = DatasetVersion.objects.filter(dataset=dataset, fingerprint=build.fingerprint).first()
        if version is None:
            newest = DatasetVersion.objects.filter(dataset=dataset).order_by("-number").first()
            version = DatasetVersion.objects.create(
                organization_id=organization_id,
                dataset=dataset,
                number=newest.number + 1 if newest else 1,
                fingerprint=build.fingerprint,
                table_versions=build.table_versions,
                rows=build.rows,
                customers=build.interactions.customers,
                products=build.interactions.products,
                first_at=_moment(times[0]) if len(times) else None,
                last_at=_moment(times[-1]) if len(times) else None,
                steps=[asdict(step) for step in build.steps],
                quality=build.quality,
                sql=build.sql,
            )
        PipelineRun.objects.filter(id=run_id).update(results={"dataset_version_id": version.id})
    return version


def _moment(microseconds: int) -> datetime:
    return datetime.fromtimestamp(int(microseconds) / 1_000_000, UTC)


def _deploy(trained: TrainedModel, recorder: RunRecorder) -> bool:
    gate = trained.metrics.get("gate", {})
    if not gate.get("deploy"):
        recorder.stage("deploy", "skipped", " ".join(gate.get("reasons", ["The gate gave no verdict."])))
        return False
    recorder.stage("deploy", "running", f"v{trained.number}")
    step("pipeline.before_deploy")
    with scope(trained.organization_id):
        deploy(trained, gate=gate)
        model = ModelEndpoint.objects.get(id=trained.model_id)
    step("pipeline.after_deploy")
    answering = wait_until_serving(model, f"v{trained.number}", recorder.cancelled)
    detail = f"v{trained.number} answers" if answering else f"v{trained.number} answers as soon as serving runs"
    recorder.stage("deploy", "done", detail)
    return True
