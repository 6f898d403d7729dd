"""The OpenAPI document says what the endpoints do."""

from __future__ import annotations

import pytest
from serving_house import KEY, bearer


async def test_every_route_of_the_application_is_described_with_its_method(house, running):
    async with running() as served:
        paths = (await served.get("/openapi.json", None)).json()["paths"]
        routes = {
            (route.path.replace(":model_number", ""), method.lower())
            for route in served.app.routes
            for method in route.methods - {"HEAD"}
            if route.path != "/openapi.json"
        }
    described = {(path, method) for path, item in paths.items() for method in item if method in ("get", "post")}
    assert described == routes


async def test_the_limits_described_are_the_limits_checked(house, running):
    house.deploy(house.train())
    async with running() as served:
        schemas = (await served.get("/openapi.json")).json()["components"]["schemas"]
        k = schemas["RecommendBody"]["properties"]["k"]
        replies = [await served.ask(customer_id="C01", k=k[edge]) for edge in ("minimum", "maximum")]
        beyond = [await served.ask(customer_id="C01", k=value) for value in (k["minimum"] - 1, k["maximum"] + 1)]
    assert schemas["RecommendBody"]["required"] == ["customer_id"]
    assert schemas["RecommendBody"]["additionalProperties"] is False
    assert [reply.status_code for reply in replies] == [200, 200]
    assert [reply.status_code for reply in beyond] == [422, 422]


@pytest.mark.parametrize(
    ("path", "raw"),
    [
        ("/recommend", b"{}"),
        ("/recommend", b"{"),
        ("/recommend-batch", b"[]"),
        ("/recommend", b'{"customer_id": "C01"}'),
    ],
)
async def test_replies_have_a_status_that_is_described(house, running, path, raw):
    house.deploy(house.train())
    async with running() as served:
        described = (await served.get("/openapi.json")).json()["paths"][path]["post"]["responses"]
        with_key = await served.client.post(path, content=raw, headers=bearer(KEY))
        without = await served.client.post(path, content=raw)
    assert str(with_key.status_code) in described
    assert str(without.status_code) in described
