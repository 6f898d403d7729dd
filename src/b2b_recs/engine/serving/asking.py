"""The two questions: one customer, or many in one call."""

from __future__ import annotations

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import msgspec
from starlette.types import Receive, Scope, Send

from b2b_recs.engine.serving import requests
from b2b_recs.engine.serving.answers import Answer, BatchReply, SingleReply
from b2b_recs.engine.serving.pointers import Pointer
from b2b_recs.engine.serving.refusals import Refused, broken, not_loaded
from b2b_recs.engine.serving.shelf import Entry, Serving, Shelf
from b2b_recs.engine.serving.traffic import Traffic
from b2b_recs.engine.serving.wire import Disconnected, bearer, read_body, reply

LOG = logging.getLogger(__name__)
BROKEN = broken()
ENCODER = msgspec.json.Encoder()


@dataclass(slots=True)
class Tally:
    """What a request is counted as."""

    customers: int = 0
    unknown: int = 0
    predictions: int = 0

    def add(self, answer: Answer) -> None:
        """One customer was answered."""
        self.customers += 1
        self.unknown += not answer.known
        self.predictions += len(answer.recommendations)


class Question(ABC):
    """A POST endpoint as an ASGI application: check the key, read, answer, count, reply."""

    def __init__(self, shelf: Shelf, traffic: Traffic, clock: Callable[[], datetime]) -> None:
        self._shelf = shelf
        self._traffic = traffic
        self._clock = clock

    @abstractmethod
    async def answer(self, serving: Serving, raw: bytes, tally: Tally) -> bytes:
        """The reply's body; counts into ``tally``; raises Refused."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; nothing is raised, a fault of ours is a 500 and a line in the log."""
        started = time.perf_counter()
        entry: Entry | None = None
        serving: Serving | None = None
        tally = Tally()
        status = 200
        try:
            entry = self._shelf.answering(bearer(scope), scope["path_params"].get("model_id"))
            raw = await read_body(scope, receive)
            serving = entry.serving
            if serving is None:
                raise not_loaded(entry.pointer.model_id)
            body = await self.answer(serving, raw, tally)
        except Refused as refused:
            status, body = refused.status, refused.body()
        except Disconnected:
            return
        except Exception:
            LOG.exception("A request failed")
            status, body = BROKEN.status, BROKEN.body()
        await reply(send, status, body)
        if entry is not None:
            self._count(serving.pointer if serving else entry.pointer, status, time.perf_counter() - started, tally)

    def _count(self, pointer: Pointer, status: int, seconds: float, tally: Tally) -> None:
        self._traffic.count(
            pointer.model_id,
            pointer.deployment_id,
            pointer.version,
            status=status,
            seconds=seconds,
            customers=tally.customers,
            unknown=tally.unknown,
            predictions=tally.predictions,
        )


class Recommend(Question):
    """POST /recommend."""

    _decoder = requests.decoder(requests.RecommendBody)

    async def answer(self, serving: Serving, raw: bytes, tally: Tally) -> bytes:
        """One customer's recommendations; on the event loop when the model answers in under a millisecond."""
        body = requests.read(self._decoder, raw)
        model, now = serving.model, self._clock()
        if model.quick:
            found = model.recommend(body.customer_id, body.k, body.filters, body.exclude, now)
        else:
            found = await asyncio.to_thread(model.recommend, body.customer_id, body.k, body.filters, body.exclude, now)
        tally.add(found)
        context = msgspec.UNSET if body.context is None else body.context
        return ENCODER.encode(
            SingleReply(
                found.customer, found.known, serving.pointer.version, found.recommendations, found.note, context
            )
        )


class RecommendBatch(Question):
    """POST /recommend-batch."""

    _decoder = requests.decoder(requests.BatchBody)

    async def answer(self, serving: Serving, raw: bytes, tally: Tally) -> bytes:
        """Every customer's recommendations, in a thread so that others are answered meanwhile."""
        body = requests.read(self._decoder, raw)
        found = await asyncio.to_thread(
            serving.model.recommend_batch, body.customers, body.k, body.filters, body.exclude, self._clock()
        )
        for answer in found:
            tally.add(answer)
        context = msgspec.UNSET if body.context is None else body.context
        return ENCODER.encode(BatchReply(serving.pointer.version, found, context))
