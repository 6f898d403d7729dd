"""A training from orders to verdict, on small data and on data that cannot be trained on."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from wholesale_orders import habitual_orders, orders_of

from b2b_recs.engine import faults
from b2b_recs.engine.algorithms.registry import ALGORITHMS, BASELINES
from b2b_recs.engine.artifacts.bundle import Recommender, open_bundle
from b2b_recs.engine.artifacts.store import ArtifactStore
from b2b_recs.engine.artifacts.strings import Strings
from b2b_recs.engine.datasets.interactions import Interactions
from b2b_recs.engine.errors import BadInput, Cancelled, EmptyDataset, EngineError
from b2b_recs.engine.evaluation.splits import select
from b2b_recs.engine.progress import Silent
from b2b_recs.engine.training import candidates as candidates_module
from b2b_recs.engine.training.pipeline import train
from b2b_recs.engine.training.result import InService, TrainingResult
from b2b_recs.engine.training.spec import TestSplit, TrainingSpec

ORDERS = habitual_orders()
SPEC = TrainingSpec(split=TestSplit(test_days=30))


class Watched(Silent):
    """Remembers what it was told."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.stages: list[tuple[str, str]] = []
        self.lines: list[str] = []
        self.asked = 0
        self.stop_after = stop_after

    def stage(self, name: str, state: str, detail: str = "") -> None:
        self.stages.append((name, state))

    def log(self, message: str, level: str = "info") -> None:
        self.lines.append(message)

    def cancelled(self) -> bool:
        self.asked += 1
        return self.stop_after is not None and self.asked > self.stop_after


def trained(
    folder: Path,
    data: Interactions = ORDERS,
    spec: TrainingSpec = SPEC,
    progress: Silent | None = None,
    in_service: InService | None = None,
) -> tuple[TrainingResult, ArtifactStore]:
    store = ArtifactStore(folder / "artifacts")
    clock = lambda: datetime(2026, 1, 2, tzinfo=UTC)  # noqa: E731
    result = train(data, spec, store, progress or Silent(), clock, {"fingerprint": "abc"}, in_service)
    return result, store


def test_a_training_measures_everything_chooses_and_writes_what_can_be_served(tmp_path: Path) -> None:
    watched = Watched()
    result, store = trained(tmp_path, progress=watched)
    evaluation = result.evaluation
    assert {report.algorithm for report in evaluation.algorithms} == set(ALGORITHMS)
    for report in evaluation.algorithms:
        for segment in ("all", "new"):
            for metric in ("recall@5", "recall@10", "recall@50", "recall@100", "ndcg@10", "revenue_recall@100"):
                figure = report.metrics[segment][metric]
                assert figure.low <= figure.value <= figure.high, (report.algorithm, segment, metric)
    best = max(evaluation.algorithms, key=lambda report: report.validation["all"] or 0)
    assert evaluation.chosen == best.algorithm
    assert {each.other for each in evaluation.comparisons} >= set(BASELINES) - {evaluation.chosen}
    assert result.gate.passed, result.gate.reasons
    bundle = open_bundle(store, result.artifact_id)
    assert bundle.facts.algorithm == evaluation.chosen
    assert bundle.facts.lineage["fingerprint"] == "abc"
    assert bundle.facts.lineage["evaluation_artifact"] == result.evaluation_artifact_id
    assert bundle.facts.metrics["all"]["ndcg@10"]["value"] == result.metrics["all"]["ndcg@10"]["value"]
    assert bundle.facts.data_until == int(ORDERS.time.max())
    assert watched.stages == [
        ("train", "running"), ("train", "done"), ("evaluate", "running"), ("evaluate", "done"), ("register", "running"),
    ]  # fmt: skip


def test_the_result_is_one_json_document(tmp_path: Path) -> None:
    result, _ = trained(tmp_path)
    assert TrainingResult.model_validate_json(result.model_dump_json()) == result
    json.dumps(result.model_dump(mode="json"), allow_nan=False)


