"""Casting one batch while the next is read, so that both cores of a small machine are busy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from b2b_recs.engine.sources.contract import Batch
from b2b_recs.engine.sources.files.formats import RawBatch


def cast_behind(raws: Iterable[RawBatch], cast: Callable[[RawBatch], Batch]) -> Iterator[Batch]:
    """What ``cast`` makes of each batch, in their order; it runs in a thread of its own, one batch behind."""
    with ThreadPoolExecutor(1, thread_name_prefix="cast") as caster:
        waiting: Future[Batch] | None = None
        for raw in raws:
            made, waiting = waiting, caster.submit(cast, raw)
            if made is not None:
                yield made.result()
        if waiting is not None:
            yield waiting.result()
