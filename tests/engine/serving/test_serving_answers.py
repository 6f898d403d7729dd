"""What a served model answers: order, reasons, limits, unknown customers."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from serving_house import CUSTOMERS, KEY, NOW, NOW_MICROSECONDS, PRODUCTS, orders

from b2b_recs.engine.algorithms.ranking import rank
from b2b_recs.engine.algorithms.registry import ALGORITHMS, make_algorithm


def ids(reply):
    assert reply.status_code == 200, reply.text
    return [item["product_id"] for item in reply.json()["recommendations"]]


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
async def test_ids_and_scores_equal_those_of_the_offline_ranking(house, running, algorithm):
    house.deploy(house.train(algorithm))
    interactions = orders()
    model = make_algorithm(algorithm).fit(interactions, NOW_MICROSECONDS)
    offline = rank(model.score(np.arange(len(CUSTOMERS), dtype=np.int32)), 10)
    async with running() as served:
        for customer, (products, scores) in zip(CUSTOMERS, offline, strict=True):
            found = (await served.ask(customer_id=customer, k=10)).json()["recommendations"]
            chosen = found[: len(products)]
            assert all(item["list"] == "popular" for item in found[len(products) :])
            assert [item["product_id"] for item in chosen] == [PRODUCTS[index] for index in products]
            assert [item["score"] for item in chosen] == pytest.approx(scores.tolist(), rel=1e-5)


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
async def test_a_batch_answers_as_one_by_one(house, running, algorithm):
    house.deploy(house.train(algorithm))
    asked = [*CUSTOMERS, "nobody", CUSTOMERS[3]]
    async with running() as served:
        batch = (await served.ask("/recommend-batch", customers=asked, k=7, exclude=["P01"])).json()
        assert [result["customer"] for result in batch["results"]] == asked
        for result in batch["results"]:
            single = (await served.ask(customer_id=result["customer"], k=7, exclude=["P01"])).json()
            assert single.pop("model_version") == batch["model_version"]
            assert single == result


async def test_k_larger_than_the_catalogue_returns_every_product_once_in_falling_score(house, running):
    house.deploy(house.train("buy_again"))
    sold = {PRODUCTS[index] for index in np.unique(orders().product)}
    async with running() as served:
        reply = await served.ask(customer_id="C00", k=1000)
    assert sorted(ids(reply)) == sorted(sold)
    scores = [item["score"] for item in reply.json()["recommendations"]]
    assert scores == sorted(scores, reverse=True)


async def test_an_unknown_customer_gets_what_is_popular_and_is_told_so(house, running):
    house.deploy(house.train("buy_again"))
    async with running() as served:
        reply = (await served.ask(customer_id="nobody", k=5)).json()
    assert reply["known"] is False
    assert "not in the data" in reply["note"]
    assert {item["list"] for item in reply["recommendations"]} == {"popular"}
    assert all(item["reason"].startswith("Popular") for item in reply["recommendations"])
    assert len(reply["recommendations"]) == 5


@pytest.mark.parametrize("algorithm", ["buy_again", "user_knn"])
async def test_popular_products_that_fill_a_list_say_so_and_not_that_similar_customers_buy_them(
    house, running, algorithm
):
    house.deploy(house.train(algorithm))
    never = {"purchased": "never"}
    async with running() as served:
        found = (await served.ask(customer_id="C00", k=30, filters=never)).json()["recommendations"]
        stranger = (await served.ask(customer_id="nobody", k=30)).json()["recommendations"]
    popular = {item["product_id"]: item["reason"] for item in stranger}
    fill = [item for item in found if item["list"] == "popular"]
    assert all(item["reason"] == popular[item["product_id"]] for item in fill)
    assert all(item["list"] == "popular" for item in found if item["score"] <= 1e-12)
    chosen = [item for item in found if item["list"] != "popular"]
    assert all(item["list"] == "new for you" and "similar orders" in item["reason"] for item in chosen)
    assert (fill, chosen) == ((found, []) if algorithm == "buy_again" else ([], found))  # all of them are neighbours


async def test_a_known_customer_is_marked_known_without_a_note(house, running):
    house.deploy(house.train("buy_again"))
    async with running() as served:
        reply = (await served.ask(customer_id="C00", k=1)).json()
    assert reply["known"] is True
    assert "note" not in reply


async def test_the_reason_gives_the_rhythm_the_last_order_and_the_usual_amount(house, running):
    house.deploy(house.train("buy_again"))
    async with running() as served:
        first = (await served.ask(customer_id="C00", k=1)).json()["recommendations"][0]
    assert first["product_id"] == "P00"
    assert first["reason"] == "Ordered every 30 days; last 33 days ago. About 24 an order."
    assert first["list"] == "due to reorder"
    assert first["name"] == "Product 0"


async def test_ages_are_dates_once_the_data_has_ended_long_ago(house, running):
    house.deploy(house.train("buy_again"))
    house.now = NOW + timedelta(days=4000)
    async with running() as served:
        first = (await served.ask(customer_id="C00", k=1)).json()["recommendations"][0]
    assert first["reason"] == "Ordered every 30 days; last on 29 Apr 2026. About 24 an order."


async def test_only_purchased_and_never_purchased_split_the_catalogue(house, running):
    house.deploy(house.train("buy_again"))
    interactions = orders()
    mine = {PRODUCTS[index] for index in interactions.product[interactions.customer == 3]}
    async with running() as served:
        only = ids(await served.ask(customer_id="C03", k=1000, filters={"purchased": "only"}))
        never = ids(await served.ask(customer_id="C03", k=1000, filters={"purchased": "never"}))
        stranger = ids(await served.ask(customer_id="nobody", k=1000, filters={"purchased": "only"}))
    assert set(only) == mine
    assert not set(never) & mine
    assert len(never) + len(only) == len(set(interactions.product.tolist()))
    assert stranger == []


async def test_categories_and_an_allow_list_limit_what_is_shown(house, running):
    house.deploy(house.train("buy_again"))
    async with running() as served:
        mugs = ids(await served.ask(customer_id="C03", k=1000, filters={"categories": ["mugs", "unheard of"]}))
        listed = ids(await served.ask(customer_id="C03", k=10, filters={"products": ["P02", "P01", "P99"]}))
        nothing = ids(await served.ask(customer_id="C03", k=10, filters={"products": []}))
    assert mugs and all(int(product[1:]) % 3 == 1 for product in mugs)
    assert set(listed) == {"P01", "P02"}
    assert nothing == []


async def test_the_context_comes_back_as_it_was_sent(house, running):
    house.deploy(house.train("buy_again"))
    async with running() as served:
        reply = (await served.ask(customer_id="C03", context={"channel": "phone", "basket": 3})).json()
    assert reply["context"] == {"channel": "phone", "basket": 3}


async def test_model_info_tells_version_algorithm_metrics_with_intervals_and_lineage(house, running):
    house.deploy(house.train("buy_again"), version="v4")
    async with running() as served:
        info = (await served.get("/model-info")).json()
    assert info["version"] == "v4"
    assert info["algorithm"]["name"] == "buy_again"
    assert info["metrics"] == {"recall@10": {"value": 0.3, "low": 0.2, "high": 0.4}}
    assert info["dataset_version"] == 3
    assert info["trained_at"] == NOW.isoformat()
    assert info["products"] == 30


@pytest.mark.parametrize("size", [{"customers": 1}, {"products": 1}, {"customers": 1, "products": 1}])
async def test_one_customer_or_one_product_is_enough(house, running, size):
    house.deploy(house.train("buy_again", **size))
    async with running() as served:
        assert "P00" in ids(await served.ask(customer_id="C00", k=10, key=KEY))
