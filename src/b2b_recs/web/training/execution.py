"""Carries out one pipeline run in its own process: dataset → train → evaluate → register → deploy."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from b2b_recs.engine.algorithms.registry import ALGORITHMS
from b2b_recs.engine.artifacts.store import ArtifactStore
from b2b_recs.engine.counting import counted
from b2b_recs.engine.datasets.build import build_dataset
from b2b_recs.engine.datasets.interactions import DatasetBuild
from b2b_recs.engine.datasets.spec import DatasetSpec
from b2b_recs.engine.errors import BadInput, Cancelled
from b2b_recs.engine.faults import step
from b2b_recs.engine.training.pipeline import train
from b2b_recs.engine.training.result import InService, TrainingResult
from b2b_recs.engine.training.spec import TrainingSpec
from b2b_recs.engine.warehouse.local import LocalWarehouse
from b2b_recs.runtime.home import Home
from b2b_recs.web.datasets.models import Dataset, DatasetVersion
from b2b_recs.web.deployments.services import active_deployment, deploy, wait_until_serving
from b2b_recs.web.experiments.models import TrainedModel
from b2b_recs.web.experiments.services import register
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.runs.attempts import perform
from b2b_recs.web.runs.documents import parsed, storable
from b2b_recs.web.runs.models import Run
from b2b_recs.web.runs.outage import patiently
from b2b_recs.web.runs.recorder import RunRecorder
from b2b_recs.web.tenancy import scope
from b2b_recs.web.training.models import PipelineConfiguration, PipelineRun


def execute(organization_id: int, run_id: int) -> int:
    """Take the next attempt at a pipeline run; returns the exit code for the worker."""
    return perform(
        PipelineRun, organization_id, run_id, lambda recorder: _work(organization_id, run_id, recorder), after=_after
    )


def _after(run: Run) -> None:
    """Nothing waits for a pipeline run."""


def _work(organization_id: int, run_id: int, recorder: RunRecorder) -> dict[str, Any]:
    trained = patiently(lambda: _registered(organization_id, run_id))
    if trained is None:
        trained = _train(organization_id, run_id, recorder)
    else:  # an attempt before this one got as far as registering, and perhaps could not say so
        for stage in recorder.stages[1:-2]:
            if stage["state"] != "done":
                recorder.stage(stage["name"], "done")
        recorder.stage("register", "done", _registered_words(trained))
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


def _registered(organization_id: int, run_id: int) -> TrainedModel | None:
    with scope(organization_id):
        found: TrainedModel | None = TrainedModel.objects.filter(pipeline_run_id=run_id).first()
    return found


@dataclass(frozen=True, slots=True)
class _Task:
    """What a training needs to know, read in one go so that no transaction stays open meanwhile."""

    run: PipelineRun
    dataset: Dataset
    dataset_spec: DatasetSpec
    training_spec: TrainingSpec
    pins: dict[str, int] | None  # an attempt after the first reads the very table versions the first one read
    in_service: InService | None
    etl_runs: list[int]


def _task(organization_id: int, run_id: int) -> _Task:
    with scope(organization_id):
        run = PipelineRun.objects.select_related("model").get(id=run_id)
        configuration = PipelineConfiguration.objects.filter(model=run.model).first()
        settings = dict(configuration.spec) if configuration else {}
        name = settings.pop("dataset", "")
        dataset = Dataset.objects.filter(model=run.model, name=name).first()
        if dataset is None:
            raise BadInput(
                f"The pipeline of {run.model.name} names the dataset “{name}”, which does not exist.",
                field="pipeline.dataset",
                advice="Describe the dataset, or name one that exists, and apply the project file again.",
            )
        pinned = DatasetVersion.objects.filter(id=run.results.get("dataset_version_id")).first()
        current = active_deployment(run.model)
        copies = list(run.etl_runs.order_by("id").values_list("id", flat=True))
    in_service = None
    if current is not None:
        in_service = InService(algorithm=current.trained_model.algorithm, parameters=current.trained_model.parameters)
    return _Task(
        run,
        dataset,
        parsed(DatasetSpec, dataset.spec, f"the dataset “{name}”"),
        parsed(TrainingSpec, settings, "the pipeline"),
        pinned.table_versions if pinned else None,
        in_service,
        copies,
    )


def _train(organization_id: int, run_id: int, recorder: RunRecorder) -> TrainedModel:
    home = Home.current()
    task = patiently(lambda: _task(organization_id, run_id))
    model, dataset = task.run.model, task.dataset
    connection.close()  # building and training take long; the recorder has a connection of its own
    recorder.stage("dataset", "running", dataset.name)
    warehouse = LocalWarehouse(home.model_warehouse(model.id))
    build = build_dataset(task.dataset_spec, warehouse, task.pins, time_zone=model.time_zone)
    version = patiently(lambda: _pin(organization_id, run_id, dataset, build))
    connection.close()
    for filtered in build.steps:
        recorder.log(f"{filtered.name}: {filtered.rows_before:,} → {counted(filtered.rows_after, 'row')}")
    recorder.stage(
        "dataset",
        "done",
        f"{counted(build.rows, 'row')}, {counted(build.interactions.customers, 'customer')}, "
        f"{counted(build.interactions.products, 'product')}",
    )
    result = train(
        build.interactions,
        task.training_spec,
        ArtifactStore(home.artifacts),
        recorder,
        lambda: datetime.now(UTC),
        lineage={
            "pipeline_run": run_id,
            "etl_runs": task.etl_runs,
            "dataset": dataset.name,
            "dataset_version": version.number,
            "dataset_fingerprint": build.fingerprint,
            "table_versions": build.table_versions,
        },
        in_service=task.in_service,
    )
    step("pipeline.before_register")
    trained = patiently(lambda: _register(task.run, version, result))
    recorder.stage("register", "done", _registered_words(trained))
    return trained


def _registered_words(trained: TrainedModel) -> str:
    return f"v{trained.number}, {ALGORITHMS[trained.algorithm].title}"


def _register(run: PipelineRun, version: DatasetVersion, result: TrainingResult) -> TrainedModel:
    with scope(run.organization_id):
        return register(run, version, result)


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
                quality=storable(build.quality),
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
    if patiently(lambda: _stopped(trained)):
        recorder.stage("deploy", "skipped", f"Serving was stopped by hand. Put v{trained.number} into service by hand.")
        return False
    recorder.stage("deploy", "running", f"v{trained.number}")
    step("pipeline.before_deploy")
    model = patiently(lambda: _put_into_service(trained, gate))
    step("pipeline.after_deploy")
    with suppress(Cancelled):  # from here on it is done; a wish to stop comes too late
        answering = wait_until_serving(model, f"v{trained.number}", recorder.cancelled)
        detail = f"v{trained.number} answers" if answering else f"v{trained.number} answers as soon as serving runs"
        recorder.stage("deploy", "done", detail)
    return True


def _stopped(trained: TrainedModel) -> bool:
    """Whether somebody stopped what was in service: then no training lets the endpoint answer again."""
    with scope(trained.organization_id):
        current = active_deployment(trained.model)
    return current is not None and current.stopped


def _put_into_service(trained: TrainedModel, gate: dict[str, Any]) -> ModelEndpoint:
    with scope(trained.organization_id):
        return deploy(trained, gate=gate).model