def test_the_same_data_gives_the_same_figures(tmp_path: Path) -> None:
    one, other = trained(tmp_path / "1")[0], trained(tmp_path / "2")[0]
    for left, right in zip(one.evaluation.algorithms, other.evaluation.algorithms, strict=True):
        assert left.metrics == right.metrics
        assert left.parameters == right.parameters


def test_a_served_training_fit_returns_the_very_lists_that_were_tested(tmp_path: Path) -> None:
    result, store = trained(tmp_path, spec=SPEC.model_copy(update={"refit": "training"}))
    assert result.learnt_until < result.evaluation.period.cut
    tested = store.open(result.evaluation_artifact_id).arrays
    customers, lists = Strings("customers", tested), tested["lists"]
    recommender = Recommender(open_bundle(store, result.artifact_id))
    assert len(customers) == result.evaluation.period.customers
    recall = []
    for row, customer in enumerate(customers):
        served = recommender.recommend(customer, 100).products
        assert list(served) == [product for product in lists[row] if product >= 0]
        truth = set(tested["truth/indices"][tested["truth/indptr"][row] : tested["truth/indptr"][row + 1]])
        recall.append(len(truth & set(served[:10])) / min(10, len(truth)))
    assert np.mean(recall) == pytest.approx(result.metrics["all"]["recall@10"]["value"])


def test_products_and_customers_first_seen_in_the_test_period_can_be_served_after_the_refit(tmp_path: Path) -> None:
    last = int(ORDERS.time.max())
    late = replace(
        ORDERS,
        customer=np.append(ORDERS.customer, np.int32(ORDERS.customers)),
        product=np.append(ORDERS.product, np.int32(ORDERS.products)),
        order=np.append(ORDERS.order, ORDERS.order.max() + 1).astype(np.int32),
        time=np.append(ORDERS.time, last),
        revenue=np.append(ORDERS.revenue, 1.0),
        quantity=np.append(ORDERS.quantity, 1.0),
        customer_ids=np.append(ORDERS.customer_ids, "zz-new"),
        product_ids=np.append(ORDERS.product_ids, "zz-new"),
        product_names=np.append(ORDERS.product_names, "New"),
        product_categories=np.append(ORDERS.product_categories, ""),
        customer_names=np.append(ORDERS.customer_names, ""),
    )
    spec = TrainingSpec(algorithms=("buy_again",))
    result, store = trained(tmp_path, late, spec)
    assert result.learnt_until == last == result.evaluation.period.until
    answer = Recommender(open_bundle(store, result.artifact_id)).recommend("zz-new", 1)
    assert answer.known
    assert list(answer.products) == [ORDERS.products]


def test_a_limited_choice_still_shows_the_baselines_beside(tmp_path: Path) -> None:
    spec = TrainingSpec(algorithms=("ials",), parameters={"ials": {"factors": 4}})
    result, _ = trained(tmp_path, spec=spec)
    assert result.algorithm == "ials"
    assert result.evaluation.chosen_parameters["factors"] == 4
    shown = {report.algorithm: report.eligible for report in result.evaluation.algorithms}
    assert shown == {"popular": False, "recent_popular": False, "buy_again": False, "ials": True}


def test_the_model_in_service_is_measured_in_the_same_run(tmp_path: Path) -> None:
    result, _ = trained(tmp_path, in_service=InService(algorithm="popular"))
    assert result.evaluation.in_service is not None
    assert result.evaluation.comparison("in_service").difference.low > 0
    assert result.gate.passed
    same, _ = trained(tmp_path, in_service=InService(algorithm="buy_again", parameters={"half_life_days": 33}))
    assert same.evaluation.in_service.metrics["all"]["ndcg@10"].low is not None


def test_a_worse_model_than_the_one_in_service_is_refused(tmp_path: Path) -> None:
    spec = TrainingSpec(algorithms=("popular",))
    result, _ = trained(tmp_path, spec=spec, in_service=InService(algorithm="buy_again"))
    assert not result.gate.passed
    assert not result.gate.deploy
    assert any("worse than the model in service (Buy again)" in reason for reason in result.gate.reasons)


