"""The fast metrics against slow, obvious ones."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wholesale_orders import DAY, START, orders_of

from b2b_recs.engine.algorithms.ranking import rank
from b2b_recs.engine.evaluation.holdout import holdout_of
from b2b_recs.engine.evaluation.intervals import bootstrap
from b2b_recs.engine.evaluation.metrics import RECALL_AT, measure
from b2b_recs.engine.evaluation.splits import split_at

CUT = 10

lines = st.lists(
    st.tuples(
        st.sampled_from("abcde"),
        st.sampled_from("pqrstuvwxyz0123456789"),
        st.sampled_from("1234"),
        st.integers(0, 19).map(float),
        st.integers(0, 50).map(float),
    ).map(lambda line: (line[0], line[1], f"{line[0]}{line[2]}-{line[3]}", line[3], line[4])),
    min_size=1,
    max_size=60,
)


class Fixed:
    """A model with given scores."""

    def __init__(self, scores: np.ndarray) -> None:
        self.scores = scores

    def score(self, customers: np.ndarray) -> np.ndarray:
        return self.scores[customers]


def naive_rank(scores: list[float], k: int, allowed: set[int]) -> list[int]:
    usable = [product for product in allowed if scores[product] > -math.inf]
    return sorted(usable, key=lambda product: (-scores[product], product))[:k]


def naive_recall(ranked: list[int], truth: set[int], k: int) -> float:
    return len(set(ranked[:k]) & truth) / min(k, len(truth))


def naive_ndcg(ranked: list[int], truth: set[int], k: int = 10) -> float:
    gained = sum(1 / math.log2(place + 2) for place, product in enumerate(ranked[:k]) if product in truth)
    return gained / sum(1 / math.log2(place + 2) for place in range(min(k, len(truth))))


def naive_map(ranked: list[int], truth: set[int], k: int = 10) -> float:
    hits, total = 0, 0.0
    for place, product in enumerate(ranked[:k], start=1):
        if product in truth:
            hits += 1
            total += hits / place
    return total / min(k, len(truth))


@settings(max_examples=60, deadline=None)
@given(lines, st.integers(0, 2**31), st.booleans())
def test_metrics_equal_their_naive_definitions(rows: list, seed: int, ties: bool) -> None:
    data = orders_of(rows)
    split = split_at(data, START + CUT * DAY)
    holdout = holdout_of(split)
    random = np.random.default_rng(seed)
    scores = random.normal(size=(data.customers, data.products)).astype(np.float32)
    scores = np.round(scores) if ties else scores
    measured = measure(Fixed(scores), holdout)  # type: ignore[arg-type]

    before = [row for row in rows if row[3] < CUT]
    after = [row for row in rows if row[3] >= CUT]
    place = {product: index for index, product in enumerate(data.product_ids)}
    catalogue = {place[row[1]] for row in before}
    buyers = {product: {row[0] for row in before if place[row[1]] == product} for product in catalogue}
    people = len({row[0] for row in before})
    expected: dict[tuple[str, str], list[float]] = {}
    money: dict[tuple[str, int], list[float]] = {}
    for segment in ("all", "new"):
        for index, customer in enumerate(data.customer_ids):
            owned = {place[row[1]] for row in before if row[0] == customer}
            hidden = owned if segment == "new" else set()
            truth = {place[row[1]] for row in after if row[0] == customer} & catalogue - hidden
            if not owned or not truth:
                continue
            ranked = naive_rank(list(scores[index]), 100, catalogue - hidden)
            for k in RECALL_AT:
                expected.setdefault((segment, f"recall@{k}"), []).append(naive_recall(ranked, truth, k))
            expected.setdefault((segment, "ndcg@10"), []).append(naive_ndcg(ranked, truth))
            expected.setdefault((segment, "map@10"), []).append(naive_map(ranked, truth))
            information = [-math.log2(len(buyers[product]) / people) for product in ranked[:10]]
            expected.setdefault((segment, "novelty@10"), []).append(sum(information) / len(information))
            for k in (10, 100):
                spent = {p: sum(r[4] for r in after if r[0] == customer and place[r[1]] == p) for p in truth}
                pair = money.setdefault((segment, k), [0.0, 0.0])
                pair[0] += sum(spent[product] for product in set(ranked[:k]) & truth)
                pair[1] += sum(spent.values())
    for segment in ("all", "new"):
        if (segment, "ndcg@10") not in expected:
            assert math.isnan(measured.value(segment, "ndcg@10"))
            continue
        for (named, metric), values in expected.items():
            if named == segment:
                assert measured.value(segment, metric) == pytest.approx(sum(values) / len(values), abs=1e-9), metric
        for k in (10, 100):
            hit, total = money[segment, k]
            if total:
                assert measured.value(segment, f"revenue_recall@{k}") == pytest.approx(hit / total)
            else:
                assert math.isnan(measured.value(segment, f"revenue_recall@{k}"))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from([0.0, 1.0, 1.5, -2.0, -math.inf, math.nan]), min_size=1, max_size=30),
    st.integers(0, 40),
    st.data(),
)
def test_ranking_equals_a_plain_sort(row: list[float], k: int, data: st.DataObject) -> None:
    allowed = data.draw(st.lists(st.booleans(), min_size=len(row), max_size=len(row)))
    scores = np.array([row], dtype=np.float32)
    products, values = rank(scores, k, np.array(allowed))[0]
    assert list(products) == naive_rank(row, k, {index for index, yes in enumerate(allowed) if yes})
    assert list(values) == [np.float32(row[product]) for product in products]


def test_the_bootstrap_equals_drawing_customers_one_by_one() -> None:
    rows = [(c, p, f"{c}{d}", float(d), 1.0) for c in "abcde" for p, d in (("x", 1), ("y", 2), ("z", 3))]
    rows += [("a", "x", "a9", 12.0, 3.0), ("b", "y", "b9", 12.0, 4.0), ("c", "z", "c9", 13.0, 5.0)]
    data = orders_of(rows)
    holdout = holdout_of(split_at(data, START + CUT * DAY))
    good = measure(Fixed(np.eye(5, 3, dtype=np.float32)), holdout)  # type: ignore[arg-type]
    flat = measure(Fixed(np.zeros((5, 3), dtype=np.float32)), holdout)  # type: ignore[arg-type]
    draws = bootstrap({"good": good, "flat": flat}, draws=50, seed=3)
    random = np.random.default_rng(3)
    picks = random.integers(0, 3, size=(50, 3))
    values = {name: each.numerators["all"][:, 4] for name, each in (("good", good), ("flat", flat))}
    for name, column in values.items():
        expected = [np.mean([column[person] for person in pick]) for pick in picks]
        figure = draws.figure(name, "all", "ndcg@10")
        assert figure.low == pytest.approx(np.percentile(expected, 2.5))
        assert figure.high == pytest.approx(np.percentile(expected, 97.5))
    apart = [np.mean(values["good"][pick]) - np.mean(values["flat"][pick]) for pick in picks]
    difference = draws.difference("good", "flat", "all", "ndcg@10")
    assert difference.value == pytest.approx(np.mean(values["good"]) - np.mean(values["flat"]))
    assert difference.low == pytest.approx(np.percentile(apart, 2.5))
