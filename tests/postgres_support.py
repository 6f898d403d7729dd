"""A throw-away PostgreSQL server as tests use it."""

from __future__ import annotations

import psycopg
from psycopg import sql

from b2b_recs.runtime.postgres import EmbeddedPostgres

# A log-in costs little: tests log in thousands of times, with passwords that nobody has to guess.
FAST = {
    "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200",
    "scram_iterations": "1",
}  # fmt: skip


class PostgresServer:
    """A throw-away PostgreSQL server of this test process."""

    host = "127.0.0.1"
    user = "postgres"

    def __init__(self, server: EmbeddedPostgres) -> None:
        self.server = server
        # the one password that is older than the settings
        with psycopg.connect(self.url(), autocommit=True) as connection:
            words = sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(self.user), sql.Literal(self.password))
            connection.execute(words)

    @property
    def port(self) -> int:
        return self.server.port

    @property
    def password(self) -> str:
        return self.server.password

    def url(self, database: str = "postgres", user: str | None = None, password: str | None = None) -> str:
        """A URL for the superuser, or for ``user`` with ``password``."""
        return self.server.url(database, user, password)

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run trusted SQL as the superuser, outside a transaction."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement.encode())

    def create_database(self, name: str) -> str:
        """Create an empty database (an old one of that name goes first); returns its URL."""
        self.drop_database(name)
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drop a database, ending its sessions."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