def test_a_recipe_in_service_that_no_longer_exists_refuses_rather_than_passes(tmp_path: Path) -> None:
    result, _ = trained(tmp_path, in_service=InService(algorithm="forgotten"))
    assert not result.gate.passed
    assert any("in service" in reason for reason in result.gate.reasons)


def test_an_algorithm_that_fails_is_skipped_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = candidates_module.fit_one

    def failing(name: str, *arguments: Any) -> Any:
        if name == "ease":
            raise EngineError("EASE had a bad day.")
        return honest(name, *arguments)

    monkeypatch.setattr(candidates_module, "fit_one", failing)
    result, _ = trained(tmp_path)
    assert result.evaluation.report("ease").skipped == "EASE had a bad day."
    assert "EASE was skipped. EASE had a bad day." in result.warnings
    with pytest.raises(EngineError, match="EASE had a bad day"):
        trained(tmp_path, spec=TrainingSpec(algorithms=("ease",)))


def test_no_lines_at_all_is_an_empty_dataset(tmp_path: Path) -> None:
    with pytest.raises(EmptyDataset, match="no order lines"):
        trained(tmp_path, select(ORDERS, np.zeros(len(ORDERS), dtype=bool)))
    with pytest.raises(EmptyDataset):
        trained(tmp_path, orders_of([]))


