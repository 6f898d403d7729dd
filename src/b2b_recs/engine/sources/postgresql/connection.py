"""One read-only session with a PostgreSQL server."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import tempfile
import threading
from pathlib import Path
from typing import Any

import adbc_driver_manager
import adbc_driver_postgresql.dbapi as adbc

from b2b_recs.engine.sources.contract import Dialer
from b2b_recs.engine.sources.error_table import UNKNOWN_HOST
from b2b_recs.engine.sources.interrupting import hang_up
from b2b_recs.engine.sources.postgresql.errors import connect_error, statement_error
from b2b_recs.engine.sources.postgresql.line import own_line
from b2b_recs.engine.sources.postgresql.parameters import PostgreSQLParameters
from b2b_recs.engine.sources.quoting import quote_text
from b2b_recs.engine.sources.small_answers import small_answer

CONNECT_SECONDS = 10
QUESTION_SECONDS = 60
# The server ends a statement at its limit; one that has not answered so much later does not answer any more.
GRACE_SECONDS = 5
LOCK_SECONDS = 30
READ_SECONDS = 12 * 3600

# What decides how values look as text, and what keeps names from meaning something else on this server.
_SESSION = (
    "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
    "SET default_transaction_read_only = on",
    "SET search_path = pg_catalog",
    "SET TimeZone = 'UTC'",
    "SET DateStyle = 'ISO, YMD'",
    "SET IntervalStyle = 'postgres'",
    "SET extra_float_digits = 1",
    "SET bytea_output = 'hex'",
    "SET xmlbinary = 'base64'",
    "SET standard_conforming_strings = on",
    f"SET lock_timeout = '{LOCK_SECONDS}s'",
    f"SET statement_timeout = '{QUESTION_SECONDS}s'",
    # A server may end sessions that pause; a copy pauses while the warehouse writes. Not every release has all three.
    f"SELECT set_config(name, '{READ_SECONDS}s', false) FROM pg_settings WHERE name IN "  # noqa: S608
    "('idle_in_transaction_session_timeout', 'idle_session_timeout', 'transaction_timeout')",
)
_PATIENT = f"SET LOCAL statement_timeout = '{READ_SECONDS}s'"
_FORGET = "ROLLBACK TO SAVEPOINT question"


class Session:
    """A connection that opens a read-only snapshot for every group of questions.

    Raises the engine's errors; the driver's own never escape. Not for several threads, except ``interrupt``.
    """

    def __init__(self, parameters: PostgreSQLParameters, dial: Dialer) -> None:
        self.parameters = parameters
        self._secret = parameters.password.get_secret_value()
        self._dial = dial
        self._in_snapshot = False
        self._reading = False
        self._connection: Any = None
        self._line: socket.socket | None = None
        self._connect()

    def query(self, sql: str, subject: str = "the database", *, whole_table: bool = False) -> list[tuple[Any, ...]]:
        """Rows of a small answer, inside the open snapshot; no lock is held afterwards.

        A question that may have to look at a whole table gets as long as a bulk read.
        """
        self.join_snapshot()
        try:
            if whole_table:
                self._execute(_PATIENT)
            rows = self._execute(sql, READ_SECONDS if whole_table else QUESTION_SECONDS)
            self._execute(_FORGET)
        except (adbc_driver_manager.Error, OSError) as error:
            raise self.failed(error, subject) from None
        return rows

    def fresh_snapshot(self) -> None:
        """End the open snapshot and begin one that sees the database as it is now."""
        if not self._reading:
            self.end_snapshot()
        self.join_snapshot()

    def join_snapshot(self) -> None:
        """Begin a snapshot unless one is open. Raises RuntimeError in the middle of a bulk read."""
        if self._reading:
            raise RuntimeError("finish or close the open read before asking this source anything else")
        if self._connection is None:
            self._connect()
        if self._in_snapshot:
            return
        try:
            # Rolling back to the savepoint gives up a question's locks, so that the owner of a table may alter it
            # while its rows are on their way, and keeps the snapshot.
            for statement in ("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY", "SAVEPOINT question"):
                self._execute(statement)
        except (adbc_driver_manager.Error, OSError) as error:
            raise self.failed(error, "the database") from None
        self._in_snapshot = True

    def export_snapshot(self) -> str:
        """The name under which another session can join this one's snapshot while it is open."""
        self.join_snapshot()
        try:
            # A snapshot cannot be exported from inside a savepoint.
            for statement in (_FORGET, "RELEASE SAVEPOINT question"):
                self._execute(statement)
            name = str(self._execute("SELECT pg_catalog.pg_export_snapshot()")[0][0])
            self._execute("SAVEPOINT question")
        except (adbc_driver_manager.Error, OSError) as error:
            raise self.failed(error, "the database") from None
        return name

    def share_snapshot(self, name: str) -> None:
        """Begin the snapshot another session has exported under that name."""
        self.end_snapshot()
        try:
            for statement in (
                "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
                f"SET TRANSACTION SNAPSHOT {quote_text(name)}",
                "SAVEPOINT question",
            ):
                self._execute(statement)
        except (adbc_driver_manager.Error, OSError) as error:
            self.close()
            raise statement_error(error, self.parameters.host, "the database", self._secret) from None
        self._in_snapshot = True

    def beside(self) -> Session:
        """Another session of the same login that sees the same snapshot."""
        name = self.export_snapshot()
        other = Session(self.parameters, self._dial)
        other.share_snapshot(name)
        return other

    def end_snapshot(self) -> None:
        """End the open snapshot, if any."""
        if self._connection is not None and self._in_snapshot:
            self._in_snapshot = False
            self._or_close("ROLLBACK")

    def cursor(self) -> Any:
        """A driver cursor for a bulk read inside the snapshot, allowed to run for hours; ``forget`` when done."""
        self.join_snapshot()
        try:
            self._execute(_PATIENT)
        except (adbc_driver_manager.Error, OSError) as error:
            raise self.failed(error, "the table") from None
        self._reading = True
        return self._connection.cursor()

    def forget(self) -> None:
        """Give up what the last statement holds, after success, failure or interruption."""
        self._reading = False
        if self._connection is not None and self._in_snapshot:
            self._or_close(_FORGET)

    def failed(self, error: BaseException, subject: str) -> Exception:
        """The engine's error for a driver's error; the session is usable afterwards, or opened anew when it broke."""
        refusal = statement_error(error, self.parameters.host, subject, self._secret)
        self.forget()
        return refusal

    def _or_close(self, statement: str) -> None:
        try:
            self._execute(statement)
        except (adbc_driver_manager.Error, OSError):
            # A connection that cannot even roll back is gone; the next question opens another.
            self.close()

    def hang_up(self) -> None:
        """End the connection under a statement that waits, from any thread: for a server that does not answer."""
        hang_up(self._line)

    def close(self) -> None:
        """Close the session; safe to call twice."""
        self._reading = False
        connection, self._connection, self._in_snapshot = self._connection, None, False
        if connection is not None:
            with contextlib.suppress(adbc_driver_manager.Error, OSError):
                connection.close()
        if self._line is not None:
            self._line.close()
            self._line = None

    def _connect(self) -> None:
        parameters = self.parameters
        try:
            address = self._dial(parameters.host, parameters.port)
        except socket.gaierror:
            raise UNKNOWN_HOST.about(host=parameters.host) from None
        with authority_file(parameters) as authority:
            try:
                # Autocommit: the snapshot's BEGIN and ROLLBACK are ours.
                self._connection = adbc.connect(conninfo(parameters, address, authority), autocommit=True)
                self._line = self._own_line(address)
                for statement in _SESSION:
                    self._execute(statement)
            except adbc_driver_manager.Error as error:
                self.close()
                raise connect_error(error, parameters) from None

    def _own_line(self, address: str) -> socket.socket | None:
        """A handle of this session's connection, where it can be told from others."""
        port = self.parameters.port
        found = own_line(address, port, None)
        if found is None:
            ((local_port,),) = self._execute("SELECT pg_catalog.inet_client_port()")
            found = own_line(address, port, local_port)
        return found

    def _execute(self, sql: str, seconds: float = QUESTION_SECONDS) -> list[tuple[Any, ...]]:
        """Rows of a statement. The connection is ended when the server has not answered in time."""
        late = threading.Timer(seconds + GRACE_SECONDS, self.hang_up)
        late.daemon = True
        late.start()
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(sql)
                rows = iter(cursor.fetchone, None) if cursor.description else ()
                return small_answer(rows, self.parameters.host, self.hang_up)
        finally:
            late.cancel()


