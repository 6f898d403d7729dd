"""Which documents of a collection are looked at: the same ones again, as long as they are there."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from b2b_recs.engine.sources.drivers import load_driver
from b2b_recs.engine.sources.mongodb.kinds import WHOLE, kind_of

# Places between the first and the last document, and the documents below which these are not worth their questions.
_PLACES = 8
_FEW = 100


def look(collection: Any, count: int, milliseconds: int, *, by_id: bool) -> list[dict[str, Any]]:
    """All documents when there are no more than ``count``; else the first and the last by ``_id`` and some between.

    ``by_id``: whether an index orders the documents by ``_id``, as it does in a collection and not in a view, of which
    the first are looked at. ``milliseconds`` is the time the server may take for each question.
    """
    found = _up_to(count + 1, collection.find({}, limit=count + 1, max_time_ms=milliseconds))
    if len(found) <= count:
        return found
    if not by_id:
        return found[:count]

    def some(number: int, direction: int, start: Any = None) -> list[dict[str, Any]]:
        where = {} if start is None else {"_id": {"$gte": start}}
        asked = collection.find(where, limit=number, sort=[("_id", direction)], max_time_ms=milliseconds)
        return _up_to(number, asked)

    last = some(max(1, count // 2), -1)
    first = some(count - len(last), 1) if count > len(last) else []
    places = list(_between(first[0]["_id"], last[0]["_id"])) if count >= _FEW else []
    if not places:
        return [*first, *reversed(last)]
    each = count // (len(places) + 2)
    middle = [document for place in places for document in some(each, 1, place)]
    ends = count - len(middle)
    return [*first[: ends // 2], *middle, *reversed(last[: ends - ends // 2])]


def _up_to(count: int, cursor: Any) -> list[dict[str, Any]]:
    """The documents of a cursor, no more than were asked for, whatever the server sends."""
    with cursor:
        return list(islice(cursor, count))


def _between(first: Any, last: Any) -> Iterator[Any]:
    """Ids at equal distances between two of a kind that can be calculated with; none between others."""
    kinds = {kind_of(first), kind_of(last)}
    if kinds <= WHOLE:
        low, high = int(first), int(last)
        yield from (low + (high - low) * step // (_PLACES + 1) for step in range(1, _PLACES + 1))
    elif kinds == {"objectId"}:
        make = load_driver("bson.objectid", extra="mongodb", name="MongoDB").ObjectId
        low, high = int(str(first), 16), int(str(last), 16)
        yield from (make(f"{low + (high - low) * step // (_PLACES + 1):024x}") for step in range(1, _PLACES + 1))
