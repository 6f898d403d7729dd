"""The gate lets nothing through that is missing, unclear, unmeasured, or worse."""

from __future__ import annotations

import itertools

import pytest

from b2b_recs.engine.evaluation.metrics import metric_title
from b2b_recs.engine.evaluation.report import AlgorithmReport, Comparison, Measure, TestPeriod
from b2b_recs.engine.training.gate import judge
from b2b_recs.engine.training.result import Evaluation, GateVerdict

FIGURE = Measure(value=0.3, low=0.2, high=0.4)
BETTER, LEVEL, WORSE = (
    Measure(value=0.2, low=0.1, high=0.3),
    Measure(value=-0.01, low=-0.1, high=0.1),
    Measure(value=-0.2, low=-0.3, high=-0.1),
)


def evaluation(
    *,
    figure: Measure | None = FIGURE,
    differences: dict[str, Measure] | None = None,
    customers: int = 10,
    **changes: object,
) -> Evaluation:
    if differences is None:
        differences = {"popular": BETTER, "recent_popular": BETTER}
    metrics = {"all": {"ndcg@10": figure}} if figure is not None else {}
    return Evaluation(
        headline="ndcg@10",
        period=TestPeriod(
            cut=0,
            until=1,
            train_rows=9,
            test_rows=1,
            customers=customers,
            new_customers=customers,
            catalogue=3,
            revenue=1.0,
        ),
        algorithms=(AlgorithmReport(algorithm="ials", title="iALS", metrics=metrics),),
        chosen="ials",
        chosen_parameters={},
        best_on_test="ials",
        comparisons=tuple(
            Comparison(model="ials", other=other, segment="all", metric="ndcg@10", difference=difference)
            for other, difference in differences.items()
        ),
    ).model_copy(update=changes)


def verdict(what: Evaluation | None, **changes: object) -> GateVerdict:
    return judge(what, **{"artifact_problem": None, "in_service": False, **changes})  # type: ignore[arg-type]


def test_a_first_model_better_than_popularity_passes_and_deploys() -> None:
    given = verdict(evaluation())
    assert given.passed
    assert given.deploy
    assert given.numbers["ndcg@10"] == 0.3
    assert any("better than" in reason for reason in given.reasons)


def test_a_first_model_level_with_popularity_passes() -> None:
    assert verdict(evaluation(differences={"popular": LEVEL, "recent_popular": LEVEL})).passed


@pytest.mark.parametrize("baseline", ["popular", "recent_popular"])
def test_a_model_wholly_below_a_popularity_baseline_is_refused(baseline: str) -> None:
    given = verdict(evaluation(differences={"popular": BETTER, "recent_popular": BETTER, baseline: WORSE}))
    assert not given.passed
    assert not given.deploy
    assert any("worse than" in reason for reason in given.reasons)


@pytest.mark.parametrize(("against", "passes"), [(BETTER, True), (LEVEL, True), (WORSE, False)])
def test_a_model_must_not_be_worse_than_the_one_in_service(against: Measure, passes: bool) -> None:
    differences = {"popular": BETTER, "recent_popular": BETTER, "in_service": against}
    assert verdict(evaluation(differences=differences), in_service=True).passed is passes


@pytest.mark.parametrize(("against", "said"), [(BETTER, "better"), (LEVEL, "level"), (WORSE, "worse")])
def test_the_comparison_with_buying_again_is_told_and_keeps_no_model_out(against: Measure, said: str) -> None:
    given = verdict(evaluation(differences={"popular": BETTER, "recent_popular": BETTER, "buy_again": against}))
    assert given.passed and given.deploy
    (told,) = [reason for reason in given.reasons if "“buy_again”" in reason]
    assert said in told and ("keeps no model out" in told) == (against is WORSE)
    assert not any("buy_again" in reason for reason in verdict(evaluation()).reasons)


def test_no_verdict_without_an_evaluation() -> None:
    assert verdict(None).reasons[0] == "There is no evaluation."
    assert not verdict(None).passed


def test_a_model_in_service_that_was_not_measured_refuses() -> None:
    given = verdict(evaluation(), in_service=True)
    assert not given.passed
    assert "in service" in given.reasons[0]


@pytest.mark.parametrize(
    "figure",
    [
        None,
        Measure(),
        Measure(value=0.3),
        Measure(value=0.3, low=0.2),
        Measure(value=float("nan"), low=0.2, high=0.4),
        Measure(value=0.3, low=float("nan"), high=0.4),
        Measure(value=0.3, low=0.4, high=0.2),
        Measure(value=float("inf"), low=0.2, high=0.4),
    ],
)
def test_a_missing_or_broken_headline_figure_refuses(figure: Measure | None) -> None:
    given = verdict(evaluation(figure=figure))
    assert not given.passed
    assert "NDCG@10" in given.reasons[0]


@pytest.mark.parametrize(
    "difference",
    [
        Measure(),
        Measure(value=0.1),
        Measure(value=float("nan"), low=0.0, high=0.1),
        Measure(value=0.1, low=0.0, high=float("nan")),
    ],
)
@pytest.mark.parametrize("other", ["popular", "recent_popular", "in_service"])
def test_a_missing_or_broken_comparison_refuses(difference: Measure, other: str) -> None:
    whole = {"popular": BETTER, "recent_popular": BETTER, "in_service": BETTER}
    broken = {**whole, other: difference}
    absent = {name: value for name, value in whole.items() if name != other}
    for differences in (broken, absent):
        given = verdict(evaluation(differences=differences), in_service=True)
        assert not given.passed
        assert any("is missing" in reason for reason in given.reasons)


def test_a_comparison_of_another_metric_or_model_does_not_count() -> None:
    for changes in ({"metric": "recall@5"}, {"model": "ease"}, {"segment": "new"}):
        whole = evaluation()
        comparisons = tuple(each.model_copy(update=changes) for each in whole.comparisons)
        assert not verdict(whole.model_copy(update={"comparisons": comparisons})).passed


def test_an_empty_test_period_and_a_broken_artifact_refuse() -> None:
    assert not verdict(evaluation(customers=0)).passed
    given = verdict(evaluation(), artifact_problem="It is not there.")
    assert not given.passed
    assert "It is not there." in given.reasons[0]


def test_always_deploys_what_is_worse_but_never_what_is_unmeasured_or_damaged() -> None:
    worse = evaluation(differences={"popular": WORSE, "recent_popular": BETTER})
    given = verdict(worse, deploy="always")
    assert (given.passed, given.deploy) == (False, True)
    for broken in (None, evaluation(figure=None), evaluation(differences={})):
        assert not verdict(broken, deploy="always").deploy
    assert not verdict(evaluation(), deploy="always", artifact_problem="Gone.").deploy


def test_never_deploys_nothing_and_says_so() -> None:
    given = verdict(evaluation(), deploy="never")
    assert (given.passed, given.deploy) == (True, False)
    assert "deploy is never" in given.reasons[-1]


def test_it_passes_only_when_every_part_is_sound() -> None:
    parts = itertools.product((BETTER, WORSE, Measure()), (BETTER, WORSE, Measure()), (None, "Gone."), (3, 0))
    for popular, recent, problem, customers in parts:
        given = verdict(
            evaluation(differences={"popular": popular, "recent_popular": recent}, customers=customers),
            artifact_problem=problem,
        )
        sound = popular is BETTER and recent is BETTER and problem is None and customers > 0
        assert given.passed is given.deploy is sound


def test_metrics_are_written_as_people_write_them() -> None:
    assert metric_title("ndcg@10") == "NDCG@10"
    assert metric_title("revenue_recall@100") == "Revenue recall@100"
