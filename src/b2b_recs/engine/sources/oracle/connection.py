"""One read-only session with an Oracle database."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator
from typing import Any

from b2b_recs.engine.errors import EngineError
from b2b_recs.engine.sources.connect_watch import Deadline, Tell, watched
from b2b_recs.engine.sources.contract import Dialer
from b2b_recs.engine.sources.drivers import load_driver
from b2b_recs.engine.sources.interrupting import hang_up, patiently
from b2b_recs.engine.sources.oracle.errors import refusal, silent
from b2b_recs.engine.sources.oracle.parameters import OracleParameters
from b2b_recs.engine.sources.small_answers import small_answer

CONNECT_SECONDS = 10
QUESTION_SECONDS = 60
READ_SECONDS = 12 * 3600

# What decides how values look as text.
_SESSION = (
    "ALTER SESSION SET NLS_NUMERIC_CHARACTERS = '.,'",
    "ALTER SESSION SET NLS_CALENDAR = 'GREGORIAN'",
    "ALTER SESSION SET TIME_ZONE = '+00:00'",
)


class _NamedContext(ssl.SSLContext):
    """A TLS context that verifies one host's name, whatever address the driver dialled.

    The driver switches the check of the name off, because it has one of its own for the address it knows.
    """

    name: str
    verified: bool

    def wrap_socket(self, *args: Any, **options: Any) -> ssl.SSLSocket:
        if self.verified:
            self.verify_mode = ssl.CERT_REQUIRED
            self.check_hostname = True
        return super().wrap_socket(*args, **{**options, "server_hostname": self.name})


def driver() -> Any:
    """The driver's module. Raises DriverMissing."""
    module = load_driver("oracledb", extra="oracle", name="Oracle")
    # Else the first connection settles it, and all others wait until that one has an answer.
    module.enable_thin_mode()
    return module


class Session:
    """A connection with a read-only transaction for every group of questions.

    Raises the engine's errors; the driver's own never escape. Not for several threads, except ``interrupt``.
    """

    def __init__(self, parameters: OracleParameters, dial: Dialer) -> None:
        self.parameters = parameters
        self._dial = dial
        self._driver = driver()
        self._connection: Any = None
        self._in_snapshot = False
        self._interrupted = False
        # Handles of our own of the connections the driver has made.
        self._lines: list[socket.socket] = []
        self._connect()

    @property
    def version(self) -> str:
        """The server's version."""
        return str(self._connection.version)

    def query(
        self, sql: str, values: dict[str, Any], subject: str, *, seconds: int = QUESTION_SECONDS
    ) -> list[tuple[Any, ...]]:
        """Rows of a small answer, inside the open snapshot."""
        self._join_snapshot()
        with self._refusing(subject):
            self._connection.call_timeout = seconds * 1000
            with self._connection.cursor() as cursor:
                cursor.execute(sql, values)
                return small_answer(cursor, self.parameters.host, self._give_up)

    def arrow(self, sql: str, values: dict[str, Any], subject: str, rows: int) -> Iterator[Any]:
        """The driver's data frames of a bulk read, ``rows`` each."""
        self._join_snapshot()
        with self._refusing(subject):
            self._connection.call_timeout = READ_SECONDS * 1000
            yield from self._connection.fetch_df_batches(sql, values, size=rows)

    def fresh_snapshot(self) -> None:
        """End the open snapshot and begin one that sees the database as it is now."""
        if self._connection is not None and self._in_snapshot and not self._interrupted:
            self._in_snapshot = False
            with self._refusing("the database"):
                self._connection.rollback()
        self._join_snapshot()

    def interrupt(self) -> None:
        """Make the server give up what it is doing for this session."""
        connection = self._connection
        if connection is not None and not self._interrupted:
            self._interrupted = True
            connection.cancel()

    def hang_up(self) -> None:
        """End the connection under whatever waits for it, from any thread: for a server that does not answer."""
        for line in list(self._lines):
            hang_up(line)

    def _give_up(self) -> None:
        """Let go of a server that would go on sending; the next question is asked in a new session."""
        self._interrupted = True
        self.hang_up()

    def close(self) -> None:
        """Close the session; safe to call twice."""
        connection, self._connection, self._in_snapshot = self._connection, None, False
        self._interrupted = False
        if connection is not None:
            with contextlib.suppress(self._driver.Error, OSError), patiently(self.hang_up):
                connection.close()
        while self._lines:
            self._lines.pop().close()

    def _join_snapshot(self) -> None:
        if self._interrupted:
            # The server may still answer the interruption, and would answer it to the next question.
            self.close()
        if self._connection is None:
            self._connect()
        if self._in_snapshot:
            return
        with self._refusing("the database"), self._connection.cursor() as cursor:
            self._connection.call_timeout = QUESTION_SECONDS * 1000
            cursor.execute("SET TRANSACTION READ ONLY")
        self._in_snapshot = True

    def _connect(self) -> None:
        parameters = self.parameters
        address = self._dial(parameters.host, parameters.port)

        def check(host: str, port: int) -> None:
            # A listener may send the driver on to another address, which nobody has checked yet.
            if (host, port) != (address, parameters.port):
                self._dial(host, port)

        def told(end: socket.socket) -> None:
            tell(end)
            self._lines.append(end.dup())

        with self._refusing("the database"), self._in_time() as tell, watched(check, told):
            self._connection = self._driver.connect(
                params=None, user=parameters.username, password=parameters.password.get_secret_value(),
                host=address, port=parameters.port, service_name=parameters.service_name,
                tcp_connect_timeout=CONNECT_SECONDS, retry_count=0, disable_oob=True, stmtcachesize=0,
                config_dir="", program="b2b-recs", machine="b2b-recs", terminal="b2b-recs", osuser="b2b-recs",
                **self._encryption(),
            )  # fmt: skip
            self._connection.call_timeout = QUESTION_SECONDS * 1000
            with self._connection.cursor() as cursor:
                for statement in _SESSION:
                    cursor.execute(statement)

    @contextlib.contextmanager
    def _in_time(self) -> Iterator[Tell]:
        """A bound over all of a login: the driver bounds only how long one address is dialled."""
        # Dialling takes a part of it; a page waits no longer than 15 seconds.
        deadline = Deadline(CONNECT_SECONDS * 1.4)
        try:
            with deadline:
                yield deadline.tell
        except (self._driver.Error, OSError):
            if deadline.passed:
                self.close()
                raise silent(self.parameters) from None
            raise

    def _encryption(self) -> dict[str, Any]:
        parameters = self.parameters
        if parameters.ssl_mode == "disable":
            return {"protocol": "tcp"}
        context = _NamedContext(ssl.PROTOCOL_TLS_CLIENT)
        context.name = parameters.host
        context.verified = parameters.ssl_mode == "verify-full"
        if parameters.ssl_mode == "require":
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif parameters.ca_certificate:
            context.load_verify_locations(cadata=parameters.ca_certificate)
        else:
            context.load_default_certs()
        return {"protocol": "tcps", "ssl_context": context, "ssl_server_dn_match": False, "wallet_location": ""}

    @contextlib.contextmanager
    def _refusing(self, subject: str) -> Iterator[None]:
        """The engine's errors for the driver's; a session that broke is opened anew by the next question."""
        try:
            yield
        except (self._driver.Error, OSError) as error:
            cause = error.__cause__ or error.__context__
            if isinstance(cause, EngineError):
                raise cause from None
            found = refusal(error, self.parameters, subject)
            if found.transient:
                self.close()
            raise found from None
