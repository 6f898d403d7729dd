"""One session with a SQL Server."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

from b2b_recs.engine.errors import EngineError
from b2b_recs.engine.sources.contract import Dialer
from b2b_recs.engine.sources.drivers import load_driver
from b2b_recs.engine.sources.error_table import NOTHING_ANSWERS, UNKNOWN_HOST
from b2b_recs.engine.sources.small_answers import small_answer
from b2b_recs.engine.sources.sqlserver.declaration import SQLServer
from b2b_recs.engine.sources.sqlserver.errors import connect_error, statement_error
from b2b_recs.engine.sources.sqlserver.parameters import SQLServerParameters
from b2b_recs.engine.sources.sqlserver.relay import Relay

CONNECT_SECONDS = 10
QUESTION_SECONDS = 60
LOCK_SECONDS = 30
READ_SECONDS = 12 * 3600
# The driver makes room for so many rows of the longest values their columns may have.
_PIECE_ROWS = 100

# What decides how values look as text, what a literal means, and what a read waits for.
_SESSION = (
    "SET NOCOUNT ON; SET TEXTSIZE 2147483647; SET ROWCOUNT 0; SET DATEFORMAT ymd; SET ANSI_NULLS ON; "
    "SET QUOTED_IDENTIFIER ON; SET ANSI_WARNINGS ON; SET CONCAT_NULL_YIELDS_NULL ON; SET ARITHABORT ON; "
    f"SET LOCK_TIMEOUT {LOCK_SECONDS * 1000}; SET DEADLOCK_PRIORITY LOW; SET IMPLICIT_TRANSACTIONS OFF"
)
_SERVER = (
    "SELECT CONVERT(nvarchar(128), SERVERPROPERTY('ProductVersion')), "
    "(SELECT CONVERT(nvarchar(9), d.snapshot_isolation_state) FROM sys.databases d WHERE d.name = DB_NAME())"
)
_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL SNAPSHOT; BEGIN TRANSACTION"
_END = "IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION"


class Session:
    """A connection that sees one state of the database for every group of questions, where the database allows it.

    Where it allows no snapshots, each statement sees what is committed. Nothing is ever written; the server knows
    no session that may only read, so what the login may do is for its grants to say. Raises the engine's errors; the
    driver's own never escape. Not for several threads, except ``interrupt``.
    """

    def __init__(self, parameters: SQLServerParameters, dial: Dialer) -> None:
        self.parameters = parameters
        self._secret = parameters.password.get_secret_value()
        self._dial = dial
        self._driver = load_driver(SQLServer.driver, extra=SQLServer.extra, name=SQLServer.name)
        self._connection: Any = None
        self._cursor: Any = None
        self._relay: Relay | None = None
        self._lock = threading.Lock()
        self._in_snapshot = False
        self.version = ""
        self.has_snapshots = False
        self._connect()

    def query(self, sql: str, subject: str = "the database", *, whole_table: bool = False) -> list[tuple[Any, ...]]:
        """Rows of a small answer; one that may have to look at a whole table gets as long as a bulk read."""
        self.join_snapshot()
        with self._speaking(subject):
            return self._ask(sql, READ_SECONDS if whole_table else QUESTION_SECONDS)

    def optional(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of an answer that not every login may have; none where the server refuses it."""
        try:
            return self.query(sql)
        except EngineError as error:
            if error.transient:
                raise
            return []

    def fresh_snapshot(self) -> None:
        """Let go of the state seen so far and see the database as it is now."""
        if self._connection is not None and self._in_snapshot:
            self._in_snapshot = False
            with contextlib.suppress(EngineError), self._speaking("the database"):
                self._ask(_END)
        self.join_snapshot()

    def join_snapshot(self) -> None:
        """See one state from now on, unless one is seen already. Raises RuntimeError in the middle of a read."""
        if self._cursor is not None:
            raise RuntimeError("finish or close the open read before asking this source anything else")
        if self._connection is None:
            self._connect()
        if self.has_snapshots and not self._in_snapshot:
            with self._speaking("the database"):
                self._ask(_SNAPSHOT)
            self._in_snapshot = True

    def batches(self, sql: str, subject: str, rows: int) -> Iterator[Any]:
        """Arrow batches of the query as the driver makes them, of at most ``rows`` rows.

        Ends early, without an error, when ``interrupt`` was called from another thread.
        """
        self.join_snapshot()
        connection = self._connection
        complete = False
        try:
            with self._speaking(subject):
                connection.timeout = READ_SECONDS
                self._cursor = connection.cursor()
                self._cursor.execute(sql)
                yield from self._cursor.arrow_reader(rows)
                complete = True
        finally:
            if not complete and self._connection is connection:
                self._drop()
            with self._lock:
                cursor, self._cursor = self._cursor, None
            if cursor is not None:
                _closed(cursor)

    def interrupt(self) -> None:
        """Cut an open read off, on the server too, from any thread; nothing when none is open."""
        with self._lock:
            relay = self._relay if self._cursor is not None else None
        if relay is not None:
            relay.cut()

    def close(self) -> None:
        """Close the session; safe to call twice."""
        self.interrupt()
        self._drop()

    def _ask(self, sql: str, seconds: int = QUESTION_SECONDS) -> list[tuple[Any, ...]]:
        """Rows of a statement. Raises whatever the driver raises; use inside ``_speaking``."""
        self._connection.timeout = seconds
        cursor = self._connection.cursor()
        try:
            cursor.execute(sql)
            return small_answer(_rows(cursor), self.parameters.host, self._hang_up)
        finally:
            _closed(cursor)

    @contextlib.contextmanager
    def _speaking(self, subject: str) -> Iterator[None]:
        """Turns every failure inside into the engine's error; the session is opened anew by the next question."""
        try:
            yield
        except EngineError:
            raise
        except Exception as error:  # the driver reads what a stranger's server sends: anything may come out
            self._drop()
            raise statement_error(error, self.parameters.host, subject, self._secret) from None

    def _hang_up(self) -> None:
        """Let go of a server that would go on sending, without hearing the rest."""
        if self._relay is not None:
            self._relay.cut()
        self._drop()

    def _drop(self) -> None:
        connection, self._connection, self._in_snapshot = self._connection, None, False
        relay, self._relay = self._relay, None
        if relay is not None and self._cursor is not None:
            # The driver would read to the end what the server still has to say.
            relay.cut()
        if connection is not None:
            _closed(connection)
        if relay is not None:
            relay.cut()

    def _connect(self) -> None:
        """Connect. The address is asked for at this moment, and is the one that is dialled."""
        parameters = self.parameters
        try:
            address = self._dial(parameters.host, parameters.port)
        except socket.gaierror:
            raise UNKNOWN_HOST.about(host=parameters.host) from None
        # The driver would keep closed sessions open for the next one who comes.
        self._driver.pooling(enabled=False)
        try:
            self._relay = Relay(address, parameters.port, CONNECT_SECONDS)
        except OSError:
            raise NOTHING_ANSWERS.about(host=parameters.host, port=parameters.port) from None
        try:
            self._connection = self._driver.connect(
                connection_string(parameters, self._relay.port), autocommit=True, timeout=CONNECT_SECONDS
            )
            self._ask(_SESSION)
            ((version, state),) = self._ask(_SERVER)
        except EngineError:
            self._drop()
            raise
        except Exception as error:  # as above
            self._drop()
            raise connect_error(error, parameters) from None
        self.version, self.has_snapshots = str(version), state == "1"


