"""Plain requests through the guarded proxy: they arrive whole, one to a connection, without its credential."""

from __future__ import annotations

import base64
import http.client
import http.server
import socket
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from engine.sources.proxy_links import Asked, all_of, head_of, request_to

from b2b_recs.engine.sources.proxy import GuardedProxy


class Pages(http.server.BaseHTTPRequestHandler):
    """Answers with what it was asked and keeps its connections open, as it was not told otherwise."""

    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, dict[str, str], bytes]] = []

    def do_POST(self) -> None:
        body = b""
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        self.close_connection = False
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "keep-alive")
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def pages() -> Iterator[int]:
    Pages.seen = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_a_plain_request_arrives_whole_and_without_the_proxys_credential(pages: int) -> None:
    with GuardedProxy(Asked()) as proxy:
        head = f"POST http://shop.invalid:{pages}/a%20b?c=d HTTP/1.1\r\nHost: shop.invalid\r\nContent-Length: 5"
        with request_to(proxy, head, body=b"hello") as link:
            answer = head_of(link) + link.recv(5)
    assert answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"\r\n\r\nhello")
    path, headers, body = Pages.seen[0]
    assert (path, body) == ("/a%20b?c=d", b"hello")
    assert "proxy-authorization" not in headers
    assert headers["connection"] == "close"


def test_a_body_in_chunks_arrives_whole(pages: int) -> None:
    with GuardedProxy(Asked()) as proxy:
        head = f"POST http://shop:{pages}/ HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked"
        with request_to(proxy, head, body=b"3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n") as link:
            assert b"Content-Length: 7" in head_of(link)
            assert link.recv(7) == b"abcdefg"


def test_the_connection_ends_after_one_plain_request_so_that_the_next_is_checked_too(pages: int) -> None:
    with GuardedProxy(Asked()) as proxy:
        smuggled = f"GET http://other:{pages}/second HTTP/1.1\r\nHost: other\r\n\r\n".encode()
        head = f"GET http://shop:{pages}/first HTTP/1.1\r\nHost: shop"
        with request_to(proxy, head, body=smuggled) as link:
            answer = head_of(link)
            assert b"Connection: close" in answer and b"keep-alive" not in answer
            link.shutdown(socket.SHUT_WR)
            assert all_of(link) == b""
        assert [path for path, _, _ in Pages.seen] == ["/first"]


def test_a_client_library_goes_through_it(pages: int) -> None:
    with GuardedProxy(Asked()) as proxy:
        connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=10)
        parts = urlsplit(proxy.url)
        word = base64.b64encode(f"{parts.username}:{parts.password}".encode()).decode()
        connection.set_tunnel("shop.invalid", pages, {"Proxy-Authorization": f"Basic {word}"})
        connection.request("POST", "/x", body=b"y" * 1_000_000)
        assert connection.getresponse().read() == b"y" * 1_000_000
        connection.close()
