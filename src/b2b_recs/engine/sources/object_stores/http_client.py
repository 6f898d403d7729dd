"""Requests to one store: dialled where the guard said, verified for its name, bounded in time, size and tries."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpcore

from b2b_recs.engine.errors import (
    ConnectionLost,
    ConnectionRefused,
    EngineError,
    HostUnknown,
    SourceRefused,
    SourceTimeout,
)
from b2b_recs.engine.sources import trust
from b2b_recs.engine.sources.contract import Dialer
from b2b_recs.engine.sources.files.guarded_backend import CONNECT_SECONDS, GuardedBackend
from b2b_recs.engine.sources.files.hurry import Hurry
from b2b_recs.engine.sources.object_stores.endpoint import Endpoint, inside_only

QUIET_SECONDS = 30.0
# A whole answer, however slowly its bytes come.
ANSWER_SECONDS = 300.0
_PAUSES = (0.2, 1.0)
_WORTH_ANOTHER_TRY = (408, 429, 500, 502, 503, 504)
_TIMEOUT = {"connect": CONNECT_SECONDS, "read": QUIET_SECONDS, "write": QUIET_SECONDS, "pool": CONNECT_SECONDS}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a store answered; names of headers are in small letters."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class StoreClient:
    """Connections to one endpoint. Takes nothing from the environment, follows no redirect, keeps no cookie.

    ``where`` names the setting that holds the host, for refusals; ``hurry`` shortens everything while a connection is
    tested. Several threads may ask at once.
    """

    def __init__(
        self, endpoint: Endpoint, dial: Dialer, hurry: Hurry, *, authority: str = "", where: str = "endpoint"
    ) -> None:
        self.endpoint = endpoint
        self._hurry = hurry
        self._where = where
        self._always = {"Host": endpoint.authority, "User-Agent": "b2b-recs", "Accept": "*/*"}
        self._closed = threading.Event()
        self._reached = False
        self._network = GuardedBackend(inside_only(dial, endpoint), hurry)
        self._pool = httpcore.ConnectionPool(
            ssl_context=trust.verifying(authority),
            network_backend=self._network,
            max_connections=4,
            keepalive_expiry=30.0,
            http1=True,
            http2=False,
        )

    def ask(self, method: str, target: str, headers: Callable[[], Mapping[str, str]], most_bytes: int) -> Answer:
        """The answer to a request that changes nothing, asked again when the server or the way to it fails.

        ``headers`` is called for every try, since signatures hold the time. Raises the engine's errors; an answer
        with an error's status is an answer.
        """
        for pause in (*_PAUSES, None):
            try:
                answer = self._once(method, target, headers(), most_bytes)
                if pause is None or answer.status not in _WORTH_ANOTHER_TRY or not self._hurry.allows(pause):
                    return answer
            except ConnectionLost:
                if pause is None or self._closed.is_set() or not self._hurry.allows(pause):
                    raise
            self._closed.wait(pause)
        raise AssertionError("the last try returns or raises")

    def interrupt(self) -> None:
        """Make a thread that waits for an answer give up; the client stays usable."""
        self._network.interrupt()

    def close(self) -> None:
        """Close every connection, also one that another thread waits for; safe to call twice."""
        self._closed.set()
        self._network.interrupt()
        self._pool.close()

    def _once(self, method: str, target: str, headers: Mapping[str, str], most_bytes: int) -> Answer:
        host = self.endpoint.host
        if self._closed.is_set():
            raise ConnectionLost(f"The connection to {host} was closed.", advice="Open it again.")
        request = httpcore.Request(
            method,
            httpcore.URL(
                scheme=self.endpoint.scheme.encode(),
                host=host.encode(),
                port=self.endpoint.port,
                target=target.encode("ascii"),
            ),
            headers=list({**self._always, **headers}.items()),
            extensions={"timeout": _TIMEOUT},
        )
        try:
            response = self._pool.handle_request(request)
            try:
                return self._answer(response, most_bytes)
            finally:
                response.close()
        except EngineError as error:
            if error.field == "host":
                error.field = self._where
            raise
        except Exception as error:
            raise self._words(error) from None

    def _answer(self, response: httpcore.Response, most_bytes: int) -> Answer:
        until = time.monotonic() + self._hurry.left(ANSWER_SECONDS)
        body = bytearray()
        for chunk in response.iter_stream():
            body += chunk
            if len(body) > most_bytes:
                raise SourceRefused(
                    f"{self.endpoint.host} answered with more than was asked for.",
                    advice="Check that this is the address of an object store.",
                    field=self._where,
                )
            if time.monotonic() > until:
                raise SourceTimeout(
                    f"{self.endpoint.host} sends too slowly.", advice="Try at a quieter hour.", field=self._where
                )
        self._reached = True
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
        return Answer(response.status, headers, bytes(body))

    def _words(self, error: Exception) -> EngineError:
        """The engine's error for what the HTTP library raises."""
        host, port, text = self.endpoint.host, self.endpoint.port, str(error)
        if isinstance(error, socket.gaierror):
            return HostUnknown(f"The host {host} has no address.", advice="Check the spelling.", field=self._where)
        if "CERTIFICATE_VERIFY_FAILED" in text:
            return SourceRefused(
                f"The certificate of {host} could not be verified.",
                advice="Use the name the certificate was made for, or give the CA certificate that signed it.",
                field="ca_certificate",
            )
        # What spoke https before and no longer does is a line that broke.
        if ("SSL" in text or isinstance(error, ssl.SSLError)) and not self._reached:
            return SourceRefused(
                f"{host}, port {port}, does not speak https.", advice="Check the endpoint.", field=self._where
            )
        if isinstance(error, httpcore.RemoteProtocolError) and "disconnected" not in text and not self._reached:
            return SourceRefused(
                f"{host}, port {port}, does not answer as an object store does.",
                advice="Check host and port of the endpoint.",
                field=self._where,
            )
        if isinstance(error, httpcore.ConnectTimeout | httpcore.ConnectError) and not self._reached:
            return ConnectionRefused(
                f"Nothing answered at {host}, port {port}.",
                advice="Check the endpoint, that the server runs, and that its firewall lets this machine in.",
                field=self._where,
            )
        if isinstance(error, httpcore.TimeoutException):
            return SourceTimeout(
                f"{host} did not answer in time.", advice="Check the endpoint and any firewall.", field=self._where
            )
        words = "no longer answers" if isinstance(error, httpcore.ConnectError) else "broke off the connection"
        advice = "Try again." if self._reached else "Check host and port of the endpoint, then try again."
        return ConnectionLost(f"{host} {words}.", advice=advice, field=self._where)
