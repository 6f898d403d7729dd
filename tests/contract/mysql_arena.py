"""A MariaDB server as the source contract's suite needs it, for both types of its family."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from typing import Any

from contract.lines import Catalogued, catalogued
from mariadb_support import MariaDBServer

from b2b_recs.engine.sources.contract import Source
from b2b_recs.engine.sources.registry import open_source

TYPES = {"integer": "bigint", "text": "varchar(600)", "time": "datetime(6)", "decimal": "decimal(10,2)"}
READER_PASSWORD = "canary-r3ader's \\ \N{SNOWMAN} secret"


def dial(host: str, port: int) -> str:
    """The first address of a host, unguarded: tests read servers of their own."""
    return str(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0])


def quoted(name: str) -> str:
    """A name as the server reads it."""
    return "`" + name.replace("`", "``") + "`"


class MySQLArena:
    """One database, its administrator, and a login that may only read it."""

    def __init__(self, server: MariaDBServer, type: str, database: str = "contract") -> None:
        self.type = type
        self.server = server
        self.schema = self.database = f"{database}_{type}"
        self.reader = f"reader_{database}_{type}"
        with server.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {quoted(self.database)}")
            cursor.execute(f"CREATE DATABASE {quoted(self.database)} CHARACTER SET utf8mb4")
            cursor.execute(f"CREATE OR REPLACE USER {quoted(self.reader)}@'%%' IDENTIFIED BY %s", [READER_PASSWORD])
            cursor.execute(f"GRANT SELECT ON {quoted(self.database)}.* TO {quoted(self.reader)}@'%'")

    def execute(self, *statements: str) -> None:
        """Run trusted SQL as the administrator, each statement committed."""
        with self.server.connect(self.database) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Rows of trusted SQL."""
        with self.server.connect(self.database) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def make(
        self, table: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]], key: str | None = None
    ) -> None:
        """The table anew, with these columns and rows."""
        listed = ", ".join(
            f"{quoted(name)} {TYPES[kind]}{' PRIMARY KEY' if name == key else ''}" for name, kind in columns.items()
        )
        self.execute(f"DROP TABLE IF EXISTS {quoted(table)}", f"CREATE TABLE {quoted(table)} ({listed})")
        self.add(table, rows)

    def add(self, table: str, rows: Sequence[Sequence[Any]]) -> None:
        """Further rows."""
        if not rows:
            return
        marks = ", ".join(["%s"] * len(rows[0]))
        name = quoted(table).replace("%", "%%")
        with self.server.connect(self.database) as connection, connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO {name} VALUES ({marks})", [tuple(row) for row in rows])

    def drop(self, table: str) -> None:
        """No such table any more."""
        self.execute(f"DROP TABLE {quoted(table)}")

    def drop_column(self, table: str, column: str) -> None:
        """The table without a column."""
        self.execute(f"ALTER TABLE {quoted(table)} DROP COLUMN {quoted(column)}")

    def rename(self, table: str, name: str) -> None:
        """The table under another name."""
        self.execute(f"RENAME TABLE {quoted(table)} TO {quoted(name)}")

    def revoke(self, table: str) -> None:
        """Take the right to read the table, and all others, from the reader."""
        self.execute(f"REVOKE SELECT ON {quoted(self.database)}.* FROM {quoted(self.reader)}@'%'")

    def grant(self, table: str) -> None:
        """Give it back."""
        self.execute(f"GRANT SELECT ON {quoted(self.database)}.* TO {quoted(self.reader)}@'%'")

    def named(self, table: str) -> str:
        """Tables are listed under their own names."""
        return table

    def catalogue(self) -> dict[str, Catalogued]:
        """What the information schema says; the reader may read all of it."""
        return catalogued(
            self.rows(f"""
SELECT c.table_name, c.column_name, c.is_nullable = 'NO', k.ordinal_position,
       IF(t.table_type = 'VIEW', 'view', 'table')
FROM information_schema.columns c
JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
LEFT JOIN information_schema.key_column_usage k
  ON k.table_schema = c.table_schema AND k.table_name = c.table_name AND k.column_name = c.column_name
 AND k.constraint_name = 'PRIMARY'
WHERE c.table_schema = '{self.database}' ORDER BY c.table_name, c.ordinal_position""")  # type: ignore[arg-type]
        )

    def parameters(self, **changes: Any) -> dict[str, Any]:
        """Parameters of the reading login, with changes."""
        good = {
            "host": self.server.host,
            "port": self.server.port,
            "database": self.database,
            "username": self.reader,
            "password": READER_PASSWORD,
        }
        return good | changes

    def open(self, **changes: Any) -> Source:
        """An open source as the reading login."""
        return open_source(self.type, self.parameters(**changes), dial)

    def sessions(self) -> int:
        """How many sessions the reading login has on the server now."""
        return int(self.rows(f"SELECT count(*) FROM information_schema.PROCESSLIST WHERE USER = '{self.reader}'")[0][0])

    def end_sessions(self) -> None:
        """End every session of the reading login, as an administrator may."""
        self.execute(f"KILL CONNECTION USER {quoted(self.reader)}")
