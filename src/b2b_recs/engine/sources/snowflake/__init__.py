"""Snowflake: parameters, session, discovery, the SELECT of a read, and reading."""

from b2b_recs.engine.sources.snowflake.declaration import Snowflake

__all__ = ["Snowflake"]
