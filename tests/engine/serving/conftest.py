"""Fixtures of the serving tests; the house itself is in serving_house."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from serving_house import House, Running

from b2b_recs.engine.serving.app import create_app


def _in_a_loop_of_its_own(test: Callable[..., Any]) -> Callable[..., None]:
    """The coroutine test as a plain one: every call gets a fresh event loop, so that no test can break another's."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Coroutine tests of this folder are run here."""
    for item in items:
        if not isinstance(item, pytest.Function) or Path(__file__).parent not in item.path.parents:
            continue
        wrapped = getattr(item.obj, "hypothesis", None)
        if wrapped is not None and inspect.iscoroutinefunction(wrapped.inner_test):
            wrapped.inner_test = _in_a_loop_of_its_own(wrapped.inner_test)
        elif inspect.iscoroutinefunction(item.obj):
            item.obj = _in_a_loop_of_its_own(item.obj)


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
