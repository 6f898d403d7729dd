"""Oracle: parameters, connection, discovery, the generated SELECT, and reading."""

from b2b_recs.engine.sources.oracle.declaration import Oracle

__all__ = ["Oracle"]
