"""MongoDB: parameters, connection, discovery by sampling, and reading raw batches."""

from b2b_recs.engine.sources.mongodb.declaration import MongoDB

__all__ = ["MongoDB"]
