"""Register, gate and deploy: each once, whatever is repeated; the old model answers until the new one may."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from run_rows import GATE, Shop, make_shop
from web_support import TestDatabase
from wholesale_orders import habitual_orders

from b2b_recs.engine import faults
from b2b_recs.engine.artifacts.store import ArtifactStore
from b2b_recs.engine.progress import Silent
from b2b_recs.engine.training.pipeline import train
from b2b_recs.engine.training.result import TrainingResult
from b2b_recs.engine.training.spec import TestSplit, TrainingSpec
from b2b_recs.runtime.home import Home
from b2b_recs.web.datasets.models import DatasetVersion
from b2b_recs.web.deployments.models import Deployment
from b2b_recs.web.deployments.services import deploy
from b2b_recs.web.experiments.models import Experiment, TrainedModel
from b2b_recs.web.experiments.services import register
from b2b_recs.web.runs.attempts import perform
from b2b_recs.web.tenancy import scope
from b2b_recs.web.training import execution
from b2b_recs.web.training.execution import execute
from b2b_recs.web.training.models import PipelineConfiguration, PipelineRun
from b2b_recs.web.training.services import start_pipeline
from b2b_recs.web.training.summary import summarise

SKIP = {"passed": False, "deploy": False, "reasons": ["It is no better than what answers now."]}


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    spec = TrainingSpec(algorithms=("popular", "buy_again"), split=TestSplit(test_days=20), deploy="always")
    store = ArtifactStore(tmp_path_factory.mktemp("artifacts"))
    orders = habitual_orders(customers=16, products=20, orders=6)
    return train(orders, spec, store, Silent(), lambda: datetime(2026, 3, 1, tzinfo=UTC))


@pytest.fixture
def shop(platform_database: TestDatabase) -> Iterator[Shop]:
    Home.current().create()
    yield make_shop()
    shutil.rmtree(Home.current().serving)


@pytest.fixture(autouse=True)
def no_faults() -> Iterator[None]:
    yield
    faults.install(None)


def begun(shop: Shop) -> PipelineRun:
    with scope(shop.id):
        run = start_pipeline(shop.model, shop.user, with_jobs=False)
        shop.trained(1)  # makes the dataset version
        TrainedModel.objects.all().delete()
        return run


def now_of(run: PipelineRun) -> PipelineRun:
    with scope(run.organization_id):
        found: PipelineRun = PipelineRun.objects.get(id=run.id)
        return found


def test_registering_twice_is_one_version_with_one_experiment_for_each_algorithm(
    shop: Shop, result: TrainingResult
) -> None:
    run = begun(shop)
    for _ in range(2):
        with scope(shop.id):
            trained = register(run, DatasetVersion.objects.get(), result)
    with scope(shop.id):
        assert TrainedModel.objects.get() == trained
        assert (trained.number, trained.artifact_id, trained.trained_by_id) == (1, result.artifact_id, shop.user.id)
        assert sorted(Experiment.objects.values_list("algorithm", flat=True)) == sorted(
            report.algorithm for report in result.evaluation.algorithms
        )
        chosen = Experiment.objects.get(tags=["chosen"])
        assert chosen.algorithm == trained.algorithm == result.evaluation.chosen
        shop.model.refresh_from_db()
        assert shop.model.last_trained_at is not None
        summary = summarise(now_of(run))
    assert summary["model_version"]["version"] == "v1"
    assert [one["chosen"] for one in summary["algorithms"]].count(True) == 1


def test_a_registration_that_breaks_off_leaves_nothing_behind(shop: Shop, result: TrainingResult) -> None:
    run = begun(shop)
    with pytest.raises(ZeroDivisionError), scope(shop.id):
        register(run, DatasetVersion.objects.get(), result)
        raise ZeroDivisionError
    with scope(shop.id):
        assert (TrainedModel.objects.count(), Experiment.objects.count()) == (0, 0)


def test_versions_are_numbered_on_within_their_model(shop: Shop, result: TrainingResult) -> None:
    numbers = []
    for _ in range(2):
        with scope(shop.id):
            PipelineRun.objects.update(status="completed")
        run = begun_again(shop)
        with scope(shop.id):
            numbers.append(register(run, DatasetVersion.objects.get(), result).number)
    assert numbers == [1, 2]


def begun_again(shop: Shop) -> PipelineRun:
    with scope(shop.id):
        if not DatasetVersion.objects.exists():
            shop.trained(1).delete()
        return start_pipeline(shop.model, with_jobs=False)


def registered(shop: Shop, number: int, gate: dict[str, Any]) -> PipelineRun:
    """A run whose earlier attempt got as far as registering that version."""
    with scope(shop.id):
        run = start_pipeline(shop.model, with_jobs=False)
        trained = shop.trained(number, run)
        trained.metrics = {"gate": gate, "warnings": []}
        trained.save()
    return run


def active(shop: Shop) -> list[str]:
    with scope(shop.id):
        return [f"v{one.trained_model.number}" for one in Deployment.objects.filter(status="active")]


def test_an_attempt_after_registering_deploys_without_training_again(shop: Shop) -> None:
    run = registered(shop, 1, GATE)
    assert execute(shop.id, run.id) == 0
    ended = now_of(run)
    assert (ended.status, ended.results["version"], ended.results["deployed"]) == ("completed", "v1", True)
    assert ended.stages[-1]["detail"] == "v1 answers as soon as serving runs"
    assert active(shop) == ["v1"]


def test_a_gate_that_says_no_leaves_the_old_deployment_answering(shop: Shop) -> None:
    with scope(shop.id):
        deploy(shop.trained(1), gate=GATE)
    run = registered(shop, 2, SKIP)
    assert execute(shop.id, run.id) == 0
    ended = now_of(run)
    assert (ended.status, ended.results["deployed"]) == ("completed", False)
    assert (ended.stages[-1]["state"], ended.stages[-1]["detail"]) == ("skipped", SKIP["reasons"][0])
    assert active(shop) == ["v1"]


def test_a_deployment_repeated_after_a_kill_is_one(shop: Shop) -> None:
    run = registered(shop, 1, GATE)
    faults.install(raise_at("pipeline.after_deploy", KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        execute(shop.id, run.id)
    faults.install(None)
    assert (now_of(run).status, active(shop)) == ("running", ["v1"])
    assert execute(shop.id, run.id) == 0
    with scope(shop.id):
        assert Deployment.objects.count() == 1
    assert (now_of(run).status, now_of(run).attempt) == ("completed", 2)


def raise_at(name: str, error: type[BaseException]) -> Callable[[str], None]:
    def hook(step: str) -> None:
        if step == name:
            raise error

    return hook


def test_a_wish_to_stop_before_the_deployment_keeps_the_old_one(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    with scope(shop.id):
        deploy(shop.trained(1), gate=GATE)
    run = registered(shop, 2, GATE)
    monkeypatch.setattr(execution, "_registered", wishing(run, execution._registered))
    assert execute(shop.id, run.id) == 0
    assert (now_of(run).status, active(shop)) == ("cancelled", ["v1"])


def test_a_wish_to_stop_after_the_deployment_comes_too_late(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    run = registered(shop, 1, GATE)
    monkeypatch.setattr(execution, "wait_until_serving", wishing(run, lambda model, version, stopped: False))
    assert execute(shop.id, run.id) == 0
    ended = now_of(run)
    assert (ended.status, ended.results["deployed"], active(shop)) == ("completed", True, ["v1"])


def wishing(run: PipelineRun, call: Callable[..., Any]) -> Callable[..., Any]:
    """``call``, before which somebody asks the run to stop and its process hears of it."""
    import time

    def wrapped(*args: Any) -> Any:
        with scope(run.organization_id):
            PipelineRun.objects.filter(id=run.id).update(cancel_requested=True)
        time.sleep(0.7)
        return call(*args)

    return wrapped


@pytest.mark.parametrize("spec", [{"dataset": "gone"}, {}, None])
def test_a_pipeline_whose_dataset_is_gone_fails_with_advice(shop: Shop, spec: dict[str, str] | None) -> None:
    with scope(shop.id):
        run = start_pipeline(shop.model, with_jobs=False)
        if spec is None:
            PipelineConfiguration.objects.all().delete()
        else:
            PipelineConfiguration.objects.update(spec=spec)
    assert execute(shop.id, run.id) == 0
    ended = now_of(run)
    assert (ended.status, ended.error_code) == ("failed", "bad_input")
    assert ended.advice


def test_a_warehouse_without_the_table_fails_with_advice(shop: Shop) -> None:
    with scope(shop.id):
        assert shop.dataset is not None
        roles = {"customer": "customer", "product": "product", "time": "at"}
        shop.dataset.spec = {"base": "bq_orders", "roles": roles}
        shop.dataset.save()
        run = start_pipeline(shop.model, with_jobs=False)
    assert execute(shop.id, run.id) == 0
    ended = now_of(run)
    assert (ended.status, ended.error_code) == ("failed", "warehouse_table_missing")
    assert ended.advice
    assert [stage["state"] for stage in ended.stages][:3] == ["skipped", "failed", "waiting"]


def test_settings_that_no_longer_fit_fail_with_the_field_and_advice(shop: Shop) -> None:
    with scope(shop.id):
        assert shop.dataset is not None
        shop.dataset.spec = {"base": "bq_orders", "colour": "red"}
        shop.dataset.save()
        run = start_pipeline(shop.model, with_jobs=False)
    assert execute(shop.id, run.id) == 0
    ended = now_of(run)
    assert (ended.status, ended.error_code) == ("failed", "bad_input")
    assert "purchases" in ended.error
    assert ended.advice


def test_figures_that_are_no_numbers_do_not_keep_a_run_from_ending(shop: Shop) -> None:
    run = registered(shop, 1, GATE)
    assert perform(PipelineRun, shop.id, run.id, lambda recorder: {"results": {"x": math.nan}}, lambda run: None) == 0
    ended = now_of(run)
    assert (ended.status, ended.results) == ("completed", {"x": None})


def test_pins_are_read_again_by_the_next_attempt(shop: Shop, tmp_path: Path) -> None:
    with scope(shop.id):
        shop.trained(1)
        version = DatasetVersion.objects.get()
        version.table_versions = {"raw_data.bq_orders": 4}
        version.save()
        assert shop.dataset is not None
        roles = {"customer": "customer", "product": "product", "time": "at"}
        shop.dataset.spec = {"base": "bq_orders", "roles": roles}
        shop.dataset.save()
        run = start_pipeline(shop.model, with_jobs=False)
        PipelineRun.objects.update(results={"dataset_version_id": version.id})
    task = execution._task(shop.id, run.id)
    assert task.pins == {"raw_data.bq_orders": 4}
