"""One session with Snowflake, whose every connection goes through the guarded proxy."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from b2b_recs.engine.errors import AuthenticationRefused, EngineError
from b2b_recs.engine.sources.contract import Dialer
from b2b_recs.engine.sources.drivers import load_driver
from b2b_recs.engine.sources.interrupting import patiently
from b2b_recs.engine.sources.proxy import GuardedProxy
from b2b_recs.engine.sources.quoting import quote_name
from b2b_recs.engine.sources.small_answers import small_answer
from b2b_recs.engine.sources.snowflake.declaration import Snowflake
from b2b_recs.engine.sources.snowflake.errors import (
    TOO_MANY,
    connect_error,
    lost,
    missing_database,
    number,
    silent,
    statement_error,
)
from b2b_recs.engine.sources.snowflake.parameters import SnowflakeParameters

NAME_BYTES = 255 * 4
CONNECT_SECONDS = 14
QUESTION_SECONDS = 300
# How long one request is tried again; a query that runs longer is asked after in many requests.
RETRY_SECONDS = 90
READ_SECONDS = 12 * 3600
# How often one part of a result is asked for. The driver would go on for minutes, in threads that nobody can stop and
# that hold up the end of the process; the run itself is tried again.
DOWNLOADS = 3
# Chunks of a result that are fetched ahead, each some 16 MB packed.
_FETCHING = 2
# What decides how values look as text, what is sent besides queries, and what ends a query nobody waits for.
_SESSION = {
    "TIMEZONE": "UTC",
    "QUERY_TAG": "b2b-recs",
    "STATEMENT_TIMEOUT_IN_SECONDS": READ_SECONDS,
    "ABORT_DETACHED_QUERY": True,
    "CLIENT_TELEMETRY_ENABLED": False,
    "BINARY_OUTPUT_FORMAT": "HEX",
    "JSON_INDENT": 0,
    "PYTHON_CONNECTOR_QUERY_RESULT_FORMAT": "ARROW",
}
_MISSING = (2003, 2043)


class Session:
    """A session of one user. Raises the engine's errors; the driver's own never escape."""

    def __init__(self, parameters: SnowflakeParameters, dial: Dialer) -> None:
        self.parameters = parameters
        self.database = parameters.database
        self._driver = load_driver(Snowflake.driver, extra=Snowflake.extra, name=Snowflake.name)
        results = load_driver(f"{Snowflake.driver}.result_batch", extra=Snowflake.extra, name=Snowflake.name)
        results.MAX_DOWNLOAD_RETRY = DOWNLOADS
        _quiet()
        self._secrets = [
            getattr(parameters, name).get_secret_value()
            for name in ("password", "private_key", "private_key_passphrase")
        ]
        signing_in = _signing_in(parameters)
        self._dial = dial
        self._hung_up = False
        self._connection: Any = None
        self._proxy = GuardedProxy(dial)
        try:
            self._connect(signing_in)
        except BaseException:
            self.close()
            raise

    def query(self, sql: str, subject: str, *, seconds: int = QUESTION_SECONDS) -> list[tuple[Any, ...]]:
        """Rows of a small answer."""
        connection = self._ready()
        try:
            with connection.cursor() as cursor:
                rows = cursor.execute(sql, timeout=seconds)
                return small_answer(rows, self.parameters.account, refusal=TOO_MANY)
        except self._failures() as error:
            raise self.failed(error, subject) from None

    def optional(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of an answer that not every kind of table has; none where Snowflake has none."""
        try:
            return self.query(sql, "the database")
        except EngineError as error:
            if error.transient:
                raise
            return []

    def tables(self, cursor: Any, sql: str, subject: str) -> Iterator[pa.Table]:
        """Arrow tables of a result, fetched as they are asked for; ``cursor`` comes from ``cursor``."""
        try:
            cursor.execute(sql)
            yield from cursor.fetch_arrow_batches()
        except self._failures() as error:
            raise self.failed(error, subject) from None

    def cursor(self) -> Any:
        """A cursor of the driver, for a bulk read."""
        return self._ready().cursor()

    def stop(self, cursor: Any, sql: str) -> None:
        """End the query of a cursor on the server, from another thread; the cursor then gives up."""
        request = getattr(cursor, "_request_id", None)
        if request is not None and self._connection is not None:
            self._connection._cancel_query(sql, request)

    def hang_up(self) -> None:
        """End every connection to the server; the driver's own thread gives up in its own time.

        What is asked next is asked in a session of its own.
        """
        self._hung_up = True
        self._proxy.close()

    def failed(self, error: BaseException, subject: str) -> Exception:
        """The engine's error for a driver's error: the guard's own where the guard refused."""
        refused = self._proxy.refusal()
        if refused is not None:
            return refused
        if isinstance(error, self._driver.errors.Error):
            return statement_error(error, self.parameters.account, subject, self._secrets)
        return lost(self.parameters.account, type(error).__name__)

    def close(self) -> None:
        """End the session on the server and every connection to it; safe to call twice."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception), patiently(self.hang_up):
                connection.close(retry=False)
        self._proxy.close()

    def _ready(self) -> Any:
        """The open connection, a new one after the one before was hung up on: that would be tried again for minutes."""
        if self._hung_up and self._connection is not None:
            self.close()
            self._proxy = GuardedProxy(self._dial)
            self._hung_up = False
            self._connect(_signing_in(self.parameters))
        return self._connection

    def _failures(self) -> tuple[type[BaseException], ...]:
        """What the driver raises: its own errors, those of the HTTP client inside it, and of Arrow."""
        requests = load_driver(f"{Snowflake.driver}.vendored.requests", extra=Snowflake.extra, name=Snowflake.name)
        return (self._driver.errors.Error, requests.RequestException, OSError, EOFError, pa.ArrowException)

    def _connect(self, signing_in: dict[str, Any]) -> None:
        parameters = self.parameters
        try:
            with self._in_time() as late:
                self._connection = self._driver.connect(**settings(parameters, self._proxy), **signing_in)
                self._connection.telemetry_enabled = False
        except self._failures() as error:
            refused = self._proxy.refusal()
            if late.is_set():
                raise refused or silent(parameters) from None
            raise refused or connect_error(error, parameters, self._secrets) from None
        self._choose_database()

    @contextlib.contextmanager
    def _in_time(self) -> Iterator[threading.Event]:
        """A bound over the whole login, whose own limit the driver does not keep: without the proxy it gives up."""
        late = threading.Event()

        def end() -> None:
            late.set()
            self._proxy.close()

        timer = threading.Timer(CONNECT_SECONDS, end)
        timer.daemon = True
        timer.start()
        try:
            yield late
        finally:
            timer.cancel()
            # Two must not close the proxy at once.
            timer.join()

    def _choose_database(self) -> None:
        """Use the database by its exact name, else by the name Snowflake gives to one written without quotes."""
        given = self.parameters.database
        for name in dict.fromkeys((given, given.upper())):
            try:
                with self._connection.cursor() as cursor:
                    cursor.execute(f"USE DATABASE {quote_name(name, limit=NAME_BYTES)}", timeout=QUESTION_SECONDS)
                self.database = name
                return
            except self._failures() as error:
                if number(error) not in _MISSING:
                    raise self.failed(error, f"the database {given}") from None
        raise missing_database(self.parameters)


def settings(parameters: SnowflakeParameters, proxy: GuardedProxy) -> dict[str, Any]:
    """What the driver is told, secrets left out; nothing is left for it to take from files or the environment."""
    way = urlsplit(proxy.url)
    return {
        "account": parameters.account,
        "user": parameters.username,
        "host": parameters.server,
        "port": parameters.port,
        "protocol": "https",
        "warehouse": parameters.warehouse,
        "role": parameters.role or None,
        "application": "b2b_recs",
        "proxy_host": way.hostname,
        "proxy_port": str(way.port),
        "proxy_user": way.username,
        "proxy_password": way.password,
        # A name nobody has, because None would mean what the environment says.
        "no_proxy": "none.invalid",
        "login_timeout": CONNECT_SECONDS,
        "socket_timeout": QUESTION_SECONDS,
        "network_timeout": RETRY_SECONDS,
        "session_parameters": dict(_SESSION),
        "client_prefetch_threads": _FETCHING,
        "client_session_keep_alive": True,
        # Exact decimals instead of binary fractions.
        "arrow_number_to_decimal": True,
        # No questions to other hosts: revocation servers, and the metadata service of a cloud machine.
        "disable_ocsp_checks": True,
        "cert_revocation_check_mode": "DISABLED",
        "platform_detection_timeout_seconds": 0.0,
        "log_imported_packages_in_telemetry": False,
        "client_store_temporary_credential": False,
        "client_request_mfa_token": False,
    }


def _signing_in(parameters: SnowflakeParameters) -> dict[str, Any]:
    """The driver's settings that hold a secret. Raises AuthenticationRefused for a key that does not open."""
    pem = parameters.private_key.get_secret_value()
    if not pem:
        return {"authenticator": "SNOWFLAKE", "password": parameters.password.get_secret_value()}
    passphrase = parameters.private_key_passphrase.get_secret_value().encode() or None
    try:
        key = serialization.load_pem_private_key(pem.encode(), passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        locked = "ENCRYPTED" in pem or passphrase is not None
        raise AuthenticationRefused(
            "The private key could not be opened.",
            advice="Check the passphrase of the key." if locked else "Give the whole PEM text of an RSA key.",
            field="private_key_passphrase" if locked else "private_key",
        ) from None
    plain = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {"authenticator": "SNOWFLAKE_JWT", "private_key": plain}


def _quiet() -> None:
    """Keep the driver's own log lines, which hold query texts and addresses, out of the platform's log."""
    logging.getLogger("snowflake").setLevel(logging.CRITICAL)
