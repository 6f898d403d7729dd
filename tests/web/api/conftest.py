"""What the tests of the JSON API share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tenant_rows import Tenant
from web.api.api_client import Program, Wholesaler, close_wholesaler, open_wholesaler, program


@pytest.fixture(scope="session")
def wholesaler(postgres_server: Any) -> Iterator[Wholesaler]:
    """A seller's database on a real server."""
    shop = open_wholesaler(postgres_server)
    yield shop
    close_wholesaler(postgres_server, shop)


@pytest.fixture
def writer(acme: Tenant) -> Program:
    """A program of acme that may change and run."""
    return program(acme)


@pytest.fixture
def reader(acme: Tenant) -> Program:
    """A program of acme that may only look."""
    return program(acme, "read")


@pytest.fixture
def connected(writer: Program, wholesaler: Wholesaler) -> int:
    """The id of a connection to the wholesaler."""
    return int(writer.post("connections/create/", wholesaler.connection()).well(201)["id"])
