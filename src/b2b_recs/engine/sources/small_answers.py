"""Answers to small questions, such as the list of tables, which no server may make endless."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from b2b_recs.engine.sources.error_table import TOO_MUCH, Refusal

MOST_ROWS = 250_000
MOST_BYTES = 256 * 1024 * 1024  # of texts
MOST_EMPTY = 100  # pages without a row, one after the other


def small_answer(
    rows: Iterable[tuple[Any, ...]],
    host: str,
    give_up: Callable[[], None] = lambda: None,
    refusal: Refusal = TOO_MUCH,
) -> list[tuple[Any, ...]]:
    """The rows of an answer, taken one by one. Raises SourceRefused when there are more than any database has.

    ``give_up`` ends the session before that, because its server would go on sending. ``refusal`` is for a source whose
    form has no host.
    """
    found: list[tuple[Any, ...]] = []
    size = 0
    for row in rows:
        size += sum(len(value) for value in row if isinstance(value, str | bytes))
        if len(found) >= MOST_ROWS or size > MOST_BYTES:
            give_up()
            raise refusal.about(host=host)
        found.append(row)
    return found


def paged(pages: Iterable[Iterable[Any]], host: str, refusal: Refusal = TOO_MUCH) -> Iterator[Any]:
    """What is on each page of an answer. Raises SourceRefused when page after page has nothing and names another."""
    empty = 0
    for page in pages:
        empty += 1
        for one in page:
            empty = 0
            yield one
        if empty >= MOST_EMPTY:
            raise refusal.about(host=host)
