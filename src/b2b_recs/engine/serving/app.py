"""The ASGI application that answers for every deployed model."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from b2b_recs.engine.serving import openapi
from b2b_recs.engine.serving.answers import HealthReply, ModelHealth
from b2b_recs.engine.serving.asking import Recommend, RecommendBatch
from b2b_recs.engine.serving.pointers import Pointer
from b2b_recs.engine.serving.refusals import Refused, broken, not_loaded, unknown_address
from b2b_recs.engine.serving.served import ServedModel, open_served
from b2b_recs.engine.serving.shelf import Entry, Serving, Shelf
from b2b_recs.engine.serving.traffic import Traffic
from b2b_recs.engine.serving.wire import bearer

LOG = logging.getLogger(__name__)
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class ModelNumber(IntegerConvertor):
    """The number of a model in a path; more digits than a number of ours can have are no address of ours."""

    regex = "[0-9]{1,18}"


register_url_convertor("model_number", ModelNumber())


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


def create_app(
    pointers_dir: Path,
    artifacts_dir: Path,
    *,
    traffic_dir: Path | None = None,
    clock: Callable[[], datetime] = utc_now,
    poll_seconds: float = 0.25,
    flush_seconds: float = 10.0,
) -> Starlette:
    """The application; it follows the pointer files while its lifespan runs.

    ``pointers_dir`` holds ``model-{id}.json``, ``artifacts_dir`` the artifacts they name; traffic is counted into
    ``traffic_dir`` (default ``traffic`` beside the pointers). ``application.state.shelf`` is what is served now.
    """
    traffic_dir = traffic_dir or pointers_dir / "traffic"
    traffic = Traffic(clock)

    def opener(pointer: Pointer) -> ServedModel:
        return open_served(artifacts_dir, pointer.artifact_id, clock())

    shelf = Shelf(pointers_dir, opener, clock, traffic.note_key)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        traffic_dir.mkdir(parents=True, exist_ok=True)
        await shelf.refresh()
        await shelf.settle()
        tasks = [
            asyncio.create_task(shelf.follow(poll_seconds)),
            asyncio.create_task(_keep_writing(traffic, traffic_dir, flush_seconds)),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await shelf.settle()
            traffic.write(traffic_dir, closed=True)

    application = Starlette(
        routes=_routes(shelf, traffic, clock),
        lifespan=lifespan,
        exception_handlers={HTTPException: _http_exception, Exception: _failed},
    )
    application.router.redirect_slashes = False
    application.state.shelf = shelf
    application.state.traffic = traffic
    return application


def _routes(shelf: Shelf, traffic: Traffic, clock: Callable[[], datetime]) -> list[Route]:
    recommend, batch = Recommend(shelf, traffic, clock), RecommendBatch(shelf, traffic, clock)
    pages = Pages(shelf, clock)
    routes = []
    for prefix in ("", "/models/{model_id:model_number}"):
        routes += [
            Route(f"{prefix}/recommend", recommend, methods=["POST"], name="recommend"),
            Route(f"{prefix}/recommend-batch", batch, methods=["POST"], name="recommend-batch"),
            Route(f"{prefix}/health", _refusing(pages.health), methods=["GET"]),
            Route(f"{prefix}/model-info", _refusing(pages.model_info), methods=["GET"]),
        ]
    described = msgspec.json.encode(openapi.document())

    async def describe(_: Request) -> Response:
        return _json(msgspec.Raw(described))

    return [*routes, Route("/openapi.json", describe, methods=["GET"])]


class Pages:
    """What can be read: health and the facts about the model that answers."""

    def __init__(self, shelf: Shelf, clock: Callable[[], datetime]) -> None:
        self._shelf = shelf
        self._clock = clock

    async def health(self, request: Request) -> Response:
        """200 when a model can answer. Which one is told to a key's holder, or when only one is served."""
        key, model_id = bearer(request.scope), request.path_params.get("model_id")
        entries = [entry for entry in self._shelf.entries.values() if not entry.pointer.stopped]
        if key is not None or model_id is not None:
            return self._health_of(self._shelf.opened_by(key, model_id))
        if len(entries) == 1:
            return self._health_of(entries[0])
        able = any(entry.serving for entry in entries)
        return _json(HealthReply("ok" if able else "unavailable"), 200 if able else 503)

    def _health_of(self, entry: Entry) -> Response:
        if entry.serving is None:
            return _json(HealthReply("unavailable", problem=entry.problem), 503)
        status = "degraded" if entry.problem else "ok"
        return _json(HealthReply(status, self._facts(entry.serving), entry.problem))

    def _facts(self, serving: Serving) -> ModelHealth:
        pointer = serving.pointer
        age = None
        if pointer.data_until:
            with contextlib.suppress(ValueError):
                until = datetime.fromisoformat(pointer.data_until)
                until = until if until.tzinfo else until.replace(tzinfo=UTC)
                age = round((self._clock() - until).total_seconds() / 3600, 1)
        return ModelHealth(
            pointer.model_id,
            pointer.model_name,
            pointer.version,
            pointer.deployment_id,
            pointer.data_until,
            age,
            serving.since,
        )

    async def model_info(self, request: Request) -> Response:
        """Version, algorithm, metrics with intervals, dataset version, and when it was trained."""
        entry = self._shelf.answering(bearer(request.scope), request.path_params.get("model_id"))
        serving = entry.serving
        if serving is None:
            raise not_loaded(entry.pointer.model_id)
        pointer = serving.pointer
        info = {
            "model": {"id": pointer.model_id, "name": pointer.model_name},
            "version": pointer.version,
            "deployment_id": pointer.deployment_id,
            "data_until": pointer.data_until,
            "artifact_id": pointer.artifact_id,
        }
        return _json(info | serving.model.facts())


async def _keep_writing(traffic: Traffic, folder: Path, seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            traffic.write(folder)
        except OSError as error:
            LOG.warning("Traffic could not be written: %s", error)


def _json(content: object, status: int = 200) -> Response:
    headers = {"cache-control": "no-store"} | ({"www-authenticate": "Bearer"} if status == 401 else {})
    return Response(msgspec.json.encode(content), status, headers, "application/json")


def _refusing(handler: Handler) -> Handler:
    async def handle(request: Request) -> Response:
        try:
            return await handler(request)
        except Refused as refused:
            return _refused(refused)

    return handle


def _refused(refusal: Refused) -> Response:
    return _json(msgspec.Raw(refusal.body()), refusal.status)


async def _http_exception(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    allowed = headers.get("Allow", "GET")
    reply = _refused(unknown_address(status, request.method, request.url.path, allowed))
    reply.headers.update(headers)
    return reply


async def _failed(_: Request, __: Exception) -> Response:
    return _refused(broken())
