"""Known failures of other systems, as they would look in object stores and over SFTP: addresses and redirects."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority
from contract.gcs_arena import service_account
from doubles.store_server import Reply, Seen, store_double
from sftp_server import PASSWORD, USER, SftpServer

from b2b_recs.engine import errors
from b2b_recs.engine.sources.object_stores.endpoint import Endpoint, inside_only
from b2b_recs.engine.sources.proxy import GuardedProxy
from b2b_recs.engine.sources.registry import open_source, parse_parameters
from b2b_recs.runtime.guard import OutgoingGuard

STORES = ("s3", "gcs", "azure_blob")
PRIVATE = "169.254.169.254"
LISTING = b"<ListBucketResult/>"
# Spellings the system's resolver takes for an address inside.
ODD_HOSTS = (
    "2130706433", "0x7f000001", "017700000001", "0x7f.1", "127.1", "0", "0.0.0.0", "127.0.0.1", "10.0.0.1",
    "192.168.1.1", "100.64.0.1", "169.254.169.254", "2852039166", "[::1]", "[::ffff:127.0.0.1]",
    "[64:ff9b::a9fe:a9fe]", "[fd00::1]", "[fe80::1]", "[2002:7f00:1::]", "localhost", "LOCALHOST",
)  # fmt: skip


def parameters(type_name: str, endpoint: str, **changes: Any) -> dict[str, Any]:
    good: dict[str, dict[str, Any]] = {
        "s3": {"bucket": "shop", "access_key_id": "AKIA", "secret_access_key": "canary"},
        "gcs": {"bucket": "shop", "service_account": service_account()},
        "azure_blob": {"account": "shop", "container": "data", "account_key": "Y2FuYXJ5"},
    }
    return good[type_name] | {"endpoint": endpoint, "format": "csv"} | changes


def hosted(**names: Sequence[str]) -> OutgoingGuard:
    """The guard as it is when hosted, with a name server that says this; underscores stand for dots."""
    answers = {name.replace("_", "."): addresses for name, addresses in names.items()}
    return OutgoingGuard(enabled=True, resolve=lambda host, port: answers[host])


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Every address a socket of this process was connected to; none of them is reached."""
    found: list[Any] = []

    class Refusing(socket.socket):
        def connect(self, address: Any) -> None:
            found.append(address)
            raise ConnectionRefusedError

    monkeypatch.setattr(socket, "socket", Refusing)
    yield found


@pytest.mark.parametrize("type_name", STORES)
@pytest.mark.parametrize("host", ODD_HOSTS)
def test_an_address_inside_is_refused_however_it_is_spelled(type_name: str, host: str, dialled: list[Any]) -> None:
    guard = OutgoingGuard(enabled=True)
    for scheme in ("https", "http"):
        with (
            pytest.raises(errors.EngineError) as caught,
            open_source(type_name, parameters(type_name, f"{scheme}://{host}"), guard) as source,
        ):
            source.check()
        assert isinstance(caught.value, errors.AddressForbidden | errors.BadInput | errors.HostUnknown)
        assert caught.value.field == "endpoint"
    assert dialled == []


@pytest.mark.parametrize("type_name", STORES)
@pytest.mark.parametrize("answers", [("93.184.216.34", PRIVATE), (PRIVATE, "93.184.216.34"), ("93.184.216.34", "::1")])
def test_one_bad_answer_of_the_name_server_refuses_all(
    type_name: str, answers: tuple[str, ...], dialled: list[Any]
) -> None:
    guard = hosted(store_example_com=answers)
    with (
        open_source(type_name, parameters(type_name, "https://store.example.com"), guard) as source,
        pytest.raises(errors.AddressForbidden),
    ):
        source.check()
    assert dialled == []


@pytest.mark.parametrize("type_name", STORES)
def test_a_name_that_changes_its_address_is_checked_at_every_dial(type_name: str) -> None:
    """The first answer passes and is dialled; the next leads inside and is not."""
    answers = ["127.0.0.1"]

    def failing(seen: Seen) -> Reply:
        # Without a length the connection ends, so that the next try has to dial again.
        answers[:] = [PRIVATE]
        return 503, {"Connection": "close"}, b""

    guard = OutgoingGuard(
        enabled=True, allowed=[ipaddress.ip_network("127.0.0.0/8")], resolve=lambda host, port: list(answers)
    )
    with store_double(failing) as double:
        endpoint = f"http://store.example.com:{double.port}"
        with (
            open_source(type_name, parameters(type_name, endpoint), guard) as source,
            pytest.raises(errors.AddressForbidden),
        ):
            source.check()
        assert len(double.seen) == 1


