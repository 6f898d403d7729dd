"""Bad input: refused with a status, a code, and the name of the field at fault."""

from __future__ import annotations

import pytest
from serving_house import KEY, bearer

from b2b_recs.engine.serving.requests import MOST_BYTES

WRONG = [
    ({}, "customer_id", "missing"),
    ({"customer_id": 17850}, "customer_id", "bad_value"),
    ({"customer_id": ""}, "customer_id", "bad_value"),
    ({"customer_id": None}, "customer_id", "bad_value"),
    ({"customer_id": "a\x00b"}, "customer_id", "bad_value"),
    ({"customer_id": "x" * 257}, "customer_id", "bad_value"),
    ({"customer_id": "C01", "k": 0}, "k", "bad_value"),
    ({"customer_id": "C01", "k": -1}, "k", "bad_value"),
    ({"customer_id": "C01", "k": 100_000}, "k", "bad_value"),
    ({"customer_id": "C01", "k": 10**40}, "k", "bad_value"),
    ({"customer_id": "C01", "k": "10"}, "k", "bad_value"),
    ({"customer_id": "C01", "k": 1.5}, "k", "bad_value"),
    ({"customer_id": "C01", "k": True}, "k", "bad_value"),
    ({"customer_id": "C01", "number": 5}, "number", "unknown_field"),
    ({"customer_id": "C01", "filters": []}, "filters", "bad_value"),
    ({"customer_id": "C01", "filters": {"colour": ["red"]}}, "filters.colour", "unknown_field"),
    ({"customer_id": "C01", "filters": {"purchased": "sometimes"}}, "filters.purchased", "bad_value"),
    ({"customer_id": "C01", "filters": {"categories": "mugs"}}, "filters.categories", "bad_value"),
    ({"customer_id": "C01", "filters": {"products": [1]}}, "filters.products[0]", "bad_value"),
    ({"customer_id": "C01", "exclude": "P01"}, "exclude", "bad_value"),
    ({"customer_id": "C01", "exclude": ["P01", None]}, "exclude[1]", "bad_value"),
    ({"customer_id": "C01", "exclude": ["P"] * 10_001}, "exclude", "bad_value"),
    ({"customer_id": "C01", "context": [1]}, "context", "bad_value"),
    ({"customer_id": "C01", "context": {"a": [1]}}, "context[...]", "bad_value"),
    ({"customer_id": "C01", "context": {str(n): n for n in range(33)}}, "context", "bad_value"),
]


@pytest.mark.parametrize(("body", "field", "code"), WRONG)
async def test_a_wrong_field_is_refused_by_name(house, running, body, field, code):
    house.deploy(house.train())
    async with running() as served:
        reply = await served.ask(**body)
    assert reply.status_code == 422
    error = reply.json()["error"]
    assert (error["field"], error["code"]) == (field, code)
    assert error["message"].startswith(field.split("[")[0])
    assert error["advice"]


@pytest.mark.parametrize(
    ("customers", "field"), [([], "customers"), (["C01"] * 1001, "customers"), (["C01", 5], "customers[1]")]
)
async def test_a_batch_holds_1_to_1000_customer_ids(house, running, customers, field):
    house.deploy(house.train())
    async with running() as served:
        reply = await served.ask("/recommend-batch", customers=customers)
        full = await served.ask("/recommend-batch", customers=["C01"] * 1000, k=1)
    assert reply.status_code == 422
    assert reply.json()["error"]["field"] == field
    assert len(full.json()["results"]) == 1000


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"customer_id=C01", 400),
        (b"\xff\xfe{}", 400),
        (b'{"customer_id": "C01"} x', 400),
        (b'{"customer_id": "\xff"}', 400),
        (b"[]", 422),
        (b"null", 422),
        (b'"C01"', 422),
        (b'{"customer_id": "C01", "context": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 422),
        (b"[" * 100_000, 422),
    ],
)
async def test_a_body_that_is_not_the_expected_json_is_refused(house, running, raw, status):
    house.deploy(house.train())
    async with running() as served:
        reply = await served.client.post("/recommend", content=raw, headers=bearer(KEY))
    assert reply.status_code == status
    assert reply.json()["error"]["advice"].startswith("Send an object")


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_over_the_limit_is_refused_unread(house, running, chunked):
    house.deploy(house.train())
    sent = 0

    async def chunks():
        nonlocal sent
        for _ in range(MOST_BYTES // 65_536 * 4):
            sent += 1
            yield b"x" * 65_536

    async with running() as served:
        content = chunks() if chunked else b"x" * (MOST_BYTES + 1)
        reply = await served.client.post("/recommend", content=content, headers=bearer(KEY))
    assert reply.status_code == 413
    error = reply.json()["error"]
    assert error["code"] == "body_too_large" and "fewer customers" in error["advice"]
    assert ("is too large" if chunked else f"has {MOST_BYTES + 1:,} bytes") in error["message"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/recommend", 405),
        ("POST", "/health", 405),
        ("GET", "/nothing", 404),
        ("POST", "/models/x/recommend", 404),
    ],
)
async def test_other_addresses_and_methods_answer_in_json(house, running, method, path, status):
    house.deploy(house.train())
    async with running() as served:
        reply = await served.client.request(method, path, headers=bearer(KEY))
    assert reply.status_code == status
    error = reply.json()["error"]
    assert error["code"] == f"http_{status}" and path in error["message"] and "Use " in error["advice"]
    assert (status == 405) == ("allow" in reply.headers) and reply.headers.get("allow", "")[:4] in error["advice"]


async def test_no_redirect_follows_the_host_a_caller_names(house, running):
    house.deploy(house.train())
    async with running() as served:
        reply = await served.client.post("/recommend/", headers={b"host": b"evil.example"} | bearer(KEY))
    assert reply.status_code == 404
