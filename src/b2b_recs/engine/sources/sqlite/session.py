"""One read-only session with a SQLite file."""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Sequence
from decimal import Decimal, localcontext
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from b2b_recs.engine.errors import DatabaseMissing, EngineError, PermissionMissing, SourceRefused
from b2b_recs.engine.sources.contract import Dialer
from b2b_recs.engine.sources.files.locations import folder_behind
from b2b_recs.engine.sources.small_answers import small_answer
from b2b_recs.engine.sources.sqlite.errors import TOO_MUCH, statement_error
from b2b_recs.engine.sources.sqlite.moments import FUNCTION, comparable

QUESTION_SECONDS = 60.0
READ_SECONDS = 12 * 3600.0
_BUSY_SECONDS = 10.0
_STEPS = 100_000
_LONGEST_VALUE = 256 * 2**20
_SETTINGS = (
    "PRAGMA query_only = ON",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",
    "PRAGMA mmap_size = 0",
    "PRAGMA temp_store = FILE",
)
_PRAGMAS = {"table_list", "table_xinfo", "query_only", "trusted_schema", "cell_size_check", "mmap_size", "temp_store"}
_MAY = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_RECURSIVE,
    sqlite3.SQLITE_TRANSACTION,
    sqlite3.SQLITE_SAVEPOINT,
}
_MAY_NOT_CALL = {"load_extension", "writefile", "readfile", "edit", "fts3_tokenizer", "zeroblob", "randomblob"}


class Session:
    """A connection that opens a snapshot for every group of questions. Raises the engine's errors only.

    While a snapshot is open a file in WAL mode can be written as usual; other files wait for its end. Not for several
    threads at once, except ``interrupt``.
    """

    def __init__(self, file: str, dial: Dialer) -> None:
        written = PurePosixPath(file)
        self.place = file
        try:
            folder = folder_behind(str(written.parent), dial)
        except EngineError as error:
            error.field = "file"
            raise
        self._path = folder / written.name
        self._opened_as = self._identity()
        self._until = 0.0
        self._connection: sqlite3.Connection | None = self._connect()
        self._in_snapshot = False

    def query(
        self, sql: str, values: Sequence[Any] = (), subject: str = "the database", *, whole_table: bool = False
    ) -> list[tuple[Any, ...]]:
        """Rows of a small answer inside the open snapshot; one about a whole table gets as long as a read."""
        self.join_snapshot()
        return self._run(sql, values, subject, READ_SECONDS if whole_table else QUESTION_SECONDS)

    def cursor(self, sql: str, values: Sequence[Any], subject: str, *, tolerant: bool) -> sqlite3.Cursor:
        """A cursor over many rows; ``tolerant`` gives text that is not UTF-8 with its bytes escaped."""
        self.join_snapshot()
        self._until = time.monotonic() + READ_SECONDS
        connection = self._open()
        connection.text_factory = _escaped if tolerant else str
        try:
            return connection.execute(sql, values)
        except (sqlite3.Error, OverflowError) as error:
            raise self.failed(error, subject) from None

    def fresh_snapshot(self) -> None:
        """End the open snapshot and begin one that sees the database as it is now."""
        self.end_snapshot()
        self.join_snapshot()

    def join_snapshot(self) -> None:
        """Begin a snapshot unless one is open."""
        if not self._in_snapshot:
            self._run("BEGIN", (), "the database", QUESTION_SECONDS)
            self._in_snapshot = True
            # A transaction sees nothing until its first read.
            self._run("SELECT count(*) FROM sqlite_schema", (), "the database", QUESTION_SECONDS)

    def end_snapshot(self) -> None:
        """End the open snapshot, if any."""
        if self._in_snapshot and self._connection is not None and self._connection.in_transaction:
            self._run("ROLLBACK", (), "the database", QUESTION_SECONDS)
        self._in_snapshot = False

    def interrupt(self) -> None:
        """Make a statement of another thread end."""
        if self._connection is not None:
            self._connection.interrupt()

    def failed(self, error: Exception, subject: str) -> EngineError:
        """The engine's error for what SQLite raised."""
        return statement_error(error, subject, self.place, changed=self._changed())

    def close(self) -> None:
        """Close the file; safe to call twice."""
        connection, self._connection, self._in_snapshot = self._connection, None, False
        if connection is not None:
            connection.close()

    def _run(self, sql: str, values: Sequence[Any], subject: str, seconds: float) -> list[tuple[Any, ...]]:
        self._until = time.monotonic() + seconds
        connection = self._open()
        connection.text_factory = _escaped
        try:
            return small_answer(connection.execute(sql, values), self.place, refusal=TOO_MUCH)
        except (sqlite3.Error, OverflowError) as error:
            raise self.failed(error, subject) from None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _connect(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(
                f"file:{quote(str(self._path))}?mode=ro&immutable=0&cache=private",
                uri=True,
                timeout=_BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE)
            connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
            connection.create_aggregate("exact_sum", 1, ExactSum)
            connection.create_function(FUNCTION, 2, comparable, deterministic=True)
            connection.set_progress_handler(self._too_late, _STEPS)
            connection.set_authorizer(_may)
            for setting in _SETTINGS:
                connection.execute(setting).fetchall()
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
        except sqlite3.Error as error:
            if isinstance(error, sqlite3.DatabaseError) and "not a database" in str(error):
                raise SourceRefused(
                    f"{self.place} is not a SQLite database.", advice="Check the name of the file.", field="file"
                ) from None
            raise self.failed(error, "the database") from None
        return connection

    def _too_late(self) -> bool:
        return self._until > 0 and time.monotonic() > self._until

    def _changed(self) -> bool:
        """Whether another file is there now, or less of the one that was opened."""
        try:
            found = os.lstat(self._path)
        except OSError:
            return True
        return (found.st_dev, found.st_ino) != self._opened_as[:2] or found.st_size < self._opened_as[2]

    def _identity(self) -> tuple[int, int, int]:
        """Device, number and size of the file. Raises DatabaseMissing, PermissionMissing."""
        try:
            found = os.lstat(self._path)
            if not stat.S_ISREG(found.st_mode):
                raise FileNotFoundError
            with Path(self._path).open("rb"):
                return (found.st_dev, found.st_ino, found.st_size)
        except PermissionError:
            raise PermissionMissing(
                f"The file {self.place} may not be read by this installation.",
                advice="Give the user that runs it the right to read.",
                field="file",
            ) from None
        except OSError:
            raise DatabaseMissing(
                f"There is no file {self.place}; it was looked for at {self._path}.",
                advice="Check the name of the file.",
                field="file",
            ) from None


class ExactSum:
    """The sum of numbers as the decimals they are written as; text and bytes do not count."""

    def __init__(self) -> None:
        self._total: Decimal | None = None

    def step(self, value: Any) -> None:
        """Add one value."""
        if isinstance(value, int | float):
            with localcontext() as context:
                context.prec = 400
                self._total = (self._total or Decimal(0)) + Decimal(repr(value))

    def finalize(self) -> Any:
        """The sum as text, None over no value."""
        return None if self._total is None else format(self._total, "f")


def _may(action: int, first: str | None, second: str | None, database: str | None, source: str | None) -> int:
    """The authorizer: what is not about reading is refused while a statement is compiled, views included."""
    if action in _MAY:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() not in _MAY_NOT_CALL:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_PRAGMA and (first or "").lower() in _PRAGMAS and source is None:
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _escaped(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")
