"""A PostgreSQL server as the source contract's suite needs it."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any, Protocol

import psycopg
import psycopg.sql

from b2b_recs.engine.sources.contract import Source
from b2b_recs.engine.sources.registry import open_source

READER = "reader"
READER_PASSWORD = "canary-r3ader's \\ secret"


class Server(Protocol):
    """What the arena needs of a test server."""

    host: str
    user: str

    @property
    def port(self) -> int: ...

    @property
    def password(self) -> str: ...

    def url(self, database: str = ...) -> str: ...

    def create_database(self, name: str) -> str: ...


def dial(host: str, port: int) -> str:
    """The first address of a host, unguarded: tests read servers of their own."""
    return str(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0])


class PostgreSQLArena:
    """One database, its superuser, and a login that may read what it is granted."""

    type = "postgresql"
    schema = "public"

    def __init__(self, server: Server, database: str = "contract") -> None:
        self.server = server
        self.database = database
        server.create_database(database)
        with psycopg.connect(server.url(database), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [READER]).fetchone()
            order = psycopg.sql.SQL("ALTER" if known else "CREATE")
            password = psycopg.sql.Literal(READER_PASSWORD)
            connection.execute(
                psycopg.sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(order, psycopg.sql.Identifier(READER), password)
            )
        self.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {READER}")

    def execute(self, *statements: str) -> None:
        """Run trusted SQL as the superuser, each statement committed."""
        with psycopg.connect(self.server.url(self.database), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Rows of trusted SQL."""
        with psycopg.connect(self.server.url(self.database), autocommit=True) as connection:
            return connection.execute(statement.encode()).fetchall()

    def parameters(self, **changes: Any) -> dict[str, Any]:
        """Parameters of the reading login, with changes."""
        good = {
            "host": self.server.host,
            "port": self.server.port,
            "database": self.database,
            "username": READER,
            "password": READER_PASSWORD,
        }
        return good | changes

    def open(self, **changes: Any) -> Source:
        """An open source as the reading login."""
        return open_source(self.type, self.parameters(**changes), dial)

    def sessions(self) -> int:
        """How many sessions the reading login has on the server now."""
        return int(self.rows(f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{READER}'")[0][0])

    def end_sessions(self) -> None:
        """End every session of the reading login, as an administrator may."""
        self.rows(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{READER}'")


def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether the condition comes true before the time is up."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.02)
    return condition()
