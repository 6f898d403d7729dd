"""SQL Server over encryption, by Microsoft's own driver: the certificate must be trusted here and of the host."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority
from contract.leaks import leaks
from contract.sqlserver_arena import PASSWORD, SQLServerArena
from doubles import tds
from doubles.tds_server import TDSServer
from servers import missing

from b2b_recs.engine import errors
from b2b_recs.engine.sources.registry import SOURCE_TYPES, open_source

HOST = "shop.example"
Serve = Callable[..., TDSServer]


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def serve(authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """A server with a certificate of the authority that this machine trusts for the time of the test."""
    if not SOURCE_TYPES["sqlserver"].installed:
        missing("mssql-python is not installed")
    trusted = tmp_path / "trusted.pem"
    trusted.write_text(authority.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with ExitStack() as stack:

        def started(name: str = HOST, by: Authority = authority, **more: Any) -> TDSServer:
            context = by.server_context(name)
            # As far as this release of the protocol goes.
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            return stack.enter_context(closing(TDSServer(PASSWORD, context=context, **more)))

        yield started


@contextmanager
def opened(server: TDSServer, ssl_mode: str) -> Iterator[list[str]]:
    """The tables of an open source."""
    arena = SQLServerArena(server)
    arena.make("lines", {"id": "integer"}, [(1,)])
    given = arena.parameters(host=HOST, ssl_mode=ssl_mode)
    with open_source("sqlserver", given, lambda host, port: "127.0.0.1") as source:
        yield [table.name for table in source.tables()]


def refused(server: TDSServer, ssl_mode: str) -> errors.EngineError:
    with pytest.raises(errors.SourceRefused) as caught, opened(server, ssl_mode):
        pass
    assert caught.value.field == "ssl_mode" and caught.value.advice
    assert leaks(caught.value, {"password": PASSWORD}, ("password",)) == []
    assert server.logins == [], "the password was given to a server that is not the one that was meant"
    return caught.value


@pytest.mark.parametrize("ssl_mode", ["verify-full", "require"])
@pytest.mark.parametrize("insists", [False, True])
def test_a_login_and_all_that_follows_are_encrypted(serve: Serve, ssl_mode: str, insists: bool) -> None:
    server = serve(insists=insists)
    with opened(server, ssl_mode) as tables:
        assert tables == ["lines"]
    assert [encrypted for encrypted, _ in server.logins] == [True]


def test_a_certificate_of_another_authority_is_refused_before_the_login(serve: Serve) -> None:
    stranger = Authority()
    assert "authority" in refused(serve(by=stranger), "verify-full").message
    with opened(serve(by=stranger), "require") as tables:
        assert tables == ["lines"]


def test_a_certificate_of_another_host_is_refused_before_the_login(serve: Serve) -> None:
    assert "another host" in refused(serve("other.example"), "verify-full").message
    with opened(serve("other.example"), "require") as tables:
        assert tables == ["lines"]


@pytest.mark.parametrize("ssl_mode", ["verify-full", "require"])
def test_a_server_without_encryption_gets_no_login_where_it_is_asked_for(serve: Serve, ssl_mode: str) -> None:
    with closing(TDSServer(PASSWORD)) as plain:
        refused(plain, ssl_mode)


def test_a_server_that_insists_is_spoken_to_encrypted_though_nobody_asked(serve: Serve) -> None:
    server = serve(insists=True)
    with opened(server, "disable") as tables:
        assert tables == ["lines"]
    assert server.logins == [(True, tds.OFF)]
