"""One read-only session with Amazon Redshift, in the words its old PostgreSQL understands."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg.adapt import AdaptersMap
from psycopg.types.string import TextLoader

from b2b_recs.engine.errors import SourceRefused
from b2b_recs.engine.sources import interrupting
from b2b_recs.engine.sources.contract import Dialer
from b2b_recs.engine.sources.error_table import TOO_MUCH, UNKNOWN_HOST
from b2b_recs.engine.sources.postgresql.connection import authority_file, conninfo
from b2b_recs.engine.sources.postgresql.errors import connect_error, statement_error
from b2b_recs.engine.sources.redshift.parameters import RedshiftParameters
from b2b_recs.engine.sources.small_answers import small_answer

QUESTION_SECONDS = 300
READ_SECONDS = 12 * 3600
# A cluster of one node hands over no more rows at a time.
FETCH_ROWS = 1000
_CURSOR = "b2b_recs_rows"

# What decides how values look as text.
_SESSION = (
    "SET timezone TO 'UTC'",
    "SET datestyle TO 'ISO, MDY'",
    "SET extra_float_digits TO 2",
    f"SET statement_timeout TO {QUESTION_SECONDS * 1000}",
)
# What an older release may not know: names keep their capitals, nested data comes as JSON, queries have a label.
_WISHES = (
    "SET enable_case_sensitive_identifier TO true",
    "SET json_serialization_enable TO true",
    "SET json_serialization_parse_nested_strings TO true",
    "SET query_group TO 'b2b-recs'",
)
_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class Session:
    """A connection that opens a read-only snapshot for every group of questions; every value arrives as text.

    Raises the engine's errors; the driver's own never escape. Not for several threads, except ``interrupt``.
    """

    def __init__(self, parameters: RedshiftParameters, dial: Dialer) -> None:
        self.parameters = parameters
        self._secret = parameters.password.get_secret_value()
        self._connection: psycopg.Connection[Any] | None = None
        self._given_up = False  # an answer without an end was cut off, and the connection with it
        try:
            address = dial(parameters.host, parameters.port)
        except socket.gaierror:
            raise UNKNOWN_HOST.about(host=parameters.host) from None
        refusal: Exception | None = None
        with authority_file(parameters) as authority:
            try:
                self._connection = psycopg.connect(
                    conninfo(parameters, address, authority), autocommit=True, cursor_factory=psycopg.ClientCursor
                )
                _read_text_only(self._connection.adapters)
                for statement in _SESSION:
                    self._connection.execute(statement.encode())
                for wish in _WISHES:
                    with contextlib.suppress(psycopg.ProgrammingError):
                        self._connection.execute(wish.encode())
            except psycopg.Error as error:
                self.close()
                refusal = connect_error(_plain(error), parameters)
        if refusal is not None:
            # Raised here, because the driver's error holds the password and would be the context of ours.
            raise refusal
        self._in_snapshot = False

    def fresh_snapshot(self) -> None:
        """End the open snapshot; the next question begins one that sees the database as it is then."""
        if self._in_snapshot:
            self._run("ROLLBACK", "the database")
        self._in_snapshot = False

    def query(self, sql: str, subject: str, *, seconds: int = QUESTION_SECONDS) -> list[tuple[str | None, ...]]:
        """Rows of a small answer, inside the open snapshot."""
        self._join()
        if seconds != QUESTION_SECONDS:
            self._run(f"SET statement_timeout TO {seconds * 1000}", subject)
        rows = self._run(sql, subject)
        if seconds != QUESTION_SECONDS:
            self._run(f"SET statement_timeout TO {QUESTION_SECONDS * 1000}", subject)
        return rows

    def optional(self, sql: str) -> list[tuple[str | None, ...]]:
        """Rows of an answer that not every login may see; none where it may not. Ends the open snapshot."""
        try:
            return self.query(sql, "the database")
        except SourceRefused as error:
            if error.transient or self._given_up:
                raise
            return []

    def rows(self, sql: str, subject: str) -> Iterator[list[tuple[str | None, ...]]]:
        """Rows of a large answer, a thousand at a time, by a cursor of the server inside the open snapshot."""
        self._join()
        self._run(f"SET statement_timeout TO {READ_SECONDS * 1000}", subject)
        self._run(f"DECLARE {_CURSOR} CURSOR FOR {sql}", subject)
        while rows := self._run(f"FETCH FORWARD {FETCH_ROWS} FROM {_CURSOR}", subject):
            yield rows

    def forget(self) -> None:
        """Give up the cursor of a read that ended early, and with it the snapshot."""
        if self._in_snapshot and self._connection is not None:
            self._in_snapshot = False
            with contextlib.suppress(psycopg.Error):
                self._connection.execute("ROLLBACK")
                self._connection.execute(f"SET statement_timeout TO {QUESTION_SECONDS * 1000}".encode())

    def end_cursor(self, subject: str) -> None:
        """Close the cursor of a read that came to its end; the snapshot stays."""
        self._run(f"CLOSE {_CURSOR}", subject)
        self._run(f"SET statement_timeout TO {QUESTION_SECONDS * 1000}", subject)

    def interrupt(self) -> None:
        """Ask the server to stop the running statement, from another thread."""
        if self._connection is not None:
            # The plain way to cancel would hold up every thread of the process while the server is silent.
            self._connection.cancel_safe(timeout=interrupting.PATIENCE_SECONDS)

    def hang_up(self) -> None:
        """End the connection under a statement that waits, from any thread: for a server that does not answer."""
        connection = self._connection
        if connection is not None and not connection.closed:
            with contextlib.suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(connection.fileno())) as line:
                interrupting.hang_up(line)

    def close(self) -> None:
        """Close the session; safe to call twice."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(psycopg.Error):
                connection.close()

    def _join(self) -> None:
        if not self._in_snapshot:
            self._run(_BEGIN, "the database")
            self._in_snapshot = True

    def _give_up(self) -> None:
        self._given_up = True
        self.hang_up()

    def _run(self, sql: str, subject: str) -> list[tuple[str | None, ...]]:
        if self._given_up:  # asked of the line that was cut, the driver would wait
            raise TOO_MUCH.about(host=self.parameters.host)
        if self._connection is None:
            raise statement_error(
                psycopg.OperationalError("no connection to the server"), self.parameters.host, subject, ""
            )
        try:
            with self._connection.cursor() as cursor:
                # A thousand rows at a time: the driver would take in a whole answer before it shows any of it.
                answer = cursor.stream(sql.encode(), size=FETCH_ROWS)
                return small_answer(answer, self.parameters.host, self._give_up)
        except psycopg.Error as error:
            if self._given_up:  # what the driver says of the line that was cut says less
                raise TOO_MUCH.about(host=self.parameters.host) from None
            if isinstance(error, psycopg.ProgrammingError) and error.sqlstate is None:
                return []  # the driver's own remark that the statement has no rows
            refusal = statement_error(error, self.parameters.host, subject, self._secret)
            self.forget()
            raise refusal from None


def _read_text_only(adapters: AdaptersMap) -> None:
    """Take every value as the server prints it: the driver's own types are not exact for all of them."""
    for info in list(adapters.types):
        adapters.register_loader(info.oid, TextLoader)
        if info.array_oid:
            adapters.register_loader(info.array_oid, TextLoader)
    adapters.register_loader(0, TextLoader)


def _plain(error: psycopg.Error) -> Exception:
    return Exception(str(error).removeprefix("connection failed: "))