def conninfo(parameters: PostgreSQLParameters, address: str, authority: str = "") -> str:
    """The keyword string for the driver: it dials ``address`` and verifies the certificate for the host's name.

    Every keyword the driver would otherwise take from the environment or a file of this machine is set here.
    """
    keywords = {
        "host": parameters.host,
        "hostaddr": address,
        "port": str(parameters.port),
        "dbname": parameters.database,
        "user": parameters.username,
        "password": parameters.password.get_secret_value(),
        "passfile": os.devnull,
        "sslmode": parameters.ssl_mode,
        "sslcertmode": "disable",
        "sslrootcert": authority,
        "gssencmode": "disable",
        "options": "",
        "client_encoding": "UTF8",
        "application_name": "b2b-recs",
        "connect_timeout": str(CONNECT_SECONDS),
        "tcp_user_timeout": "60000",
        "keepalives_idle": "30",
        "target_session_attrs": "any",
    }
    if parameters.ssl_mode in ("disable", "prefer"):
        # Without certain encryption a password is never sent as plain text, whatever the server asks for.
        keywords["require_auth"] = "!password"
    return " ".join(f"{key}='{_escaped(value)}'" for key, value in keywords.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")


@contextlib.contextmanager
def authority_file(parameters: PostgreSQLParameters) -> Any:
    """Yields the path of the file of certificate authorities, the empty text when none is verified."""
    if parameters.ssl_mode != "verify-full":
        yield ""
    elif not parameters.ca_certificate:
        yield ssl.get_default_verify_paths().cafile or "system"
    else:
        with tempfile.TemporaryDirectory(prefix="b2b-recs-") as folder:
            path = Path(folder) / "authority.pem"
            path.write_text(parameters.ca_certificate)
            yield str(path)
