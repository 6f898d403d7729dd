"""The path from sources to endpoint marks the one step to act on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from b2b_recs.web.projects.lift import held_out_words, label_of, lift_of
from b2b_recs.web.projects.overview import (
    DataFacts,
    DatasetFacts,
    EndpointFacts,
    FailureFacts,
    ModelFacts,
    Overview,
    SourceFacts,
    kpis_of,
)
from b2b_recs.web.runs.presenting import RunView, StageView

LOADED = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SOURCES = SourceFacts(connections=1)
DATA = DataFacts(jobs=2, loaded=2, rows=541_909, oldest_load=LOADED)
DATASET = DatasetFacts("purchases", 7, 397_884, 4_338, 3_665)
TRAINED = ModelFacts(12, "User neighbours", "deployed", LOADED)
LIVE = EndpointFacts(12, LOADED, requests=1_240, errors=0, p95_ms=6.1, p99_ms=11.8)


def overview(**changes: object) -> Overview:
    facts: dict[str, object] = {
        "configured": True,
        "sources": SOURCES,
        "data": DATA,
        "dataset": DATASET,
        "trained": TRAINED,
        "endpoint": LIVE,
    }
    return Overview(**{**facts, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "step", "look"),
    [
        ({}, "Endpoint", "ok"),
        ({"sources": SourceFacts(connections=2, refused=1)}, "Sources", "bad"),
        ({"data": DataFacts(jobs=2)}, "Data", "none"),
        ({"data": DataFacts(jobs=2, loaded=1, rows=5, oldest_load=LOADED)}, "Data", "warn"),
        ({"data": DataFacts(2, 2, 5, LOADED, ["products"], "/run/")}, "Data", "bad"),
        ({"dataset": DatasetFacts("purchases")}, "Dataset", "none"),
        ({"trained": ModelFacts(), "endpoint": EndpointFacts()}, "Model", "none"),
        ({"endpoint": EndpointFacts(), "gate_refusal": "/models/1/runs/trainings/1/"}, "Endpoint", "warn"),
        ({"endpoint": EndpointFacts(12, LOADED, requests=100, errors=9)}, "Endpoint", "warn"),
    ],
)
def test_the_first_step_that_is_not_well_is_the_next_one(changes: dict[str, object], step: str, look: str) -> None:
    marked = [one for one in overview(**changes).steps if one.next]
    assert [(one.name, one.look) for one in marked] == [(step, look)]
    assert marked[0].advice


@pytest.mark.parametrize(("step", "number"), [("Model", None), ("Model", 12), ("Dataset", 12)])
def test_a_failed_training_is_red_where_it_failed_and_leads_to_where_it_is_mended(
    step: str, number: int | None
) -> None:
    failure = FailureFacts(step, "Too many days.", "Change the settings", "/models/1/setup/", LOADED)
    shown = overview(failure=failure, trained=ModelFacts(number, "User neighbours"))
    (marked,) = [one for one in shown.steps if one.next]
    assert (marked.name, marked.look, marked.advice, marked.address) == (
        step, "bad", "Change the settings", "/models/1/setup/",
    )  # fmt: skip
    assert "Press Train now" not in [one.advice for one in shown.steps]


def test_an_empty_model_says_that_nothing_is_connected() -> None:
    empty = overview(
        configured=False,
        sources=SourceFacts(),
        data=DataFacts(),
        dataset=DatasetFacts(),
        trained=ModelFacts(),
        endpoint=EndpointFacts(),
    )
    assert empty.nothing_yet
    assert empty.headline == "Nothing is connected yet."
    assert kpis_of(empty) == []


def test_figures_of_another_version_than_the_one_in_service_say_whose_they_are() -> None:
    lift = lift_of([("ease", "EASE", figure(0.36, 0.35, 0.37))], "ease", "v12")
    other = " The figures below are those of v12, the newest version."
    assert overview(lift=lift, endpoint=EndpointFacts(11, LOADED)).headline == f"v11 answers.{other}"
    stopped = overview(lift=lift, endpoint=EndpointFacts(stopped=11), status="active")
    assert stopped.headline == f"v11 was stopped: nothing answers until it is started again.{other}"
    assert stopped.badge == ("paused", "Stopped")
    resting = overview(lift=lift, endpoint=EndpointFacts(stopped=11), status="paused")
    assert resting.headline == f"{stopped.headline} Its schedules rest."
    assert overview(lift=lift, status="active").badge == ("active", "")
    assert other not in overview(lift=lift).headline


def test_no_latency_is_shown_before_anyone_asked() -> None:
    quiet = overview(endpoint=EndpointFacts(12, LOADED))
    assert [kpi.name for kpi in kpis_of(quiet)] == ["Requests, last 24 h", "Rows in the warehouse", "Customers known"]


def figure(value: float, low: float, high: float) -> dict[str, dict[str, dict[str, float]]]:
    return {"all": {"ndcg@10": {"value": value, "low": low, "high": high}}}


def difference(value: float, low: float, high: float) -> dict[str, object]:
    found = {"value": value, "low": low, "high": high}
    return {"model": "x", "other": "buy_again", "segment": "all", "metric": "ndcg@10", "difference": found}


def test_the_chosen_algorithm_leads_the_chart_and_the_verdict_compares_it_with_buy_again() -> None:
    measured = [
        ("popular", "Popular", figure(0.137, 0.13, 0.145)),
        ("buy_again", "Buy again", figure(0.342, 0.33, 0.35)),
        ("user_knn", "User neighbours", figure(0.381, 0.37, 0.39)),
    ]
    held_out = held_out_words({"test_days": 18, "test_customers": 1011})
    lift = lift_of(
        measured, "user_knn", label_of("User neighbours", 12, True), held_out, [difference(0.039, 0.029, 0.05)]
    )
    assert lift is not None
    assert [row.name for row in lift.rows] == ["User neighbours, v12 (live)", "Buy again", "Popular"]
    assert lift.verdict == "It beats “buy again” by 11 % (± 3 %) on all purchases."
    assert lift.words == "NDCG@10, last 18 days held out, 1,011 customers"
    assert all(row.start <= row.middle <= row.start + row.width <= 100 for row in lift.rows)


def test_a_gain_inside_its_interval_is_not_called_a_win() -> None:
    measured = [("buy_again", "Buy again", figure(0.35, 0.33, 0.37)), ("ease", "EASE", figure(0.36, 0.34, 0.38))]
    lift = lift_of(measured, "ease", "v2", "", [difference(0.01, -0.01, 0.03)])
    assert lift is not None
    assert lift.verdict.startswith("It is level with “buy again”")


ABOVE = ". Why not user_knn, stands below."
REPEATING = [("buy_again", 0.342, 0.30), ("user_knn", 0.359, 0.28)]


@pytest.mark.parametrize(
    ("measured", "headline", "verdict", "why"),
    [
        ([("buy_again", 0.36, 0.30), ("user_knn", 0.35, 0.28)], "ndcg@10", ": nothing else did better.", ""),
        (
            REPEATING,
            "ndcg@10",
            ABOVE,
            "because it did best on the orders before the test; choosing by the test itself would favour luck",
        ),
        (REPEATING, "recall@10", ABOVE, "because it did best by Recall@10 on the orders before the test"),
        (
            [("buy_again", 0.342, 0.30), ("user_knn", 0.359, 0.30)],
            "ndcg@10",
            ABOVE,
            "both were level, and a fixed order decided; choosing by the test itself",
        ),
        (
            [("buy_again", 0.342, 0.30), ("user_knn", 0.359, 0.31)],
            "ndcg@10",
            ABOVE,
            "user_knn was only measured beside, and was not among the algorithms to choose from.",
        ),
        (
            [("buy_again", 0.342, None), ("user_knn", 0.359, None)],
            "ndcg@10",
            ABOVE,
            "for want of earlier orders to choose on, a fixed order decided; choosing by",
        ),
    ],
)
def test_a_choice_that_is_not_the_best_of_the_figures_shown_is_explained(
    measured: list[tuple[str, float, float | None]], headline: str, verdict: str, why: str
) -> None:
    rows = [
        (
            name,
            name,
            {**figure(test, test - 0.01, test + 0.01), "validation": {} if validation is None else {"all": validation}},
        )
        for name, test, validation in measured
    ]
    lift = lift_of(rows, "buy_again", "v1", "", (), headline)
    assert lift is not None
    assert lift.verdict == f"It repeats what each customer bought before{verdict}"
    assert why in lift.choice
    assert lift.choice.startswith("buy_again was chosen because ") == bool(why)
    ahead = (
        "On the test user_knn is ahead, .359 to .342, but the two intervals overlap: such a difference can be chance."
    )
    assert lift.choice.endswith(ahead) == bool(why)


def test_a_lead_on_the_test_beyond_both_intervals_is_not_called_chance() -> None:
    rows = [("buy_again", "Buy again", figure(0.30, 0.29, 0.31)), ("ease", "EASE", figure(0.36, 0.35, 0.37))]
    lift = lift_of(rows, "buy_again", "v1")
    assert lift is not None
    assert "EASE is ahead, .360 to .300, more than chance explains; the next training chooses anew" in lift.choice


@pytest.mark.parametrize(
    ("dataset", "linked"),
    [
        (DATASET, True),
        (DatasetFacts("purchases"), True),
        (DatasetFacts(), False),
    ],
)
def test_the_dataset_step_leads_to_its_settings_whenever_there_is_one(dataset: DatasetFacts, linked: bool) -> None:
    steps = overview(dataset=dataset, addresses={"setup": "/models/1/setup/"}).steps
    assert [step.name for step in steps if step.link == "/models/1/setup/"] == (["Dataset"] if linked else [])


def test_every_step_with_something_on_its_page_leads_there() -> None:
    addresses = {name: f"/{name}/" for name in ("etl", "data", "setup", "versions", "try_it")}
    assert [step.link for step in overview(addresses=addresses).steps] == [
        "/etl/", "/data/", "/setup/", "/versions/", "/try_it/",
    ]  # fmt: skip
    bare = overview(addresses=addresses, dataset=DatasetFacts(), trained=ModelFacts(), endpoint=EndpointFacts())
    assert [step.link for step in bare.steps] == ["/etl/", "/data/", "", "", ""]


def test_an_archived_model_is_told_no_next_thing_to_press() -> None:
    archived = overview(status="archived", endpoint=EndpointFacts(off=True), data=DataFacts(jobs=2))
    assert [step.advice for step in archived.steps if step.next] == [""]


def test_nothing_measured_gives_no_chart() -> None:
    assert lift_of([("ease", "EASE", {})], "ease", "v1") is None


@pytest.mark.parametrize(
    ("kind", "verdict", "brief"),
    [
        ("pipeline", "It is worse than “Popular”: -0.039 [-0.050, -0.020]. NDCG@10 is 0.100.", True),
        ("pipeline", "v3 answers now.", False),
        ("etl", "One sentence. Another.", False),
    ],
)
def test_a_recent_training_says_the_first_sentence_of_its_verdict(kind: str, verdict: str, brief: bool) -> None:
    run = RunView(
        kind=kind,
        id=1,
        model_id=1,
        what="Training",
        status="completed",
        status_word="",
        stages=[StageView("deploy", "Deploy", "skipped", verdict, None, None)],
        trigger="hand",
        created_at=LOADED,
        started_at=LOADED,
        finished_at=LOADED + timedelta(seconds=75),
        attempt=1,
        error="",
        advice="",
    )
    assert run.brief == (f"{run.words.partition('. ')[0]}." if brief else run.words)
    assert verdict in run.words or kind == "etl"
    assert ("NDCG@10" in run.brief) is False


@pytest.mark.parametrize(("state", "told"), [("pending", ""), ("running", ": Dataset")])
def test_a_training_that_has_not_begun_a_stage_is_under_way_all_the_same(state: str, told: str) -> None:
    run = RunView(
        kind="pipeline",
        id=1,
        model_id=1,
        what="Training",
        status="running",
        status_word="",
        stages=[StageView("dataset", "Dataset", state, "", None, None)],
        trigger="hand",
        created_at=LOADED,
        started_at=LOADED,
        finished_at=None,
        attempt=1,
        error="",
        advice="",
    )
    assert overview(running=run).headline == f"Training is under way{told}."


def test_the_line_of_a_version_that_does_not_answer_names_algorithm_and_version_alone() -> None:
    assert label_of("EASE", 3, False) == "EASE, v3"
