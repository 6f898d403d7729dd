"""Fixtures of the serving tests; the house itself is in serving_house."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from serving_house import House, Running

from b2b_recs.engine.serving.app import create_app


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.fixture
def running(house: House) -> Callable[..., Any]:
    """``async with running() as served``; pointers are followed only when asked, unless ``poll_seconds`` is short."""

    @contextlib.asynccontextmanager
    async def run(poll_seconds: float = 3600.0) -> AsyncIterator[Running]:
        app = create_app(house.pointers, house.store.root, clock=lambda: house.now, poll_seconds=poll_seconds)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://serving") as client,
        ):
            yield Running(app, client)

    return run
