"""What measures mean, in the words of people who sell: shown where a measure stands."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """A measure, and what a number of it says."""

    name: str
    words: str


# The first whose pattern a text holds is explained there.
_TERMS = (
    (
        r"NDCG(?:@(\d+))?",
        "Of the products shown to a customer, how many were bought afterwards, and how far up they stood. 1 is a list "
        "of nothing but what was bought, best first; 0 holds none of it. Compare it with the simple ways beside it: "
        "no list knows everything a customer will buy.",
    ),
    (
        r"Recall(?:@(\d+))?",
        "Of all products a customer bought afterwards, the share that stood in the list. 0.4 means four of ten.",
    ),
    (r"MAP(?:@(\d+))?\b", "Like NDCG, with more weight on what stands at the top of the list. 1 is best."),
    (r"\bp(50|95|99)\b", "{0} of 100 requests were answered within this time; the others took longer."),
    (
        r"\bcoverage\b",
        "The share of the catalogue that was shown to anybody. Low: everybody sees the same few products.",
    ),
    (r"\bnovelty\b", "How unusual the products shown are. Higher: fewer of them are those that everybody buys."),
    (
        r"95 %",
        "Measured on some customers, a figure could be a little different on others: in 95 of 100 such samples it lies "
        "between these ends. Two figures whose ends overlap may be equal, or not: a difference is measured on the same "
        "customers, so it can be certain where the two ranges overlap.",
    ),
    (
        r"\bthe gate\b",
        "Only a version that passes goes into service by itself: it could be measured, it opens as it would for "
        "answering, and it is clearly worse neither than the simple ways (what sells most, ever and lately) nor than "
        "the version in service.",
    ),
)


def term_of(text: str) -> Term | None:
    """The first measure a text names, with its explanation; None when it names none."""
    for pattern, words in _TERMS:
        found = re.search(pattern, text, re.IGNORECASE)
        if found is not None:
            return Term(found[0], words.format(*found.groups()) if "{0}" in words else words)
    return None