@pytest.mark.parametrize("type_name", STORES)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", [f"http://{PRIVATE}/latest/meta-data/", "file:///etc/passwd", "https://[::1]/"])
def test_a_redirect_is_not_followed(type_name: str, status: int, location: str) -> None:
    asked: list[str] = []

    def dial(host: str, port: int) -> str:
        asked.append(host)
        return "127.0.0.1"

    with store_double(lambda seen: (status, {"Location": location}, b"")) as double:
        endpoint = f"http://store.example.com:{double.port}"
        with (
            open_source(type_name, parameters(type_name, endpoint), dial) as source,
            pytest.raises(errors.SourceRefused),
        ):
            source.check()
        assert len(double.seen) == 1
    assert set(asked) == {"store.example.com"}


def test_keys_are_not_sent_across_the_internet_in_the_open() -> None:
    public = inside_only(lambda host, port: "93.184.216.34", Endpoint.of("http://store.example.com"))
    with pytest.raises(errors.AddressForbidden) as caught:
        public("store.example.com", 80)
    assert caught.value.field == "endpoint"
    assert inside_only(lambda host, port: "192.168.1.5", Endpoint.of("http://minio.lan:9000"))("minio.lan", 9000)
    assert inside_only(lambda host, port: "93.184.216.34", Endpoint.of("https://store.example.com"))("x", 443)


@pytest.mark.parametrize("type_name", STORES)
def test_a_certificate_nobody_vouches_for_is_refused_before_anything_is_sent(type_name: str) -> None:
    authority = Authority()
    context = authority.server_context("other.example.com")
    with store_double(lambda seen: (200, {}, LISTING), context) as double:
        endpoint = f"https://store.example.com:{double.port}"
        for more in ({}, {"ca_certificate": authority.pem}):
            given = parameters(type_name, endpoint, **more)
            with (
                open_source(type_name, given, lambda host, port: "127.0.0.1") as source,
                pytest.raises(errors.SourceRefused) as caught,
            ):
                source.check()
            assert caught.value.field == "ca_certificate"
        assert double.seen == []


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "localhost", "::1", "10.0.0.1", PRIVATE])
def test_sftp_to_an_address_inside_is_refused_however_it_is_spelled(host: str) -> None:
    given = {"host": host, "username": USER, "password": "canary", "format": "csv"}
    with (
        pytest.raises(errors.EngineError) as caught,
        open_source("sftp", given, OutgoingGuard(enabled=True)) as source,
    ):
        source.check()
    assert isinstance(caught.value, errors.AddressForbidden | errors.HostUnknown)
    assert caught.value.field == "host"


def test_sftp_dials_the_address_that_was_checked(tmp_path: Path) -> None:
    with contextlib.closing(SftpServer(tmp_path)) as server:
        given = {
            "host": "sftp.example.com", "port": server.port, "username": USER, "password": PASSWORD,
            "host_key": server.fingerprint, "format": "csv",
        }  # fmt: skip
        with open_source("sftp", given, lambda host, port: "127.0.0.1") as source:
            assert source.check().tables == ()
        guard = hosted(sftp_example_com=("93.184.216.34", "127.0.0.1"))
        with open_source("sftp", given, guard) as source, pytest.raises(errors.AddressForbidden):
            source.check()
        assert server.logins == [USER]


@pytest.mark.parametrize("host", ODD_HOSTS)
def test_the_proxy_dials_nothing_inside(host: str, dialled: list[Any]) -> None:
    with GuardedProxy(OutgoingGuard(enabled=True)) as proxy:
        bare = host.strip("[]")
        work = proxy._connect(bare, 80)
        assert isinstance(asyncio.run_coroutine_threadsafe(work, proxy._loop).result(30), errors.EngineError)
    assert dialled == []


@pytest.mark.parametrize(
    "text", ['{"type": "external_account", "credential_source": {"file": "/etc/passwd"}}',
             '{"type": "external_account", "credential_source": {"url": "http://169.254.169.254/"}}',
             '{"type": "impersonated_service_account"}', '{"type": "authorized_user", "refresh_token": "canary"}',
             "/var/run/secrets/key.json", "file:///etc/passwd", "{}", "null"],
)  # fmt: skip
def test_a_key_that_would_make_us_read_a_file_or_an_address_is_refused(text: str) -> None:
    with pytest.raises(errors.BadInput) as caught:
        parse_parameters("gcs", {"bucket": "shop", "format": "csv", "service_account": text})
    assert caught.value.field == "service_account"
    assert "canary" not in str(caught.value) and "passwd" not in str(caught.value)
