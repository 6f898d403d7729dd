"""One read-only session with a MySQL or MariaDB server."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
from collections.abc import Iterator
from typing import Any

from b2b_recs.engine.errors import EngineError
from b2b_recs.engine.sources import interrupting
from b2b_recs.engine.sources.contract import Dialer
from b2b_recs.engine.sources.error_table import NOTHING_ANSWERS, UNKNOWN_HOST
from b2b_recs.engine.sources.mysql.client import new_client
from b2b_recs.engine.sources.mysql.errors import TooSlow, connect_error, statement_error
from b2b_recs.engine.sources.mysql.parameters import MySQLParameters
from b2b_recs.engine.sources.mysql.rows import RowStream
from b2b_recs.engine.sources.small_answers import small_answer

CONNECT_SECONDS = 10.0
QUESTION_SECONDS = 60.0
LOCK_SECONDS = 30
READ_SECONDS = 12 * 3600
_QUESTION_BLOCK = 1024 * 1024

# What decides how values look as text, what a literal means, and how long the server waits for this session.
_SESSION = (
    "SET NAMES utf8mb4",
    "SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES', time_zone = '+00:00', sql_select_limit = 18446744073709551615, "
    f"sql_big_selects = 1, lock_wait_timeout = {LOCK_SECONDS}, innodb_lock_wait_timeout = {LOCK_SECONDS}, "
    # A copy pauses while the warehouse writes.
    f"net_write_timeout = {READ_SECONDS}, wait_timeout = {READ_SECONDS}",
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "SET SESSION TRANSACTION READ ONLY",
)
_SNAPSHOT = ("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY", "SAVEPOINT question")
# Gives up a question's locks, so that the owner of a table may alter it, and keeps the snapshot.
_FORGET = "ROLLBACK TO SAVEPOINT question"


class Session:
    """A connection that opens a read-only snapshot for every group of questions.

    Raises the engine's errors; the driver's own never escape. Not for several threads, except ``interrupt``.
    """

    def __init__(self, parameters: MySQLParameters, dial: Dialer) -> None:
        self.parameters = parameters
        self._secret = parameters.password.get_secret_value()
        self._dial = dial
        self._client: Any = None
        self._in_snapshot = False
        self._reading = False
        self._patience = 0.0
        self._lock = threading.Lock()
        self.version = ""
        self._connect()

    @property
    def is_mariadb(self) -> bool:
        """Whether the server is MariaDB, by its own word."""
        return "mariadb" in self.version.lower()

    def query(self, sql: str, subject: str = "the database", *, whole_table: bool = False) -> list[tuple[Any, ...]]:
        """Rows of a small answer as text or None, inside the open snapshot; no lock is held afterwards.

        A question that may have to look at a whole table gets as long as a bulk read.
        """
        self.join_snapshot()
        seconds = READ_SECONDS if whole_table else QUESTION_SECONDS
        with self._speaking(subject):
            self._allow(seconds)
            rows = self._ask(sql, seconds)
            self._ask(_FORGET)
        return rows

    def fresh_snapshot(self) -> None:
        """End the open snapshot and begin one that sees the database as it is now."""
        if not self._reading and self._client is not None and self._in_snapshot:
            self._in_snapshot = False
            with contextlib.suppress(EngineError), self._speaking("the database"):
                self._ask("ROLLBACK")
        self.join_snapshot()

    def join_snapshot(self) -> None:
        """Begin a snapshot unless one is open. Raises RuntimeError in the middle of a bulk read."""
        if self._reading:
            raise RuntimeError("finish or close the open read before asking this source anything else")
        if self._client is None:
            self._connect()
        if not self._in_snapshot:
            with self._speaking("the database"):
                for statement in _SNAPSHOT:
                    self._ask(statement)
            self._in_snapshot = True

    def rows(self, sql: str, subject: str, block_bytes: int) -> Iterator[list[Any]]:
        """Blocks of Arrow columns of bytes, as the server sends them; it holds back what is not yet wanted.

        Ends early, without an error, when ``interrupt`` was called from another thread.
        """
        self.join_snapshot()
        client, complete = self._client, False
        self._reading = True
        try:
            with self._speaking(subject):
                self._allow(READ_SECONDS)
                stream = RowStream(client.stream, client.ask(sql), block_bytes)
                yield from stream.blocks()
                self._finish(stream)
                self._ask(_FORGET)
                complete = True
        finally:
            with self._lock:
                self._reading = False
                left = self._client is client and not complete and not self._in_snapshot
                if left:
                    self._client = None
            if left or self._client is not client:
                client.drop()

    def interrupt(self) -> None:
        """End an open bulk read here and on the server, from any thread; nothing when none is open."""
        with self._lock:
            client = self._client if self._reading else None
            self._client, self._in_snapshot = (None, False) if client else (self._client, self._in_snapshot)
        if client is None:
            return
        number = int(client.thread_id())
        _hang_up(client)
        # A server that sorts does not notice that nobody listens any more; a second session tells it, unless it hangs.
        with contextlib.suppress(EngineError):
            killer = self._open(interrupting.PATIENCE_SECONDS)
            with contextlib.suppress(Exception), _Deadline(killer, interrupting.PATIENCE_SECONDS):
                killer.ask(f"KILL CONNECTION {number}")
            killer.drop()

    def close(self) -> None:
        """Close the session; safe to call twice."""
        self.interrupt()
        client, self._client, self._in_snapshot = self._client, None, False
        if client is not None:
            with contextlib.suppress(Exception):
                client.close()

    def _give_up(self) -> None:
        """Let go of a server that would go on sending."""
        client, self._client, self._in_snapshot = self._client, None, False
        _hang_up(client)
        client.drop()

    def _finish(self, stream: RowStream) -> None:
        if stream.last is not None and stream.last[:1] == b"\xff":
            self._client.raise_error(stream.last)

    def _ask(self, sql: str, seconds: float = QUESTION_SECONDS) -> list[tuple[Any, ...]]:
        """Rows as text. Raises whatever the driver raises; use inside ``_speaking``."""
        with _Deadline(self._client, seconds):
            columns = self._client.ask(sql)
            if not columns:
                return []
            stream = RowStream(self._client.stream, columns, _QUESTION_BLOCK)
            rows = small_answer(_texts(stream), self.parameters.host, self._give_up)
            self._finish(stream)
        return rows

    def _allow(self, seconds: float) -> None:
        """Tell the server after how long to give a statement up."""
        if seconds == self._patience:
            return
        limit = (
            f"max_statement_time = {seconds:.0f}" if self.is_mariadb else f"max_execution_time = {seconds * 1e3:.0f}"
        )
        self._ask(f"SET SESSION {limit}")
        self._patience = seconds

    @contextlib.contextmanager
    def _speaking(self, subject: str) -> Iterator[None]:
        """Turns every failure inside into the engine's error; the session is usable afterwards, or opened anew."""
        client = self._client
        try:
            yield
        except EngineError:
            raise
        except Exception as error:  # the driver parses what a stranger's server sends: anything may come out
            if client is not self._client:
                # Interrupted on purpose; the reader is no longer there.
                return
            refusal = statement_error(error, self.parameters.host, subject, self._secret)
            self._recover(client, error)
            raise refusal from None

    def _recover(self, client: Any, error: Exception) -> None:
        """Keep the session after a refusal of the server's; drop one whose answer was not read to its end."""
        refused = type(error).__module__.startswith("pymysql") and client.transport is not None
        self._in_snapshot = self._in_snapshot and refused
        if refused and self._in_snapshot:
            try:
                self._ask(_FORGET)
                return
            except Exception:  # as above
                self._in_snapshot = False
        _hang_up(client)
        client.drop()
        self._client = None

    def _connect(self) -> None:
        client = self._open()
        self._client, self._patience = client, 0.0
        try:
            with _Deadline(client, CONNECT_SECONDS):
                for statement in _SESSION:
                    self._ask(statement)
                self.version = str(self._ask("SELECT VERSION()")[0][0])
                for statement in self._of_this_server():
                    self._ask(statement)
        except EngineError:
            client.drop()
            self._client = None
            raise
        except Exception as error:  # as above
            client.drop()
            self._client = None
            raise connect_error(error, self.parameters) from None

    def _of_this_server(self) -> tuple[str, ...]:
        """Settings that only one of the two families has."""
        if self.is_mariadb:
            return ("SET SESSION idle_transaction_timeout = 0, idle_readonly_transaction_timeout = 0",)
        release = self.version.partition(".")[0]
        # Release 8 and later keep what information_schema says of a table for a day.
        return ("SET SESSION information_schema_stats_expiry = 0",) if release.isdigit() and int(release) >= 8 else ()

    def _open(self, seconds: float | None = None) -> Any:
        """A client that is let in. The address is asked for at this moment, and is the one that is dialled."""
        seconds = CONNECT_SECONDS if seconds is None else seconds
        parameters = self.parameters
        try:
            address = self._dial(parameters.host, parameters.port)
        except socket.gaierror:
            raise UNKNOWN_HOST.about(host=parameters.host) from None
        # Pieces may take longer than the whole: the deadline is what ends the wait, and says so.
        client = new_client(parameters, seconds * 2)
        family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
        transport = socket.socket(family, socket.SOCK_STREAM)
        try:
            transport.settimeout(seconds)
            transport.connect((address, parameters.port))
            transport.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _keep_alive(transport)
        except OSError:
            transport.close()
            raise NOTHING_ANSWERS.about(host=parameters.host, port=parameters.port) from None
        try:
            with _Deadline(client, seconds, transport):
                client.connect(transport)
        except Exception as error:  # as above
            client.drop()
            transport.close()
            raise connect_error(error, parameters) from None
        client.wait_for_ever()
        return client


def _texts(stream: RowStream) -> Iterator[tuple[str | None, ...]]:
    """The rows of an answer as text."""
    for block in stream.blocks():
        columns = [[None if text is None else str(text, "utf-8", "replace") for text in array.to_pylist()]
                   for array in block]  # fmt: skip
        yield from zip(*columns, strict=True)


def _keep_alive(transport: socket.socket) -> None:
    """Notice within minutes a server that is gone without a word."""
    transport.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, option):
            transport.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def _hang_up(client: Any, transport: socket.socket | None = None) -> None:
    """Cut the connection under whatever waits for it; the client itself is closed by its own thread."""
    cut = client.transport or transport
    if cut is not None:
        with contextlib.suppress(OSError):
            socket.socket.shutdown(cut, socket.SHUT_RDWR)


class _Deadline:
    """Cuts the connection when the block takes longer than ``seconds``, and then raises TooSlow from it."""

    def __init__(self, client: Any, seconds: float, transport: socket.socket | None = None) -> None:
        self._client, self._transport = client, transport
        self._late = False
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._timer.cancel()
        if self._late:
            raise TooSlow from None

    def _cut(self) -> None:
        self._late = True
        _hang_up(self._client, self._transport)
