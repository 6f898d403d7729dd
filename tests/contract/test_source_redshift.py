"""Amazon Redshift against the contract on its stand-in, and the words that Redshift would not know."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from contract.redshift_arena import RedshiftArena
from contract.sources_contract import SourceContract, request_for

from b2b_recs.engine import errors
from b2b_recs.engine.sources.contract import Source


class TestRedshift(SourceContract):
    type = "redshift"
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
    def arena(cls, postgres_server: Any) -> RedshiftArena:
        return RedshiftArena(postgres_server)

    @pytest.fixture(autouse=True)
    def _servers(self, postgres_server: Any) -> None:
        self.server = postgres_server

    @contextlib.contextmanager
    def private_server(self) -> Iterator[RedshiftArena]:
        arena = RedshiftArena(self.server, "redshift_private")
        arena.execute("CREATE TABLE large AS SELECT g AS id, repeat('x', 500) AS word FROM generate_series(1, 60000) g")
        yield arena

    def test_totals_are_exact(self, source: Source, lines: Any) -> None:
        # Two tables: Redshift has no savepoints, so that a snapshot keeps what it read from being dropped.
        columns = {"id": "integer", "amount": "decimal"}
        for table, amounts, total in (
            ("money", [Decimal("12345678.91"), Decimal("12345678.91"), Decimal("-0.01")], Decimal("24691357.81")),
            ("no_money", [None], None),
        ):
            lines.make(table, columns, list(enumerate(amounts, start=1)))
            request = request_for(source, lines, table)
            ids = Decimal(sum(range(1, len(amounts) + 1)))
            assert source.totals(request, ["id", "amount"]) == {"id": ids, "amount": total}
