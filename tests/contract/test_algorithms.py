"""What every registered algorithm must do; a new one is tested here without a word."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from pathlib import Path

import numpy as np
import pytest
from wholesale_orders import DAY, START, habitual_orders, orders_of

import b2b_recs.engine.algorithms as package
from b2b_recs.engine.algorithms.contract import Algorithm
from b2b_recs.engine.algorithms.ranking import rank
from b2b_recs.engine.algorithms.registry import ALGORITHMS, BASELINES, algorithm_class, make_algorithm
from b2b_recs.engine.artifacts.store import ArtifactStore
from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.evaluation.splits import select

ORDERS = habitual_orders()
NOW = int(ORDERS.time.max()) + 1
EVERYONE = np.arange(ORDERS.customers, dtype=np.int32)

pytestmark = pytest.mark.parametrize("name", sorted(ALGORITHMS))


@pytest.fixture(scope="module")
def fitted() -> dict[str, Algorithm]:
    return {name: make_algorithm(name).fit(ORDERS, NOW) for name in ALGORITHMS}


def test_scores_have_one_row_per_customer_and_one_column_per_product(name: str, fitted: dict[str, Algorithm]) -> None:
    scores = fitted[name].score(EVERYONE[:7])
    assert scores.shape == (7, ORDERS.products)
    assert scores.dtype == np.float32
    assert not np.isnan(scores).any()
    assert np.isfinite(scores).all(axis=1).all(), "every product was sold to someone, so each has a score"


def test_one_customer_alone_gets_the_same_bits_as_in_a_batch(name: str, fitted: dict[str, Algorithm]) -> None:
    together = fitted[name].score(EVERYONE)
    alone = np.concatenate([fitted[name].score(EVERYONE[row : row + 1]) for row in range(len(EVERYONE))])
    assert np.array_equal(together, alone)
    assert np.array_equal(fitted[name].score(EVERYONE[::-1]), together[::-1])


def test_the_same_data_gives_the_same_model(name: str, fitted: dict[str, Algorithm]) -> None:
    again = make_algorithm(name).fit(ORDERS, NOW).arrays()
    for key, array in fitted[name].arrays().items():
        assert np.array_equal(array, again[key]), key


def test_a_model_written_and_mapped_back_scores_the_same(
    name: str, fitted: dict[str, Algorithm], tmp_path: Path
) -> None:
    model = fitted[name]
    store = ArtifactStore(tmp_path)
    artifact = store.open(store.write("bundle", {}, model.arrays()))
    assert not any(array.flags.writeable for array in artifact.arrays.values())
    again = type(model).from_arrays(model.parameters, artifact.arrays)
    assert np.array_equal(again.score(EVERYONE), model.score(EVERYONE))


def test_arrays_are_plain_numbers(name: str, fitted: dict[str, Algorithm]) -> None:
    for key, array in fitted[name].arrays().items():
        assert array.dtype.kind in "biuf", f"{key} has type {array.dtype}"


def test_a_product_never_sold_is_never_recommended(name: str) -> None:
    unsold = 5
    data = select(ORDERS, ORDERS.product != unsold)
    scores = make_algorithm(name).fit(data, NOW).score(EVERYONE)
    assert (scores[:, unsold] == -np.inf).all()
    assert all(unsold not in products for products, _ in rank(scores, 10_000))


def test_more_products_asked_than_there_are_gives_each_once(name: str, fitted: dict[str, Algorithm]) -> None:
    products, _ = rank(fitted[name].score(EVERYONE[:1]), 100_000)[0]
    assert sorted(products) == list(range(ORDERS.products))


def test_an_unknown_customer_gets_popularity_or_no_opinion(name: str, fitted: dict[str, Algorithm]) -> None:
    scores = fitted[name].score(np.array([-1], dtype=np.int32))
    if fitted[name].recommends_for_cold:
        popular = fitted["popular"].score(EVERYONE[:1])[0] if name == "popular" else None
        best = int(rank(scores, 1)[0][0][0])
        assert np.isfinite(scores).all()
        assert popular is None or best == int(rank(popular[None], 1)[0][0][0])
    else:
        assert (scores == -np.inf).all()


def test_a_customer_whose_orders_were_all_left_out_is_treated_as_unknown(name: str) -> None:
    data = select(ORDERS, ORDERS.customer != 3)
    model = make_algorithm(name).fit(data, NOW)
    left_out = model.score(np.array([3], dtype=np.int32))
    assert np.array_equal(left_out, model.score(np.array([-1], dtype=np.int32)))


def test_the_same_product_on_two_lines_of_an_order_counts_once(name: str) -> None:
    lines = [("a", "x", "1", 0.0, 5.0), ("a", "y", "1", 0.0, 5.0), ("b", "x", "2", 1.0, 5.0), ("b", "z", "3", 2.0, 5.0)]
    once, twice = orders_of(lines), orders_of([*lines, lines[0]])
    now = START + 3 * DAY
    both = np.array([0, 1], dtype=np.int32)
    assert np.array_equal(
        make_algorithm(name).fit(once, now).score(both), make_algorithm(name).fit(twice, now).score(both)
    )


def test_one_customer_with_one_product_is_enough(name: str) -> None:
    data = orders_of([("a", "x", "1", 0.0, 5.0)])
    scores = make_algorithm(name).fit(data, START + DAY).score(np.array([0], dtype=np.int32))
    assert scores.shape == (1, 1)
    assert np.isfinite(scores).all()


def test_a_fit_on_nothing_has_no_opinion(name: str) -> None:
    nothing = select(ORDERS, np.zeros(len(ORDERS), dtype=bool))
    scores = make_algorithm(name).fit(nothing, NOW).score(EVERYONE[:2])
    assert scores.shape == (2, ORDERS.products)
    assert (scores == -np.inf).all()


def test_settings_survive_json_and_every_grid_point_is_valid(name: str) -> None:
    kind = algorithm_class(name)
    assert kind.grid, "automatic choice needs at least one point"
    for point in kind.grid:
        parameters = make_algorithm(name, point).parameters
        assert kind.Parameters.model_validate_json(parameters.model_dump_json()) == parameters


def test_a_setting_that_does_not_exist_is_named(name: str) -> None:
    with pytest.raises(BadInput, match="sparkle") as refused:
        make_algorithm(name, {"sparkle": 3})
    assert refused.value.field == f"algorithms.{name}.sparkle"


def test_every_algorithm_in_the_package_is_registered(name: str) -> None:
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    families = [Algorithm, *Algorithm.__subclasses__()]
    own = {kind for family in families for kind in family.__subclasses__() if not inspect.isabstract(kind)}
    own = {kind for kind in own if kind.__module__.startswith(package.__name__)}
    assert own == set(ALGORITHMS.values())
    assert algorithm_class(name).name == name
    assert set(BASELINES) <= set(ALGORITHMS)
