"""PostgreSQL in the place of Amazon Redshift: views and functions named like Redshift's over its own catalogue."""

from __future__ import annotations

from typing import Any

import psycopg
from contract.postgresql_arena import READER, PostgreSQLArena

# Redshift's names for types that PostgreSQL calls otherwise.
_SHOWN = """CASE data_type WHEN 'bytea' THEN 'binary varying' WHEN 'jsonb' THEN 'super' WHEN 'json' THEN 'super'
            WHEN 'USER-DEFINED' THEN udt_name ELSE COALESCE(domain_name, data_type) END"""
STANDIN = (
    "CREATE SCHEMA standin",
    f"GRANT USAGE ON SCHEMA standin TO {READER}",
    "CREATE VIEW standin.svv_tables AS SELECT table_catalog::text, table_schema::text, table_name::text, "
    "table_type::text, NULL::text AS remarks FROM information_schema.tables",
    "CREATE VIEW standin.svv_columns AS SELECT table_catalog::text, table_schema::text, table_name::text, "
    f"column_name::text, ordinal_position::int, is_nullable::text, {_SHOWN}::text AS data_type, "
    "character_maximum_length::int, numeric_precision::int, numeric_scale::int FROM information_schema.columns",
    'CREATE VIEW standin.svv_table_info AS SELECT n.nspname::text AS "schema", c.relname::text AS "table", '
    "CASE WHEN c.reltuples < 0 THEN NULL ELSE c.reltuples::numeric(38,0) END AS tbl_rows, "
    "(c.relpages / 128)::bigint AS size "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r'",
    "CREATE FUNCTION standin.from_varbyte(bytea, text) RETURNS text LANGUAGE sql IMMUTABLE RETURN encode($1, $2)",
    f"GRANT SELECT ON ALL TABLES IN SCHEMA standin TO {READER}",
)


class RedshiftArena(PostgreSQLArena):
    """One database with the stand-ins, its superuser, and a login that may read what it is granted."""

    type = "redshift"

    def __init__(self, server: Any, database: str = "redshift") -> None:
        super().__init__(server, database)
        self.execute(*STANDIN)
        with psycopg.connect(server.url(), autocommit=True) as connection:
            statement = f'ALTER ROLE {READER} IN DATABASE "{database}" SET search_path = standin, public'
            connection.execute(statement.encode())

    def parameters(self, **changes: Any) -> dict[str, Any]:
        """Parameters of the reading login; the stand-in's server has no certificate."""
        return super().parameters(**({"ssl_mode": "prefer"} | changes))