def test_a_test_period_longer_than_the_data_names_test_days(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No order is older") as refused:
        trained(tmp_path, spec=TrainingSpec(split=TestSplit(test_days=3000)))
    assert refused.value.field == "split.test_days"
    assert "test_days" in refused.value.advice


@pytest.mark.parametrize("split", [{"test_days": 5}, {"test_share": 0.4}])
def test_a_test_period_without_returning_customers_names_its_setting(tmp_path: Path, split: dict[str, float]) -> None:
    lines = [(f"c{day}", "p", f"o{day}", float(day), 1.0) for day in range(20)]
    with pytest.raises(BadInput, match="No customer who had ordered before") as refused:
        trained(tmp_path, orders_of(lines), TrainingSpec.model_validate({"split": split}))
    assert refused.value.field == f"split.{next(iter(split))}"


def test_one_customer_trains_and_is_kept_out_of_service_for_want_of_an_interval(tmp_path: Path) -> None:
    lines = [("only", f"p{day % 7}", f"o{day}", float(day), 2.0) for day in range(120)]
    result, store = trained(tmp_path, orders_of(lines))
    assert result.evaluation.period.customers == 1
    assert not result.gate.passed
    assert any("only 1 customer" in reason for reason in result.gate.reasons)
    assert len(Recommender(open_bundle(store, result.artifact_id)).recommend("only", 3).products) == 3


def test_one_product_trains_and_is_recommended(tmp_path: Path) -> None:
    lines = [(f"c{day % 9}", "only", f"o{day}", float(day), 2.0) for day in range(120)]
    result, store = trained(tmp_path, orders_of(lines))
    assert result.metrics["all"]["recall@5"]["value"] == 1.0
    assert result.metrics["new"]["recall@5"]["value"] is None
    assert result.gate.passed, result.gate.reasons
    assert list(Recommender(open_bundle(store, result.artifact_id)).recommend("c3", 5).products) == [0]


def test_lines_given_twice_change_no_list_metric(tmp_path: Path) -> None:
    twice = select(ORDERS, np.ones(len(ORDERS), dtype=bool))
    doubled = {name: np.repeat(getattr(twice, name), 2) for name in ("customer", "product", "order", "time")}
    money = {name: np.repeat(getattr(twice, name), 2) for name in ("revenue", "quantity")}
    one, other = trained(tmp_path)[0], trained(tmp_path, replace(twice, **doubled, **money))[0]
    assert one.metrics["all"]["ndcg@10"] == other.metrics["all"]["ndcg@10"]


def test_too_short_a_history_to_tune_is_said(tmp_path: Path) -> None:
    lines = [(f"c{n}", f"p{n}", f"a{n}", 0.0, 1.0) for n in range(6)]
    lines += [(f"c{n}", f"p{(n + 1) % 6}", f"b{n}", 20.0, 1.0) for n in range(6)]
    result, _ = trained(tmp_path, orders_of(lines), TrainingSpec(split=TestSplit(test_days=15)))
    assert result.algorithm == "user_knn"
    assert "settings are the defaults" in result.warnings[0]


def test_a_stop_is_obeyed_between_fits_and_nothing_is_written(tmp_path: Path) -> None:
    watched = Watched(stop_after=5)
    with pytest.raises(Cancelled):
        trained(tmp_path, progress=watched)
    assert watched.stages[-1] == ("train", "failed")
    assert not (tmp_path / "artifacts").exists()


def test_the_fault_points_stand_around_the_writing(tmp_path: Path) -> None:
    store, seen = ArtifactStore(tmp_path / "artifacts"), []
    count = lambda: len(list(store.root.iterdir())) if store.root.exists() else 0  # noqa: E731
    faults.install(lambda name: seen.append((name, count())))
    try:
        trained(tmp_path)
    finally:
        faults.install(None)
    assert seen == [("train.before_write", 0), ("train.after_write", 2)]


KILLED = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from wholesale_orders import habitual_orders
from b2b_recs.engine import faults
from b2b_recs.engine.artifacts.store import ArtifactStore
from b2b_recs.engine.progress import Silent
from b2b_recs.engine.training.pipeline import train
from b2b_recs.engine.training.spec import TestSplit, TrainingSpec
faults.install(lambda name: os.kill(os.getpid(), 9) if name == sys.argv[2] else None)
train(habitual_orders(), TrainingSpec(split=TestSplit(test_days=30)), ArtifactStore(Path(sys.argv[1])), Silent(),
      lambda: datetime(2026, 1, 2, tzinfo=UTC), {"fingerprint": "abc"})
"""


@pytest.mark.parametrize(("moment", "left"), [("train.before_write", 0), ("train.after_write", 2)])
def test_a_training_killed_around_the_writing_is_repeated_without_doubling(
    tmp_path: Path, moment: str, left: int
) -> None:
    root = tmp_path / "artifacts"
    command = [sys.executable, "-c", KILLED, str(root), moment]
    killed = subprocess.run(command, check=False, cwd=Path(__file__).parents[2])
    assert killed.returncode == -9
    assert len(list(root.iterdir()) if root.exists() else []) == left
    served = {}
    for _ in range(2):
        result, store = trained(tmp_path)
        served[result.artifact_id] = open_bundle(store, result.artifact_id)
    assert len(served) == 1, "the same data, settings and time are the same artifact"
    bundles = [path.name for path in root.iterdir() if store.open(path.name).manifest.kind == "bundle"]
    assert bundles == list(served)


@pytest.mark.parametrize(
    ("document", "word"),
    [
        ({"algorithms": ["magic"]}, "magic"),
        ({"algorithms": []}, "auto"),
        ({"split": {"test_days": 0}}, "test_days"),
        ({"split": {"test_days": 3, "test_share": 0.1}}, "either"),
        ({"split": {"test_share": 0.9}}, "test_share"),
        ({"split": {}}, "either"),
        ({"headline": "novelty@10"}, "cannot lead"),
        ({"deploy": "sometimes"}, "deploy"),
        ({"parameters": {"ease": {"regularization": -1}}}, "regularization"),
        ({"parameters": {"magic": {}}}, "magic"),
        ({"color": "blue"}, "color"),
    ],
)
def test_a_bad_specification_names_what_is_wrong(document: dict[str, Any], word: str) -> None:
    with pytest.raises(ValidationError, match=word):
        TrainingSpec.model_validate(document)


def test_the_project_file_keys_are_understood() -> None:
    spec = TrainingSpec.model_validate({"algorithms": "auto", "split": {"test_days": 30}, "deploy": "when_better"})
    assert spec == TrainingSpec()
