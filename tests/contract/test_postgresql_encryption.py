"""PostgreSQL and Redshift over encryption: the certificate must be of the authority and of the host."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from certificates import Authority
from contract.leaks import leaks
from contract.postgresql_arena import READER_PASSWORD, PostgreSQLArena
from contract.redshift_arena import RedshiftArena
from doubles.postgres_tls import PostgresTLS

from b2b_recs.engine import errors
from b2b_recs.engine.sources.registry import open_source


@pytest.mark.parametrize("arena_of", [PostgreSQLArena, RedshiftArena])
def test_a_certificate_of_another_authority_or_host_is_refused(postgres_server: Any, arena_of: Any) -> None:
    authority = Authority()
    arena = arena_of(postgres_server, f"encrypted_{arena_of.type}")
    arena.make("lines", {"id": "integer"}, [(1,)])
    with contextlib.closing(PostgresTLS(postgres_server.port, authority.server_context("shop.example"))) as front:
        good = arena.parameters(
            host="shop.example", port=front.port, ssl_mode="verify-full", ca_certificate=authority.pem
        )

        def tables(**changes: Any) -> list[str]:
            with open_source(arena.type, {**good, **changes}, lambda host, port: "127.0.0.1") as source:
                return [table.name for table in source.tables()]

        assert "lines" in tables()
        assert "lines" in tables(ssl_mode="require", ca_certificate="")
        admitted = front.admitted
        for changes in ({"host": "other.example"}, {"ca_certificate": Authority().pem}, {"ca_certificate": ""}):
            with pytest.raises(errors.SourceRefused) as caught:
                tables(**changes)
            assert caught.value.field == "ssl_mode" and caught.value.advice
            assert leaks(caught.value, {"password": READER_PASSWORD}, ("password",)) == []
        # Nothing was said to a server that is not the one that was meant.
        assert front.admitted == admitted