def _rows(cursor: Any) -> Iterator[tuple[Any, ...]]:
    """The rows of an answer, fetched in pieces; none where the statement has no rows."""
    while cursor.description and (piece := cursor.fetchmany(_PIECE_ROWS)):
        yield from map(tuple, piece)


def connection_string(parameters: SQLServerParameters, port: int) -> str:
    """The driver's keywords: it dials our relay at ``port`` and verifies the certificate for the host's name."""
    keywords = {
        "Server": f"tcp:127.0.0.1,{port}",
        "Database": parameters.database,
        "UID": parameters.username,
        "PWD": parameters.password.get_secret_value(),
        "Encrypt": "no" if parameters.ssl_mode == "disable" else "yes",
        "TrustServerCertificate": "no" if parameters.ssl_mode == "verify-full" else "yes",
        "HostnameInCertificate": parameters.host,
        "ApplicationIntent": "ReadOnly",
        # A connection that breaks is for the run to notice, not for the driver to make again.
        "ConnectRetryCount": "0",
        "KeepAlive": "30",
    }
    return "".join(f"{key}={{{_escaped(value)}}};" for key, value in keywords.items())


def _escaped(value: str) -> str:
    return value.replace("}", "}}")


def _closed(thing: Any) -> None:
    with contextlib.suppress(Exception):
        thing.close()
