"""A bundle answers as the model did when it was fitted, and knows its customers, products and histories."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wholesale_orders import DAY, START, habitual_orders, orders_of

from b2b_recs.engine.algorithms.ranking import rank
from b2b_recs.engine.algorithms.registry import ALGORITHMS, make_algorithm
from b2b_recs.engine.artifacts.bundle import Bundle, Recommender, open_bundle, write_bundle
from b2b_recs.engine.artifacts.store import ArtifactStore
from b2b_recs.engine.artifacts.strings import Strings, pack_strings
from b2b_recs.engine.datasets.interactions import Interactions
from b2b_recs.engine.errors import ArtifactRefused
from b2b_recs.engine.evaluation.splits import select

ORDERS = habitual_orders()
NOW = int(ORDERS.time.max()) + 1
WRITTEN = datetime(2026, 1, 2, tzinfo=UTC)


def bundled(store: ArtifactStore, name: str, data: Interactions = ORDERS) -> Bundle:
    model = make_algorithm(name).fit(data, NOW)
    return open_bundle(store, write_bundle(store, model, data, now=NOW, trained_at=WRITTEN))


@pytest.mark.parametrize("name", sorted(ALGORITHMS))
def test_a_bundle_recommends_what_the_model_ranks(name: str, tmp_path: Path) -> None:
    recommender = Recommender(bundled(ArtifactStore(tmp_path), name))
    model = make_algorithm(name).fit(ORDERS, NOW)
    expected = rank(model.score(np.arange(ORDERS.customers, dtype=np.int32)), 10)
    for customer, (products, scores) in zip(ORDERS.customer_ids, expected, strict=True):
        answer = recommender.recommend(str(customer), 10)
        assert list(answer.products) == list(products)
        assert np.array_equal(answer.scores, scores)
        assert answer.known


def test_an_unknown_customer_gets_what_is_popular_now_and_is_marked(tmp_path: Path) -> None:
    recommender = Recommender(bundled(ArtifactStore(tmp_path), "ials"))
    answer = recommender.recommend("nobody", 5)
    popular = make_algorithm("recent_popular").fit(ORDERS, NOW).score(np.array([-1], dtype=np.int32))
    assert not answer.known
    assert list(answer.products) == list(rank(popular, 5)[0][0])


def test_a_customer_without_orders_is_answered_as_unknown(tmp_path: Path) -> None:
    data = select(ORDERS, ORDERS.customer != 3)
    recommender = Recommender(bundled(ArtifactStore(tmp_path), "ease", data))
    answer = recommender.recommend(str(ORDERS.customer_ids[3]), 5)
    assert not answer.known
    assert len(answer.products) == 5


def test_only_new_products_leave_out_what_was_bought(tmp_path: Path) -> None:
    recommender = Recommender(bundled(ArtifactStore(tmp_path), "user_knn"))
    customer = str(ORDERS.customer_ids[0])
    owned = set(ORDERS.product[ORDERS.customer == 0])
    assert set(recommender.recommend(customer, 5).products) & owned
    assert not set(recommender.recommend(customer, 1000, only_new=True).products) & owned


def test_allowed_products_are_a_hard_limit(tmp_path: Path) -> None:
    recommender = Recommender(bundled(ArtifactStore(tmp_path), "buy_again"))
    allowed = np.zeros(ORDERS.products, dtype=bool)
    allowed[[4, 9]] = True
    assert sorted(recommender.recommend(str(ORDERS.customer_ids[0]), 10, allowed).products) == [4, 9]
    assert sorted(recommender.recommend("nobody", 10, allowed).products) == [4, 9]


def test_history_counts_orders_not_lines(tmp_path: Path) -> None:
    data = orders_of(
        [
            ("a", "x", "1", 0.0, 1.0),
            ("a", "x", "1", 0.0, 1.0),
            ("a", "x", "2", 10.0, 1.0),
            ("a", "x", "3", 30.0, 1.0),
            ("a", "y", "3", 30.0, 1.0),
            ("b", "y", "4", 31.0, 1.0),
        ]
    )
    bundle = bundled(ArtifactStore(tmp_path), "popular", data)
    history = bundle.history(0)
    assert list(history.product) == [0, 1]
    assert list(history.orders) == [3, 1]
    assert list(history.first) == [START, START + 30 * DAY]
    assert list(history.last) == [START + 30 * DAY, START + 30 * DAY]
    assert list(history.quantity) == [4.0, 1.0]
    assert history.mean_days[0] == 15.0
    assert np.isnan(history.mean_days[1])
    assert len(bundle.history(-1).product) == 0


def test_names_and_facts_come_back(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    model = make_algorithm("buy_again", {"half_life_days": 45}).fit(ORDERS, NOW)
    lineage = {"fingerprint": "f" * 64, "table_versions": {"bq_order_lines": 3}, "etl_runs": [7, 8]}
    artifact_id = write_bundle(store, model, ORDERS, now=NOW, trained_at=WRITTEN, lineage=lineage, metrics={"x": 1.0})
    bundle = open_bundle(store, artifact_id)
    assert bundle.facts.algorithm == "buy_again"
    assert bundle.facts.parameters == {"half_life_days": 45.0}
    assert bundle.facts.lineage == lineage
    assert bundle.facts.trained_at == WRITTEN
    assert bundle.facts.data_until == int(ORDERS.time.max())
    assert list(bundle.customer_ids) == list(ORDERS.customer_ids)
    assert list(bundle.product_names) == list(ORDERS.product_names)


def test_an_evaluation_cannot_be_served(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    with pytest.raises(ArtifactRefused, match="not a model"):
        open_bundle(store, store.write("evaluation", {}, {"a": np.zeros(1)}))


def test_an_incomplete_bundle_is_refused(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    artifact = store.open(bundled(store, "user_knn").artifact_id)
    for missing in artifact.arrays:
        less = {name: array for name, array in artifact.arrays.items() if name != missing}
        with pytest.raises(ArtifactRefused, match="complete"):
            open_bundle(store, store.write("bundle", artifact.manifest.facts, less))
    other = {**artifact.manifest.facts, "algorithm": "magic"}
    with pytest.raises(ArtifactRefused, match="complete"):
        open_bundle(store, store.write("bundle", other, artifact.arrays))


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))), st.text())
def test_texts_survive_packing_and_are_found_by_bisection(texts: list[str], wanted: str) -> None:
    texts = sorted(set(texts))
    strings = Strings("t", pack_strings("t", texts))
    assert list(strings) == texts
    assert strings[1:] == texts[1:]
    assert [strings.find(text) for text in texts] == list(range(len(texts)))
    assert strings.find(wanted) == (texts.index(wanted) if wanted in texts else -1)
