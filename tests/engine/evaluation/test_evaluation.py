"""Figures that can be checked by hand, and the parts the property tests do not reach."""

from __future__ import annotations

import math

import numpy as np
import pytest
from wholesale_orders import DAY, START, habitual_orders, orders_of

from b2b_recs.engine.algorithms.registry import make_algorithm
from b2b_recs.engine.evaluation.holdout import holdout_of
from b2b_recs.engine.evaluation.intervals import bootstrap
from b2b_recs.engine.evaluation.metrics import METRICS, SEGMENTS, measure
from b2b_recs.engine.evaluation.report import compare, metrics_of
from b2b_recs.engine.evaluation.splits import cut_at_days, cut_at_quantile, split_at

# Before day 10: a bought x and y, b bought x. After: a buys x (30) and z, which is not in the catalogue, b buys y (10),
# c is a stranger.
LINES = [
    ("a", "x", "1", 0.0, 5.0),
    ("a", "y", "1", 0.0, 5.0),
    ("b", "x", "2", 1.0, 5.0),
    ("a", "x", "3", 11.0, 30.0),
    ("a", "z", "3", 11.0, 99.0),
    ("b", "y", "4", 12.0, 10.0),
    ("c", "x", "5", 12.0, 7.0),
]


def test_the_truth_leaves_out_strangers_and_products_outside_the_catalogue() -> None:
    data = orders_of(LINES)
    holdout = holdout_of(split_at(data, START + 10 * DAY))
    assert [str(data.customer_ids[index]) for index in holdout.customers] == ["a", "b"]
    assert holdout.truth.toarray().tolist() == [[1, 0, 0], [0, 1, 0]]
    assert holdout.revenue.toarray().tolist() == [[30, 0, 0], [0, 10, 0]]
    assert holdout.catalogue.tolist() == [True, True, False]
    assert holdout.buyers.tolist() == [2, 1, 0]
    assert holdout.revenue_total == 146.0


def test_popularity_by_hand() -> None:
    holdout = holdout_of(split_at(data := orders_of(LINES), START + 10 * DAY))
    model = make_algorithm("popular").fit(split_at(data, START + 10 * DAY).train, START + 10 * DAY)
    measured = measure(model, holdout)
    # Both see x, y: a's x is first, b's y is second.
    assert measured.value("all", "ndcg@10") == pytest.approx((1 + 1 / math.log2(3)) / 2)
    assert measured.value("all", "recall@5") == 1.0
    assert measured.value("all", "map@10") == pytest.approx((1 + 0.5) / 2)
    assert measured.value("all", "revenue_recall@10") == 1.0
    assert measured.value("all", "novelty@10") == pytest.approx(0.5)  # x: everyone, y: every second customer
    # New to the customer: only b's y, and x is left out of b's list, so y is first.
    assert measured.value("new", "ndcg@10") == 1.0
    assert measured.denominators["new"][:, METRICS.index("ndcg@10")].tolist() == [0, 1]
    assert measured.coverage == {"all": 1.0, "new": 0.5}


def test_the_share_of_revenue_is_of_money_not_of_customers() -> None:
    lines = [*LINES, ("b", "x", "6", 13.0, 160.0)]
    data = orders_of(lines)
    split = split_at(data, START + 10 * DAY)
    measured = measure(make_algorithm("popular").fit(split.train, split.cut), holdout_of(split))
    at = METRICS.index("revenue_recall@10")
    assert measured.denominators["all"][:, at].tolist() == [30.0, 170.0]
    assert measured.value("all", "revenue_recall@10") == 1.0


def test_the_cut_is_the_moment_before_which_the_share_lies() -> None:
    data = habitual_orders()
    cut = cut_at_quantile(data, 0.9)
    assert (data.time < cut).mean() == pytest.approx(0.9, abs=0.01)
    assert cut_at_days(data, 30) == data.time.max() - 30 * DAY
    with pytest.raises(ValueError, match="no lines"):
        cut_at_days(orders_of([]), 3)


def test_intervals_hold_their_value_and_shrink_with_more_customers() -> None:
    widths = []
    for customers in (20, 320):
        data = habitual_orders(customers=customers)
        split = split_at(data, cut_at_quantile(data, 0.8))
        holdout = holdout_of(split)
        models = {
            name: measure(make_algorithm(name).fit(split.train, split.cut), holdout) for name in ("popular", "ials")
        }
        draws = bootstrap(models)
        figure = metrics_of(draws, "ials")["all"]["ndcg@10"]
        assert figure.low < figure.value < figure.high
        widths.append(figure.high - figure.low)
        own = compare(draws, "ials", "ials", "ndcg@10")[0].difference
        assert (own.value, own.low, own.high) == (0.0, 0.0, 0.0)
    assert widths[1] < widths[0] / 2


def test_a_paired_interval_is_narrower_than_two_apart() -> None:
    data = habitual_orders(customers=100)
    split = split_at(data, cut_at_quantile(data, 0.8))
    holdout = holdout_of(split)
    models = {
        str(days): measure(make_algorithm("buy_again", {"half_life_days": days}).fit(split.train, split.cut), holdout)
        for days in (30, 60)
    }
    draws = bootstrap(models)
    one, other = (draws.figure(name, "all", "ndcg@10") for name in ("30", "60"))
    paired = draws.difference("30", "60", "all", "ndcg@10")
    assert paired.high - paired.low < (one.high - one.low + other.high - other.low) / 2


def test_no_customer_and_one_customer_give_no_interval() -> None:
    lines = [("a", "x", "1", 0.0, 1.0), ("a", "x", "2", 11.0, 1.0)]
    split = split_at(orders_of(lines), START + 10 * DAY)
    draws = bootstrap({"popular": measure(make_algorithm("popular").fit(split.train, split.cut), holdout_of(split))})
    alone, nobody = (metrics_of(draws, "popular")[segment]["ndcg@10"] for segment in SEGMENTS)
    assert (alone.value, alone.low, alone.high) == (1.0, None, None)
    assert (nobody.value, nobody.low, nobody.high) == (None, None, None)


def test_a_limited_holdout_keeps_each_customers_own_truth() -> None:
    data = habitual_orders()
    holdout = holdout_of(split_at(data, cut_at_quantile(data, 0.8)))
    few = holdout.limited(7, seed=2)
    assert len(few) == few.truth.shape[0] == 7
    assert holdout.limited(10_000, seed=2) is holdout
    for row, customer in enumerate(few.customers):
        whole = int(np.flatnonzero(holdout.customers == customer)[0])
        assert (few.truth[row] != holdout.truth[whole]).nnz == 0
        assert (few.owned[row] != holdout.owned[whole]).nnz == 0
