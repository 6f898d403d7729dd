"""Fields of documents beyond those that were asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from b2b_recs.engine.sources.contract import Fields


def unasked(
    documents: Iterable[Mapping[str, Any]],
    asked: Collection[str],
    kind_of: Callable[[Any], str],
    nulls: Collection[str] = ("null",),
) -> Fields:
    """Every field with a value that is not in ``asked``, with the kinds of its values and how often each is there."""
    wanted, found = frozenset(asked), dict[str, Counter[str]]()
    for document in documents:
        for name in document.keys() - wanted:
            kind = kind_of(document[name])
            if kind not in nulls:
                found.setdefault(name, Counter())[kind] += 1
    return found
