"""The product's tables in a database: made by the first installation on a server, copied by the others."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

TEMPLATE = "browser_tables"


def put_tables(database_url: str, roles: Callable[[], None], migrate: Callable[[], object]) -> None:
    """Give an empty database of a superuser's URL the product's tables and rights.

    ``roles`` makes the roles and gives them the database, ``migrate`` makes the tables, which takes long.
    """
    database = sql.Identifier(str(conninfo_to_dict(database_url)["dbname"]))
    template = sql.Identifier(TEMPLATE)
    copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    with psycopg.connect(database_url, dbname="postgres", autocommit=True) as server:
        if server.execute("SELECT 1 FROM pg_database WHERE datname = %s", (TEMPLATE,)).fetchone():
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(database))
            server.execute(copy.format(database, template))
            roles()
        else:
            roles()
            migrate()
            server.execute(copy.format(template, database))
