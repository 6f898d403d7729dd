"""Bytes carried through the proxy: both ways for a tunnel, one request and its answer for plain HTTP."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine
from typing import Any

from b2b_recs.engine.sources.proxy_requests import Request

# How long one side may pause once the other has stopped sending.
LINGER_SECONDS = 30.0
_CHUNK = 64 * 1024
_LOOK_SECONDS = 5.0
_HOP = (b"connection", b"keep-alive", b"proxy-connection")

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def relay(client: Streams, server: Streams, idle_seconds: float) -> None:
    """Carry bytes both ways until both sides have ended. Raises OSError when one breaks or both are silent too long."""
    heard = _Heard()
    await _both(_carry(client[0], server[1], heard), _carry(server[0], client[1], heard), heard, idle_seconds)


async def exchange(request: Request, client: Streams, server: Streams, idle_seconds: float) -> None:
    """Carry one plain request and its answer, after which both sides know the connection ends.

    Nothing that follows the request's own body reaches this server: it may be meant for another one.
    """
    server[1].write(request.head())
    sending = asyncio.create_task(_carry_body(request, client[0], server[1]))
    try:
        async with asyncio.timeout(idle_seconds):
            await _carry_answer_head(server[0], client[1])
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    heard = _Heard()
    await _both(_until_end(client[0], server[1]), _carry(server[0], client[1], heard), heard, idle_seconds)


class _Heard:
    """When a byte last went either way."""

    def __init__(self) -> None:
        self._clock = asyncio.get_running_loop().time
        self._at = self._clock()

    def now(self) -> None:
        """A byte went by."""
        self._at = self._clock()

    def silence(self) -> float:
        """Seconds since the last byte."""
        return self._clock() - self._at


async def _both(up: Coroutine[Any, Any, None], down: Coroutine[Any, Any, None], heard: _Heard, idle: float) -> None:
    """Run both directions to their ends. Raises what broke one of them, and TimeoutError after a long silence."""
    tasks = {asyncio.ensure_future(up), asyncio.ensure_future(down)}
    waiting = set(tasks)
    try:
        while waiting:
            left = (idle if len(waiting) == len(tasks) else min(idle, LINGER_SECONDS)) - heard.silence()
            if left <= 0:
                raise TimeoutError("nothing was sent either way for too long")
            done, waiting = await asyncio.wait(
                waiting, timeout=min(left, _LOOK_SECONDS), return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                task.result()
                heard.now()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: _Heard) -> None:
    """Copy until the reader ends, no faster than the writer's other side takes it, and pass the end on."""
    while piece := await reader.read(_CHUNK):
        heard.now()
        writer.write(piece)
        await writer.drain()
        heard.now()
    writer.write_eof()


async def _until_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Drop what comes until the reader ends, and pass only the end on."""
    while await reader.read(_CHUNK):
        pass
    writer.write_eof()


async def _carry_body(request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy the body and not one byte more."""
    await _copy(reader, writer, request.length)
    while request.chunked:
        size = await reader.readuntil(b"\r\n")
        length = int(size.split(b";")[0].strip(), 16)
        writer.write(size)
        await _copy(reader, writer, length + len(b"\r\n"))
        if length == 0:
            return


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, count: int) -> None:
    while count > 0:
        piece = await reader.readexactly(min(count, _CHUNK))
        count -= len(piece)
        writer.write(piece)
        await writer.drain()


async def _carry_answer_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy the answer's head, after any interim ones, saying that the connection ends with the answer."""
    while True:
        head = await reader.readuntil(b"\r\n\r\n")
        status, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
        if re.match(rb"HTTP/1\.[01] 1[0-9][0-9]\b", status):
            writer.write(head)
            continue
        kept = [line for line in lines if line.split(b":")[0].strip().lower() not in _HOP]
        writer.write(b"\r\n".join([status, *kept, b"Connection: close", b"", b""]))
        return
