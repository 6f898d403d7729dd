"""PostgreSQL: parameters, connection, discovery, the generated SELECT, and reading."""

from b2b_recs.engine.sources.postgresql.declaration import PostgreSQL

__all__ = ["PostgreSQL"]
