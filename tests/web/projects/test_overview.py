"""The path from sources to endpoint marks the one step to act on."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from b2b_recs.web.projects.lift import held_out_words, lift_of
from b2b_recs.web.projects.overview import (
    DataFacts,
    DatasetFacts,
    EndpointFacts,
    ModelFacts,
    Overview,
    SourceFacts,
    kpis_of,
)

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
    lift = lift_of(measured, "user_knn", "v12 (live)", held_out, [difference(0.039, 0.029, 0.05)])
    assert lift is not None
    assert [row.name for row in lift.rows] == ["v12 (live)", "Buy again", "Popular"]
    assert lift.verdict == "It beats “buy again” by 11 % (± 3 %) on all purchases."
    assert lift.words == "NDCG@10, last 18 days held out, 1,011 customers"
    assert all(row.start <= row.middle <= row.start + row.width <= 100 for row in lift.rows)


def test_a_gain_inside_its_interval_is_not_called_a_win() -> None:
    measured = [("buy_again", "Buy again", figure(0.35, 0.33, 0.37)), ("ease", "EASE", figure(0.36, 0.34, 0.38))]
    lift = lift_of(measured, "ease", "v2", "", [difference(0.01, -0.01, 0.03)])
    assert lift is not None
    assert lift.verdict.startswith("It is level with “buy again”")


def test_nothing_measured_gives_no_chart() -> None:
    assert lift_of([("ease", "EASE", {})], "ease", "v1") is None
