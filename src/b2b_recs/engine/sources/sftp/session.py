"""A connection to an SFTP server: dialled where the guard said, its key compared, nothing of this machine used."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from typing import Any, TypeVar

from b2b_recs.engine.errors import BadInput, ConnectionLost, ConnectionRefused, EngineError, HostUnknown, SourceTimeout
from b2b_recs.engine.sources.contract import Dialer
from b2b_recs.engine.sources.drivers import load_driver
from b2b_recs.engine.sources.files.hurry import Hurry
from b2b_recs.engine.sources.sftp.declaration import Sftp
from b2b_recs.engine.sources.sftp.errors import connect_error, host_key_differs, host_key_unknown, work_error
from b2b_recs.engine.sources.sftp.parameters import SftpParameters

CONNECT_SECONDS, LOGIN_SECONDS, ANSWER_SECONDS = 10.0, 20.0, 60.0

_Result = TypeVar("_Result")


class Session:
    """One login, in an event loop of its own thread; opened anew when it broke. Several threads may ask at once."""

    def __init__(self, parameters: SftpParameters, dial: Dialer, hurry: Hurry) -> None:
        self.parameters = parameters
        self._hurry = hurry
        self.ssh = load_driver(Sftp.driver, extra=Sftp.extra, name=Sftp.name)
        self.ssh.set_log_level(logging.WARNING)
        self._reached = False
        self._dial = dial
        self._keys = self._given_keys()
        self._connection: Any = None
        self._client: Any = None
        self._closed = False
        self._opening = asyncio.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sftp", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, _Result], path: str = "", seconds: float = ANSWER_SECONDS) -> _Result:
        """The result of ``work``, done in the session's thread. Raises the engine's errors; ``path`` is its subject."""
        if self._closed:
            work.close()
            raise ConnectionLost(f"The connection to {self.parameters.host} was closed.", advice="Open it again.")
        limited = asyncio.wait_for(work, self._hurry.left(seconds))
        future = asyncio.run_coroutine_threadsafe(limited, self._loop)
        try:
            return future.result()
        except EngineError:
            raise
        except TimeoutError:
            raise SourceTimeout(
                f"{self.parameters.host} did not answer in time.", advice="Try at a quieter hour.", field="host"
            ) from None
        except CancelledError:
            raise ConnectionLost(f"The connection to {self.parameters.host} was closed.", advice="Try again.") from None
        except (self.ssh.Error, OSError, ValueError) as error:
            raise work_error(self.ssh, error, self.parameters, path) from None

    async def client(self) -> Any:
        """The SFTP client, on a connection that is open."""
        async with self._opening:
            if self._connection is None or self._connection.is_closed():
                self._connection = await self._connect()
                try:
                    self._client = await self._connection.start_sftp_client()
                except self.ssh.Error as error:
                    raise connect_error(self.ssh, error, self.parameters) from None
                self._reached = True
            return self._client

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._closed

    def server_version(self) -> str:
        """What the server calls itself, "" before it was reached."""
        connection = self._connection
        return str(connection.get_extra_info("server_version", "")) if connection is not None else ""

    def interrupt(self) -> None:
        """Break the connection, so that who waits for it gives up; the next question opens another."""
        if not self._closed:
            self._loop.call_soon_threadsafe(self._abort)

    def close(self) -> None:
        """Close the connection and the thread; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _abort(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abort()

    async def _end(self) -> None:
        self._abort()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _connect(self) -> Any:
        """A connection of the login. No file of this machine, no agent, no forwarding, no other way of signing in."""
        parameters, keys = self.parameters, self._keys
        seen: list[Any] = []
        link = await self._dialled()
        try:
            return await self.ssh.connect(
                parameters.host, parameters.port, sock=link, config=None, known_hosts=([], [], []), tunnel=None,
                proxy_command=None, client_factory=_watching(self.ssh, parameters.host_key, seen),
                username=parameters.username, password=parameters.password.get_secret_value() or None,
                client_keys=keys or None, client_certs=(), agent_path=None, agent_forwarding=False,
                pkcs11_provider=None, x509_trusted_certs=None, host_based_auth=False, gss_host=None, gss_kex=False,
                gss_auth=False, public_key_auth=bool(keys), password_auth=not keys, kbdint_auth=not keys,
                disable_trivial_auth=True, env=None, send_env=None, login_timeout=LOGIN_SECONDS,
                keepalive_interval=15, keepalive_count_max=3,
            )  # fmt: skip
        except (self.ssh.Error, OSError, ValueError) as error:
            link.close()
            if seen and isinstance(error, self.ssh.HostKeyNotVerifiable):
                told = host_key_differs if parameters.host_key else host_key_unknown
                raise told(parameters.host, seen[-1]) from None
            refusal = connect_error(self.ssh, error, parameters)
            # Who let us in before and says nothing now has gone away in the middle.
            raise (self._gone() if self._reached and refusal.field == "host" else refusal) from None
        except BaseException:
            link.close()
            raise

    async def _dialled(self) -> socket.socket:
        """A socket connected to the address the guard gave."""
        host, port = self.parameters.host, self.parameters.port
        try:
            address = await asyncio.to_thread(self._dial, host, port)
        except socket.gaierror:
            raise HostUnknown(
                f"The host {host} has no address.", advice="Check the spelling of the host.", field="host"
            ) from None
        link = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        link.setblocking(False)
        # Questions are small and each waits for its answer: held back to fill a packet, each would take 40 ms longer.
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._loop.sock_connect(link, (address, port))
        except OSError:
            link.close()
            if self._reached:
                raise self._gone() from None
            raise ConnectionRefused(
                f"Nothing answered at {host}, port {port}.",
                advice="Check host and port, that the server runs, and that its firewall lets this machine in.",
                field="host",
            ) from None
        return link

    def _gone(self) -> ConnectionLost:
        return ConnectionLost(f"{self.parameters.host} no longer answers.", advice="Try again.", field="host")

    def _given_keys(self) -> list[Any]:
        text = self.parameters.private_key.get_secret_value()
        if not text:
            return []
        phrase = self.parameters.private_key_passphrase.get_secret_value() or None
        try:
            return [self.ssh.import_private_key(text, phrase)]
        except (self.ssh.KeyImportError, self.ssh.KeyEncryptionError, ValueError) as error:
            locked = bool(phrase) or "passphrase" in str(error).lower()
            field = "private_key_passphrase" if locked else "private_key"
            raise BadInput(
                "The private key cannot be read.",
                advice="Give the whole text of the key, and its passphrase if it has one.",
                field=field,
            ) from None


def _watching(ssh: Any, pinned: str, seen: list[Any]) -> Any:
    """A client that accepts the pinned host key only, and keeps the one it saw."""
    wanted = {part.rstrip("=") for part in pinned.split()}

    class Watching(ssh.SSHClient):  # type: ignore[misc]
        def validate_host_public_key(self, host: str, addr: str, port: int, key: Any) -> bool:
            seen.append(key)
            return key.get_fingerprint().rstrip("=") in wanted

        def validate_host_ca_key(self, host: str, addr: str, port: int, key: Any) -> bool:
            return False

    return Watching


def quietly(work: Coroutine[Any, Any, Any]) -> Coroutine[Any, Any, None]:
    """``work`` whose failure concerns nobody, such as giving a handle back on a connection that broke."""

    async def done() -> None:
        with contextlib.suppress(Exception):
            await work

    return done()
