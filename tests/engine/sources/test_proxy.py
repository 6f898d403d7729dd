"""The proxy dials only what the dialer allowed, for its own client only, and carries bytes as they are."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
from engine.sources.proxy_links import Asked, Server, all_of, echo, eventually, head_of, refusing, request_to

from b2b_recs.engine import errors
from b2b_recs.engine.sources.proxy import GuardedProxy


@pytest.fixture
def serving() -> Iterator[Callable[[Callable[[socket.socket], None]], Server]]:
    with ExitStack() as stack:
        yield lambda serve: stack.enter_context(closing(Server(serve)))


def test_a_tunnel_leads_to_the_address_that_was_checked(serving: Any) -> None:
    server, dial = serving(echo), Asked()
    with GuardedProxy(dial) as proxy, request_to(proxy, f"CONNECT shop.invalid:{server.port} HTTP/1.1") as link:
        assert b" 200 " in head_of(link)
        link.sendall(b"\x00\xffhello")
        assert link.recv(100) == b"\x00\xffhello"
        assert dial.questions == [("shop.invalid", server.port)]
        assert proxy.refusals == ()


def test_every_connection_asks_again() -> None:
    dial = Asked()
    with GuardedProxy(dial) as proxy:
        for _ in range(3):
            with request_to(proxy, "CONNECT shop.invalid:1 HTTP/1.1") as link:
                assert b" 502 " in head_of(link)
    assert dial.questions == [("shop.invalid", 1)] * 3


def test_a_refused_address_is_not_dialled_and_remembered(serving: Any) -> None:
    server = serving(echo)
    with GuardedProxy(refusing) as proxy:
        for head in (f"CONNECT inner:{server.port} HTTP/1.1", f"GET http://inner:{server.port}/x HTTP/1.1"):
            with request_to(proxy, head) as link:
                assert b" 403 " in all_of(link)
        assert [type(one) for one in proxy.refusals] == [errors.AddressForbidden] * 2
        assert isinstance(proxy.refusal(), errors.AddressForbidden)
        assert proxy.refusal() is None
    assert server.accepted == 0


def test_a_name_without_address_and_a_closed_port_are_told_apart() -> None:
    def unknown(host: str, port: int) -> str:
        raise socket.gaierror("no such name")

    with GuardedProxy(unknown) as proxy, request_to(proxy, "CONNECT nowhere.invalid:443 HTTP/1.1") as link:
        assert b" 403 " in all_of(link)
        refusal = proxy.refusal()
        assert isinstance(refusal, errors.HostUnknown) and "nowhere.invalid" in refusal.message
    with GuardedProxy(Asked()) as proxy, request_to(proxy, "CONNECT shop.invalid:1 HTTP/1.1") as link:
        assert b" 502 " in all_of(link)
        refusal = proxy.refusal()
        assert isinstance(refusal, errors.ConnectionRefused) and refusal.advice


@pytest.mark.parametrize("answer", ["localhost", "shop.example", "", "127.0.0.1:80", "127.1"])
def test_only_an_address_is_dialled_whatever_the_dialer_says(answer: str) -> None:
    with GuardedProxy(lambda host, port: answer) as proxy, request_to(proxy, "CONNECT shop:80 HTTP/1.1") as link:
        assert b" 403 " in all_of(link)


@pytest.mark.parametrize(
    "header", ["", "\r\nProxy-Authorization: Basic Z3VhcmQ6Z3Vlc3M=", "\r\nAuthorization: Basic eA=="]
)
def test_nothing_is_asked_or_forwarded_without_the_credential(serving: Any, header: str) -> None:
    server, dial = serving(echo), Asked()
    with GuardedProxy(dial) as proxy:
        for head in (f"CONNECT shop:{server.port} HTTP/1.1", f"GET http://shop:{server.port}/ HTTP/1.1"):
            with request_to(proxy, head + header, credential=False) as link:
                assert b" 407 " in all_of(link)
    assert dial.questions == []
    assert server.accepted == 0


def test_two_proxies_have_different_credentials_and_listen_on_this_machine_only() -> None:
    with GuardedProxy(Asked()) as one, GuardedProxy(Asked()) as two:
        assert urlsplit(one.url).password != urlsplit(two.url).password
        assert len(urlsplit(one.url).password or "") >= 24
        assert urlsplit(one.url).hostname == "127.0.0.1"
        for address in {str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}:
            if not address.startswith("127."):
                with pytest.raises(OSError):
                    socket.create_connection((address, one.port), timeout=2).close()


@pytest.mark.parametrize(
    "head",
    [
        "CONNECT shop HTTP/1.1",
        "CONNECT shop:0 HTTP/1.1",
        "CONNECT shop:65536 HTTP/1.1",
        "CONNECT shop:80:80 HTTP/1.1",
        "CONNECT user@shop:80 HTTP/1.1",
        "CONNECT shop:80 HTTP/2",
        "GET / HTTP/1.1",
        "GET https://shop/ HTTP/1.1",
        "GET file:///etc/passwd HTTP/1.1",
        "GET ftp://shop/ HTTP/1.1",
        "GET http://user:word@shop/ HTTP/1.1",
        "GET http:///x HTTP/1.1",
        "GET http://shop/ HTTP/1.1\r\nbad header: x",
        "GET http://shop/ HTTP/1.1\r\n folded",
        "POST http://shop/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2",
        "POST http://shop/ HTTP/1.1\r\nContent-Length: -1",
        "POST http://shop/ HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked",
        "POST http://shop/ HTTP/1.1\r\nTransfer-Encoding: gzip, chunked",
        "hello",
        "GET http://shop/ HTTP/1.1\r\nX: " + "x" * 200_000,
    ],
    ids=lambda head: head[:60],
)
def test_what_is_no_request_is_refused_before_anything_is_asked(head: str) -> None:
    dial = Asked()
    with GuardedProxy(dial) as proxy, closing(request_to(proxy, head)) as link:
        try:
            answer = all_of(link)
        except ConnectionResetError:
            answer = b" 400 "
        assert b" 400 " in answer
    assert dial.questions == []


def test_an_address_of_six_parts_is_understood() -> None:
    dial = Asked()
    with GuardedProxy(dial) as proxy, request_to(proxy, "CONNECT [2001:db8::1]:443 HTTP/1.1") as link:
        all_of(link)
    assert dial.questions == [("2001:db8::1", 443)]


def test_a_side_that_has_ended_still_gets_the_other_sides_answer(serving: Any) -> None:
    def count(link: socket.socket) -> None:
        received = all_of(link)
        time.sleep(0.2)
        link.sendall(str(len(received)).encode())

    server = serving(count)
    with GuardedProxy(Asked()) as proxy, request_to(proxy, f"CONNECT shop:{server.port} HTTP/1.1") as link:
        head_of(link)
        link.sendall(b"z" * 3_000_000)
        link.shutdown(socket.SHUT_WR)
        assert all_of(link) == b"3000000"
        assert eventually(lambda: proxy.connections == 0)


def test_a_slow_reader_slows_the_sender_down(serving: Any) -> None:
    sent = [0]

    def pour(link: socket.socket) -> None:
        for _ in range(1000):
            link.sendall(b"w" * 100_000)
            sent[0] += 100_000

    server = serving(pour)
    with GuardedProxy(Asked()) as proxy, request_to(proxy, f"CONNECT shop:{server.port} HTTP/1.1") as link:
        head_of(link)
        time.sleep(0.5)
        # What the systems buffer of three sockets holds, and hardly anything more.
        assert sent[0] < 30_000_000
        received = 0
        while piece := link.recv(1_000_000):
            received += len(piece)
        assert received == 100_000_000


def test_a_silent_connection_is_ended(serving: Any) -> None:
    server = serving(lambda link: time.sleep(30))
    head = f"CONNECT shop:{server.port} HTTP/1.1"
    with GuardedProxy(Asked(), idle_seconds=0.3) as proxy, request_to(proxy, head) as link:
        head_of(link)
        with pytest.raises(ConnectionResetError):
            link.recv(1)


def test_half_an_answer_never_looks_like_a_whole_one(serving: Any) -> None:
    def half(link: socket.socket) -> None:
        link.recv(65536)
        link.sendall(b"HTTP/1.1 200 OK\r\n\r\nhalf of ")
        time.sleep(0.2)
        # A reset: the rest of what the client sent is not read.
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")

    server = serving(half)
    head = f"GET http://shop:{server.port}/ HTTP/1.1\r\nHost: shop"
    with GuardedProxy(Asked()) as proxy, request_to(proxy, head) as link, pytest.raises(ConnectionResetError):
        all_of(link)


def test_closing_ends_every_tunnel_and_the_listening(serving: Any) -> None:
    ended = threading.Event()

    def wait(link: socket.socket) -> None:
        with suppress(OSError):
            link.recv(1)
        ended.set()

    server = serving(wait)
    proxy = GuardedProxy(Asked())
    with request_to(proxy, f"CONNECT shop:{server.port} HTTP/1.1") as link:
        head_of(link)
        assert proxy.connections == 1
        proxy.close()
        proxy.close()
        assert ended.wait(5)
        with pytest.raises(ConnectionResetError):
            link.recv(1)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", proxy.port), timeout=2)
    assert not any(thread.name == "guarded proxy" for thread in threading.enumerate())


def test_closing_does_not_wait_for_a_name_server() -> None:
    def slow(host: str, port: int) -> str:
        time.sleep(3)
        return "127.0.0.1"

    proxy = GuardedProxy(slow)
    with request_to(proxy, "CONNECT shop:80 HTTP/1.1"):
        assert eventually(lambda: proxy.connections == 1)
        began = time.monotonic()
        proxy.close()
        assert time.monotonic() - began < 1


def test_a_tunnel_of_another_protocol_is_checked_at_every_connection(serving: Any) -> None:
    server, dial = serving(echo), Asked()
    with GuardedProxy(dial) as proxy:
        address = proxy.tunnel("db.invalid", server.port)
        assert address[0] == "127.0.0.1"
        for _ in range(2):
            with socket.create_connection(address, timeout=10) as link:
                link.sendall(b"hello")
                assert link.recv(10) == b"hello"
        assert dial.questions == [("db.invalid", server.port)] * 2


def test_a_refused_tunnel_ends_and_says_why() -> None:
    with GuardedProxy(refusing) as proxy:
        with socket.create_connection(proxy.tunnel("db.invalid", 5432), timeout=10) as link:
            assert link.recv(1) == b""
        assert isinstance(proxy.refusal(), errors.AddressForbidden)


def test_many_connections_at_once_keep_apart(serving: Any) -> None:
    server = serving(echo)
    with GuardedProxy(Asked()) as proxy:
        links = [request_to(proxy, f"CONNECT shop:{server.port} HTTP/1.1") for _ in range(60)]
        for at, link in enumerate(links):
            head_of(link)
            link.sendall(str(at).encode() * 1000)
        for at, link in enumerate(links):
            expected = str(at).encode() * 1000
            received = b""
            while len(received) < len(expected):
                received += link.recv(65536)
            assert received == expected
            link.close()
        assert eventually(lambda: proxy.connections == 0)
