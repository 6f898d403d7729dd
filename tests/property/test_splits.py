"""No line of the future is ever learnt from."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from wholesale_orders import START, habitual_orders, orders_of

from b2b_recs.engine.algorithms.registry import ALGORITHMS, make_algorithm
from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.evaluation.holdout import holdout_of
from b2b_recs.engine.evaluation.splits import (
    DAY,
    cut_at_days,
    cut_at_quantile,
    rolling_origin,
    select,
    split_at,
)
from b2b_recs.engine.training.periods import make_periods
from b2b_recs.engine.training.spec import TestSplit

lines = st.lists(
    st.tuples(
        st.sampled_from("abcdef"), st.sampled_from("uvwxyz"), st.text("12", min_size=1), st.floats(0, 90), st.just(1.0)
    ),
    min_size=1,
    max_size=80,
)


@settings(max_examples=80, deadline=None)
@given(lines, st.floats(0, 1), st.integers(1, 100))
def test_every_line_is_on_exactly_one_side_of_the_cut(rows: list, quantile: float, days: int) -> None:
    data = orders_of(rows)
    for cut in (cut_at_quantile(data, quantile), cut_at_days(data, days)):
        split = split_at(data, cut)
        assert len(split.train) + len(split.test) == len(data)
        assert (split.train.time < cut).all()
        assert (split.test.time >= cut).all()
        assert split.train.customers == split.test.customers == data.customers


@settings(max_examples=80, deadline=None)
@given(lines, st.integers(1, 40), st.integers(1, 4))
def test_rolling_origins_learn_only_from_before_their_own_test(rows: list, days: int, folds: int) -> None:
    data = orders_of(rows)
    splits = rolling_origin(data, days, folds)
    tested = np.concatenate([split.test.time for split in splits])
    assert len(splits) == folds
    assert len(tested) == (data.time > data.time.max() - round(days * DAY) * folds).sum()
    for earlier, later in itertools.pairwise(splits):
        assert earlier.cut < later.cut
        assert (earlier.test.time < later.cut).all()
    for split in splits:
        assert (split.train.time < split.cut).all()


@settings(max_examples=60, deadline=None)
@given(lines, st.integers(1, 60))
def test_tuning_never_sees_the_test_period(rows: list, days: int) -> None:
    data = orders_of(rows)
    try:
        periods = make_periods(data, TestSplit(test_days=days))
    except BadInput as refused:
        assert refused.field == "split.test_days"
        return
    cut = periods.test.cut
    assert (periods.test.train.time < cut).all()
    if periods.tuning is not None:
        assert (periods.tuning.train.time < periods.tuning.cut).all()
        assert (periods.tuning.test.time < cut).all()


@settings(max_examples=60, deadline=None)
@given(lines, st.floats(0.1, 0.9))
def test_the_truth_is_what_known_customers_bought_of_the_catalogue_after_the_cut(rows: list, quantile: float) -> None:
    data = orders_of(rows)
    cut = cut_at_quantile(data, quantile)
    holdout = holdout_of(split_at(data, cut))
    times = [START + round(row[3] * DAY) for row in rows]
    before = [row for row, time in zip(rows, times, strict=True) if time < cut]
    after = [row for row, time in zip(rows, times, strict=True) if time >= cut]
    catalogue = {row[1] for row in before}
    known = {row[0] for row in before}
    expected = {(row[0], row[1]) for row in after if row[0] in known and row[1] in catalogue}
    found = {
        (str(data.customer_ids[holdout.customers[row]]), str(data.product_ids[product]))
        for row, product in zip(*holdout.truth.nonzero(), strict=True)
    }
    assert found == expected
    assert {str(data.product_ids[index]) for index in np.flatnonzero(holdout.catalogue)} == catalogue


def test_changing_the_future_changes_no_score() -> None:
    data = habitual_orders()
    cut = cut_at_quantile(data, 0.8)
    shuffled = data.product.copy()
    later = data.time >= cut
    shuffled[later] = np.random.default_rng(0).permutation(shuffled[later])
    everyone = np.arange(data.customers, dtype=np.int32)
    for name in ALGORITHMS:
        whole = make_algorithm(name).fit(split_at(data, cut).train, cut).score(everyone)
        other = make_algorithm(name).fit(select(data, ~later), cut).score(everyone)
        assert np.array_equal(whole, other), name
