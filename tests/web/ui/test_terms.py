"""Measures are explained where they stand, in words for people who sell."""

from __future__ import annotations

import re

import pytest
from django.template import Context, Template

from b2b_recs.web.ui.terms import term_of


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        ("NDCG@10 of v12", "NDCG@10", "how far up they stood"),
        ("Recall@100, last 30 days", "Recall@100", "0.4 means four of ten"),
        ("p95 latency", "p95", "95 of 100 requests were answered within this time"),
        ("p99 8.1 ms", "p99", "99 of 100 requests"),
        ("Each line is the 95 % interval", "95 %", "in 95 of 100 such samples"),
        ("Judged by the gate.", "the gate", "Only a version that passes goes into service by itself"),
        ("coverage of the catalogue", "coverage", "everybody sees the same few products"),
    ],
)
def test_a_measure_is_found_in_a_text_and_explained(text: str, name: str, words: str) -> None:
    found = term_of(text)
    assert found is not None and found.name == name and words in found.words
    assert "{" not in found.words


@pytest.mark.parametrize("text", ["", "Rows in the warehouse", "541,909", "Customers known", "MAPS", "up95"])
def test_what_is_no_measure_gets_no_mark(text: str) -> None:
    assert term_of(text) is None
    shown = Template('{% load ui %}{% term text "here" %}').render(Context({"text": text}))
    assert shown == ""


def test_the_mark_opens_the_words_it_belongs_to() -> None:
    shown = Template('{% load ui %}{% term "NDCG@10" "kpi" %}{% term "NDCG@10" "lift" %}').render(Context())
    targets = re.findall(r'popovertarget="([^"]*)" aria-label="What NDCG@10 means"', shown)
    assert targets == ["term-kpi-ndcg-10", "term-lift-ndcg-10"]
    assert re.findall(r'id="([^"]*)" popover', shown) == targets
