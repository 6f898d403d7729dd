"""Queries over warehouse tables: a connection that sees the given versions and nothing else of this machine."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from b2b_recs.engine.errors import EngineError
from b2b_recs.engine.warehouse.local import LocalTable

if TYPE_CHECKING:  # both take long to load, and whoever only answers a page needs neither
    import duckdb

# A view's name → the table and the version it shows (None: the newest).
Views = Mapping[str, tuple[LocalTable, int | None]]

_REFUSALS = (
    "SET allow_community_extensions = false",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET python_enable_replacements = false",
    "SET enable_external_access = false",
)


class QueryTooLong(EngineError):
    """A query was stopped at its time limit."""

    code = "query_too_long"


@dataclass(frozen=True, slots=True)
class Limits:
    """What queries of one connection may use: bytes of memory, threads, bytes of temporary files, seconds each."""

    memory_bytes: int = 1024 * 1024 * 1024
    threads: int = 2
    temporary_bytes: int = 8 * 1024 * 1024 * 1024
    seconds: float = 600.0

    DEFAULT: ClassVar[Limits]


Limits.DEFAULT = Limits()


@contextmanager
def query_connection(
    views: Views, limits: Limits = Limits.DEFAULT, scratch: Path | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A hardened DuckDB connection whose views are ``views``; ``scratch`` is where it may spill.

    Files, extensions, other databases and settings are out of reach: the configuration is locked before the caller
    gets the connection. Raises WarehouseTableMissing.
    """
    with _connection(limits, scratch) as connection:
        _lock(connection, views)
        yield connection


@contextmanager
def ibis_connection(views: Views, limits: Limits = Limits.DEFAULT, scratch: Path | None = None) -> Iterator[Any]:
    """The same as an Ibis backend: ``backend.table(name)`` is an expression over a view."""
    import ibis

    with _connection(limits, scratch) as connection:
        # Ibis makes settings of its own when it takes the connection, so the lock comes after.
        backend = ibis.duckdb.from_connection(connection)
        _lock(connection, views)
        yield backend


@contextmanager
def time_limit(connection: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
    """Interrupt what runs on the connection after ``seconds``, and all that starts later. Raises QueryTooLong."""
    import duckdb

    done, expired = threading.Event(), threading.Event()

    def stop() -> None:
        pause = seconds
        while not done.wait(pause):
            expired.set()
            connection.interrupt()
            pause = 0.02  # an interrupt between two queries is forgotten, so the next one needs another

    watch = threading.Thread(target=stop, daemon=True)
    watch.start()
    try:
        yield
    except duckdb.InterruptException:
        if not expired.is_set():
            raise
        raise QueryTooLong(
            f"The query was stopped after {seconds:g} seconds.",
            advice="Choose fewer rows, a shorter period or fewer joins.",
        ) from None
    finally:
        done.set()
        watch.join()


@contextmanager
def _connection(limits: Limits, scratch: Path | None) -> Iterator[duckdb.DuckDBPyConnection]:
    import duckdb

    if scratch is not None:
        scratch.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="query-", dir=scratch))
    connection = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": f"{limits.memory_bytes}B",
            "threads": limits.threads,
            "temp_directory": str(folder),
            "max_temp_directory_size": f"{limits.temporary_bytes}B",
            "preserve_insertion_order": False,
        },
    )
    try:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection
    finally:
        connection.close()
        shutil.rmtree(folder, ignore_errors=True)


def _lock(connection: duckdb.DuckDBPyConnection, views: Views) -> None:
    for name, (table, version) in views.items():
        # Arrow datasets, not file names: a path the engine may read is a path it may also write.
        connection.register(name, table.arrow_dataset(version))
    for statement in _REFUSALS:
        connection.execute(statement)
    connection.execute("SET lock_configuration = true")
