"""What a refused body is told: the field, the value that stood there, and what to send in its place."""

from __future__ import annotations

import json
from typing import Any

import pytest

from b2b_recs.engine.serving.refusals import Refused
from b2b_recs.engine.serving.requests import BatchBody, RecommendBody, decoder, read

READ, READ_MANY = decoder(RecommendBody), decoder(BatchBody)
ASKED = {"customer_id": "C01"}


@pytest.mark.parametrize(
    ("body", "message", "advice"),
    [
        ({}, "customer_id is missing.", "Send text in quotes, of 1 to 256 characters"),
        ({"customer_id": 17850}, "customer_id is the number 17850, which cannot be used.", 'such as "17850".'),
        ({"customer_id": "a\x00b"}, "customer_id is “a\\x00b”, which", "without NUL"),
        ({"customer_id": "x" * 300}, "customer_id is text of 300 characters, which", "of 1 to 256 characters"),
        ({**ASKED, "k": 0}, "k is the number 0, which", "a whole number from 1 to 1000, or leave it out."),
        ({**ASKED, "k": 10**99}, "k is a number of 100 digits, which", "a whole number from 1 to 1000"),
        ({**ASKED, "k": True}, "k is true, which", "a whole number from 1 to 1000"),
        ({**ASKED, "count": 3}, "count is not a field", "Use k in its place. The fields are"),
        ({**ASKED, "top_k": 3}, "top_k is not a field", "Use k in its place."),
        ({**ASKED, "Limit": 3}, "Limit is not a field", "Use k in its place."),
        ({**ASKED, "customers": 3}, "customers is not a field", "Use customer_id in its place. The fields are"),
        (
            {**ASKED, "zz" * 900: 3},
            "z" * 64 + " is not a field",
            "Leave it out. The fields are customer_id, k",
        ),
        (
            {**ASKED, "filters": {"colour": 1}},
            "filters.colour is not",
            "The fields are categories, products, purch",
        ),
        ({**ASKED, "filters": {"purchased": "often"}}, "filters.purchased is “often”, which", '"only" or "never"'),
        ({**ASKED, "filters": {"products": ["P1", None]}}, "filters.products[1] is null, which", "or leave it out."),
        ({**ASKED, "exclude": ["P"] * 10_001}, "exclude is a list of 10,001, which", "at most 10000 product ids"),
        ({**ASKED, "context": {"a": [1]}}, "context[...] holds what cannot be used.", "true, false or null"),
        (None, "The body is null, which", 'Send an object such as {"customer_id": "17850", "k": 10}.'),
    ],
)
def test_a_refused_body_names_field_value_and_what_to_send(body: Any, message: str, advice: str) -> None:
    with pytest.raises(Refused) as refused:
        read(READ, json.dumps(body).encode())
    assert refused.value.message.startswith(message) and advice in refused.value.advice
    assert refused.value.status == 422


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b" ", "The body is empty."),
        (b'{"customers": ["C01"] x', "The body is not JSON in UTF-8: byte 23 does not fit."),
        (b'{"customers": ["\xff"]}', "The body is not JSON in UTF-8"),
    ],
)
def test_a_body_that_is_no_json_says_where_and_shows_one_that_is(raw: bytes, message: str) -> None:
    with pytest.raises(Refused) as refused:
        read(READ_MANY, raw)
    assert refused.value.message.startswith(message) and refused.value.status == 400
    assert refused.value.advice == 'Send an object such as {"customers": ["17850", "13047"], "k": 10}.'
