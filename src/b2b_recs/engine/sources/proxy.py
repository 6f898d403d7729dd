"""A proxy on this machine for clients that insist on dialling names themselves: it asks the dialer, every time."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hmac
import ipaddress
import secrets
import socket
import struct
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self, TypeVar

from b2b_recs.engine.errors import ConnectionRefused, EngineError, HostUnknown
from b2b_recs.engine.sources.contract import Dialer
from b2b_recs.engine.sources.proxy_carrying import exchange, relay
from b2b_recs.engine.sources.proxy_requests import HEAD_BYTES, BadRequest, parse_request

CONNECT_SECONDS = 10.0
HEAD_SECONDS = 10.0
# How long a tunnel may be silent in both directions; a warehouse may think about a query for long.
IDLE_SECONDS = 1800.0
_CONNECTIONS = 256
_REMEMBERED = 50
_DIALLING = 16
_LOOPBACK = "127.0.0.1"

# How a connection may end that is nobody's fault here.
_ENDINGS = (OSError, EOFError, ValueError, asyncio.LimitOverrunError, asyncio.CancelledError)

# Closing without lingering sends a reset.
_RESET = struct.pack("ii", 1, 0)

_Result = TypeVar("_Result")
_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class GuardedProxy:
    """An HTTP proxy on 127.0.0.1 that connects only to what ``dial(host, port)`` allowed, at the address it gave.

    Use as a context manager. ``url`` holds a random credential, without which nothing is forwarded. A refusal is
    answered with 403, a server that cannot be reached with 502, and both are kept for ``refusal``, since clients
    report them vaguely. Closing ends every tunnel.
    """

    def __init__(self, dial: Dialer, *, idle_seconds: float = IDLE_SECONDS) -> None:
        self._dial = dial
        self._idle = idle_seconds
        self._user, self._word = "guard", secrets.token_urlsafe(24)
        self._credential = "Basic " + base64.b64encode(f"{self._user}:{self._word}".encode()).decode()
        self._refusals: deque[EngineError] = deque(maxlen=_REMEMBERED)
        self._closed = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._servers: list[asyncio.Server] = []
        self._dialling = ThreadPoolExecutor(max_workers=_DIALLING, thread_name_prefix="guarded proxy dialling")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="guarded proxy", daemon=True)
        self._thread.start()
        self.port = self._listen(self._serve)

    @property
    def url(self) -> str:
        """Address and credential, for a client's proxy setting."""
        return f"http://{self._user}:{self._word}@{_LOOPBACK}:{self.port}"

    @property
    def refusals(self) -> tuple[EngineError, ...]:
        """The latest refusals and failures to connect, oldest first."""
        return tuple(self._refusals)

    @property
    def connections(self) -> int:
        """How many connections of clients are open."""
        return len(self._tasks)

    def refusal(self) -> EngineError | None:
        """The latest refusal, None without one; what was remembered is then forgotten."""
        latest = self._refusals[-1] if self._refusals else None
        self._refusals.clear()
        return latest

    def tunnel(self, host: str, port: int) -> tuple[str, int]:
        """A (host, port) of this machine whose connections lead to that one server, each checked when dialled.

        For clients of other protocols than HTTP that take the name to verify apart from the address to connect to.
        """

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            upstream = await self._connect(host, port)
            if not isinstance(upstream, EngineError):
                with _closing(upstream[1]):
                    await relay((reader, writer), upstream, self._idle)

        return _LOOPBACK, self._listen(serve)

    def close(self) -> None:
        """End every tunnel and stop listening; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        # A name server may keep a thread waiting; nothing is dialled after it any more.
        self._dialling.shutdown(wait=False, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _listen(self, serve: _Serve) -> int:
        """Serve every connection to a free port of this machine; returns the port."""

        async def start() -> int:
            server = await asyncio.start_server(self._guarding(serve), _LOOPBACK, 0, limit=HEAD_BYTES)
            self._servers.append(server)
            return int(server.sockets[0].getsockname()[1])

        return self._run(start())

    # Everything below runs in the proxy's own thread.

    def _guarding(self, serve: _Serve) -> _Serve:
        """Serving that counts its connections, ends with the proxy, and never fails loudly."""

        async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            if task is None or self._closed or len(self._tasks) >= _CONNECTIONS:
                writer.transport.abort()
                return
            self._tasks.add(task)
            try:
                with contextlib.suppress(*_ENDINGS), _closing(writer):
                    await serve(reader, writer)
            finally:
                self._tasks.discard(task)

        return guarded

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # One more turn, so that the transports let go of their sockets.
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(HEAD_SECONDS):
            try:
                request = parse_request(await reader.readuntil(b"\r\n\r\n"))
            except (BadRequest, asyncio.LimitOverrunError):
                await _answer(writer, "400 Bad Request")
                return
        if not hmac.compare_digest(request.credential.encode(), self._credential.encode()):
            await _answer(writer, "407 Proxy Authentication Required", 'Proxy-Authenticate: Basic realm="guard"')
            return
        upstream = await self._connect(request.host, request.port)
        if isinstance(upstream, EngineError):
            unreachable = isinstance(upstream, ConnectionRefused)
            await _answer(writer, "502 Bad Gateway" if unreachable else "403 Forbidden")
            return
        with _closing(upstream[1]):
            if request.method == "CONNECT":
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await writer.drain()
                await relay((reader, writer), upstream, self._idle)
            else:
                await exchange(request, (reader, writer), upstream, self._idle)

    async def _connect(self, host: str, port: int) -> _Streams | EngineError:
        """A connection to the address the dialer gave, or why there is none, which is also remembered."""
        try:
            # In another thread, because the dialer may wait for a name server.
            address = ipaddress.ip_address(await self._loop.run_in_executor(self._dialling, self._dial, host, port))
        except EngineError as error:
            return self._remembered(error)
        except (OSError, ValueError):
            words = f"The host {host} has no address."
            return self._remembered(HostUnknown(words, advice="Check the spelling of the host.", field="host"))
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                reader, writer = await asyncio.open_connection(str(address), port, limit=HEAD_BYTES)
        except OSError:
            return self._remembered(
                ConnectionRefused(
                    f"Nothing answered at {host}, port {port}.",
                    advice="Check host and port, that the server runs, and that its firewall lets this machine in.",
                    field="host",
                )
            )
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return reader, writer

    def _remembered(self, error: EngineError) -> EngineError:
        self._refusals.append(error)
        return error


@contextlib.contextmanager
def _closing(writer: asyncio.StreamWriter) -> Iterator[None]:
    """Closes the connection; with a reset after a failure, so that half an answer never looks like a whole one."""
    try:
        yield
    except BaseException:
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        writer.transport.abort()
        raise
    writer.close()


async def _answer(writer: asyncio.StreamWriter, status: str, *headers: str) -> None:
    lines = [f"HTTP/1.1 {status}", *headers, "Content-Length: 0", "Connection: close", "", ""]
    writer.write("\r\n".join(lines).encode())
    await writer.drain()
