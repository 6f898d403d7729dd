"""PostgreSQL: parameters, connection, discovery, the generated SELECT, and reading."""

from b2b_recs.engine.sources.postgresql.source import PostgreSQL

__all__ = ["PostgreSQL"]
