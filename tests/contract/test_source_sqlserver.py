"""SQL Server against the contract, by Microsoft's own driver and a double of the protocol, and what it sends."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from contract.sources_contract import SourceContract
from contract.sqlserver_arena import PASSWORD, SQLServerArena
from doubles.tds_server import TDSServer
from servers import missing

from b2b_recs.engine import errors
from b2b_recs.engine.sources.registry import SOURCE_TYPES


@contextlib.contextmanager
def running() -> Iterator[SQLServerArena]:
    """An arena of its own."""
    if not SOURCE_TYPES["sqlserver"].installed:
        missing("mssql-python is not installed")
    server = TDSServer(PASSWORD)
    try:
        yield SQLServerArena(server)
    finally:
        server.close()


class TestSQLServer(SourceContract):
    type = "sqlserver"
    revokes = True
    heavy_text = 500
    bad_connections = (
        ("password", {"password": "wrong-canary"}, errors.AuthenticationRefused, "password"),
        ("user", {"username": "nobody-here"}, errors.AuthenticationRefused, "password"),
        ("host", {"host": "no-such-host.invalid"}, errors.HostUnknown, "host"),
        ("port", {"port": 1}, errors.ConnectionRefused, "host"),
        ("database", {"database": "no_such_database"}, errors.DatabaseMissing, "database"),
        ("encryption", {"ssl_mode": "verify-full"}, errors.SourceRefused, "ssl_mode"),
    )

    @pytest.fixture(scope="class")
    @classmethod
    def arena(cls) -> Iterator[SQLServerArena]:
        with running() as arena:
            yield arena

    @contextlib.contextmanager
    def private_server(self) -> Iterator[SQLServerArena]:
        with running() as arena:
            rows = [(at, "x" * 500) for at in range(60_000)]
            arena.make("large", {"id": "integer", "word": "text"}, rows)
            yield arena
