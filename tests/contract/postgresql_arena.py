"""A PostgreSQL server as the source contract's suite needs it."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import psycopg
import psycopg.sql
from contract.lines import Catalogued, catalogued

from b2b_recs.engine.sources.contract import Source
from b2b_recs.engine.sources.registry import open_source

TYPES = {"integer": "bigint", "text": "text", "time": "timestamp", "decimal": "numeric(10,2)"}
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

    def make(
        self, table: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]], key: str | None = None
    ) -> None:
        """The table anew, with these columns and rows."""
        listed = psycopg.sql.SQL(", ").join(
            psycopg.sql.SQL("{} {}").format(
                psycopg.sql.Identifier(name), psycopg.sql.SQL(TYPES[kind] + (" PRIMARY KEY" if name == key else ""))
            )
            for name, kind in columns.items()
        )
        with psycopg.connect(self.server.url(self.database), autocommit=True) as connection:
            target = psycopg.sql.Identifier(table)
            connection.execute(psycopg.sql.SQL("DROP TABLE IF EXISTS {}").format(target))
            connection.execute(psycopg.sql.SQL("CREATE TABLE {} ({})").format(target, listed))
        self.add(table, rows)

    def add(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """Further rows."""
        copy = psycopg.sql.SQL("COPY {} FROM STDIN").format(psycopg.sql.Identifier(table))
        with (
            psycopg.connect(self.server.url(self.database)) as connection,
            connection.cursor() as cursor,
            cursor.copy(copy) as target,
        ):
            for row in rows:
                target.write_row(row)

    def drop(self, table: str) -> None:
        """No such table any more."""
        with psycopg.connect(self.server.url(self.database), autocommit=True) as connection:
            connection.execute(psycopg.sql.SQL("DROP TABLE {}").format(psycopg.sql.Identifier(table)))

    def drop_column(self, table: str, column: str) -> None:
        """The table without a column."""
        change = psycopg.sql.SQL("ALTER TABLE {} DROP COLUMN {}").format(
            psycopg.sql.Identifier(table), psycopg.sql.Identifier(column)
        )
        with psycopg.connect(self.server.url(self.database), autocommit=True) as connection:
            connection.execute(change)

    def rename(self, table: str, name: str) -> None:
        """The table under another name."""
        self.execute(f'ALTER TABLE "{table}" RENAME TO "{name}"')

    def revoke(self, table: str) -> None:
        """Take the right to read the table from the reader."""
        self.execute(f'REVOKE SELECT ON "{table}" FROM {READER}')

    def grant(self, table: str) -> None:
        """Give it back."""
        self.execute(f'GRANT SELECT ON "{table}" TO {READER}')

    def named(self, table: str) -> str:
        """Tables are listed under their own names."""
        return table

    def catalogue(self) -> dict[str, Catalogued]:
        """What the information schema says of the tables and columns the reader may read; partitions are no tables."""
        return catalogued(
            self.rows(f"""
SELECT c.table_name::text, c.column_name::text, c.is_nullable = 'NO', k.ordinal_position::int,
       CASE t.table_type WHEN 'VIEW' THEN 'view' ELSE 'table' END
FROM information_schema.columns c
JOIN information_schema.tables t USING (table_schema, table_name)
JOIN pg_class r ON r.oid = format('%I.%I', table_schema, table_name)::regclass AND NOT r.relispartition
LEFT JOIN information_schema.table_constraints p
  ON (p.table_schema, p.table_name, p.constraint_type) = (c.table_schema, c.table_name, 'PRIMARY KEY')
LEFT JOIN information_schema.key_column_usage k
  ON (k.constraint_schema, k.constraint_name, k.table_name, k.column_name)
   = (p.constraint_schema, p.constraint_name, c.table_name, c.column_name)
WHERE c.table_schema = 'public' AND has_column_privilege('{READER}', r.oid, c.column_name, 'SELECT')
ORDER BY c.table_name, c.ordinal_position""")  # type: ignore[arg-type]
        )

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
