"""Whatever k, filter, customer or algorithm: nothing outside the request's limits is ever returned."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from serving_house import CUSTOMERS, NOW, PRODUCTS, House, orders

from b2b_recs.engine.algorithms.registry import ALGORITHMS
from b2b_recs.engine.serving.requests import Filters
from b2b_recs.engine.serving.served import ServedModel, open_served

CATEGORY = {product: ("candles", "mugs", "tins")[number % 3] for number, product in enumerate(PRODUCTS)}
some_products = st.lists(st.sampled_from([*PRODUCTS, "P99"]), max_size=25)


@cache
def served(algorithm: str) -> ServedModel:
    with TemporaryDirectory() as folder:  # an open model keeps its mapped files
        house = House(Path(folder))
        return open_served(house.store.root, house.train(algorithm), NOW)


@cache
def bought() -> dict[str, set[str]]:
    data = orders()
    mine: dict[str, set[str]] = {customer: set() for customer in (*CUSTOMERS, "nobody")}
    for customer, product in zip(data.customer, data.product, strict=True):
        mine[CUSTOMERS[customer]].add(PRODUCTS[product])
    return mine


@settings(max_examples=150, deadline=None)
@given(
    algorithm=st.sampled_from(sorted(ALGORITHMS)),
    customers=st.lists(st.sampled_from([*CUSTOMERS, "nobody"]), min_size=1, max_size=4),
    k=st.integers(1, 1000),
    exclude=some_products,
    categories=st.none() | st.lists(st.sampled_from(["candles", "mugs", "none"]), min_size=1),
    listed=st.none() | some_products,
    purchased=st.sampled_from([None, "only", "never"]),
)
def test_every_product_returned_passes_every_limit(algorithm, customers, k, exclude, categories, listed, purchased):
    model = served(algorithm)
    filters = Filters(categories, listed, purchased)
    answers = model.recommend_batch(customers, k, filters, exclude, NOW)
    sold = set().union(*bought().values())
    for customer, answer in zip(customers, answers, strict=True):
        mine = bought()[customer]
        let_through = {
            product
            for product in sold
            if product not in exclude
            and (categories is None or CATEGORY[product] in categories)
            and (listed is None or product in listed)
            and (purchased != "only" or product in mine)
            and (purchased != "never" or product not in mine)
        }
        found = [item.product_id for item in answer.recommendations]
        assert set(found) <= let_through
        assert len(found) == len(set(found)) == min(k, len(let_through))
        assert answer == model.recommend(customer, k, filters, exclude, NOW)
