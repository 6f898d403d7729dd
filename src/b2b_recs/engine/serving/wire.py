"""HTTP on the hot path: the key and the body of a request, and the bytes of a reply."""

from __future__ import annotations

from starlette.types import Receive, Scope, Send

from b2b_recs.engine.serving.refusals import too_large
from b2b_recs.engine.serving.requests import MOST_BYTES

_JSON = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]


class Disconnected(Exception):
    """The caller left before the body was complete."""


def bearer(scope: Scope) -> str | None:
    """The key of the Authorization header, None when there is none or it is of another scheme."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, key = value.decode("latin-1").partition(" ")
            return key.strip() if scheme.lower() == "bearer" else None
    return None


async def read_body(scope: Scope, receive: Receive) -> bytes:
    """The whole body; raises Refused 413 as soon as it is larger than allowed, Disconnected when it ends early."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value) > MOST_BYTES:
            raise too_large(MOST_BYTES, int(value))
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        body: bytes = message.get("body", b"")
        if len(body) > MOST_BYTES:
            raise too_large(MOST_BYTES, len(body))
        return body
    parts, size = [], 0
    while True:
        if message["type"] != "http.request":
            raise Disconnected
        part = message.get("body", b"")
        size += len(part)
        if size > MOST_BYTES:
            raise too_large(MOST_BYTES, None)
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)
        message = await receive()


async def reply(send: Send, status: int, body: bytes) -> None:
    """Send one JSON reply."""
    headers = [*_JSON, (b"content-length", b"%d" % len(body))]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
