"""What a client asks of the proxy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

HEAD_BYTES = 64 * 1024
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:@/?#\[\]]+):([0-9]{1,5})")
_LINE = re.compile(r"([A-Z]{1,20}) (\S{1,16384}) HTTP/1\.[01]")
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([^\r\n\x00]*)")
# Between the client and this proxy only.
_HOP = {"proxy-authorization", "proxy-connection", "connection", "keep-alive", "te", "upgrade"}


class BadRequest(ValueError):
    """Not a request this proxy understands."""


@dataclass(frozen=True, slots=True)
class Request:
    """A parsed request: ``target`` is what the server is asked for, the body comes as ``length`` bytes or in chunks."""

    method: str
    host: str
    port: int
    target: str
    credential: str
    headers: tuple[tuple[str, str], ...]
    length: int
    chunked: bool

    def head(self) -> bytes:
        """The head as the server gets it: its own path, no credential of the proxy, one request only."""
        lines = [f"{self.method} {self.target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in self.headers if name.lower() not in _HOP]
        return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1")


def parse_request(head: bytes) -> Request:
    """The request of a head that ends with an empty line. Raises BadRequest."""
    first, *rest = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    found = _LINE.fullmatch(first)
    if found is None:
        raise BadRequest("no request line")
    method, address = found.groups()
    headers = []
    for line in rest:
        header = _HEADER.fullmatch(line)
        if header is None:
            raise BadRequest("no header line")
        headers.append((header[1], header[2].strip(" \t")))
    host, port, target = _destination(method, address)
    length, chunked = _framing(headers)
    credential = next((value for name, value in headers if name.lower() == "proxy-authorization"), "")
    return Request(method, host, port, target, credential, tuple(headers), length, chunked)


def _destination(method: str, address: str) -> tuple[str, int, str]:
    """Host, port and the path for the server."""
    if method == "CONNECT":
        authority, target = address, ""
    else:
        scheme, _, after = address.partition("://")
        if scheme.lower() != "http":
            raise BadRequest("only plain requests are forwarded; others have to be tunnelled")
        parts = urlsplit(f"http://{after}")
        authority, target = parts.netloc, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if not re.search(r":[0-9]+\Z", authority):
            authority += ":80"
    found = _AUTHORITY.fullmatch(authority)
    if found is None or not 1 <= int(found[2]) <= 65535:
        raise BadRequest("no host and port")
    return found[1].strip("[]"), int(found[2]), target


def _framing(headers: list[tuple[str, str]]) -> tuple[int, bool]:
    """Length of the body and whether it comes in chunks; a head that says both could smuggle a request."""
    lengths = {value for name, value in headers if name.lower() == "content-length"}
    codings = [value.lower() for name, value in headers if name.lower() == "transfer-encoding"]
    if codings and (codings != ["chunked"] or lengths):
        raise BadRequest("unclear length of the body")
    if len(lengths) > 1 or any(not re.fullmatch(r"[0-9]{1,15}", value) for value in lengths):
        raise BadRequest("unclear length of the body")
    return (int(lengths.pop()) if lengths else 0), bool(codings)
