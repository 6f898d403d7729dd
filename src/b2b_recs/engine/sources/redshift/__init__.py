"""Amazon Redshift: parameters, session, discovery, and reading through a cursor of the server."""

from b2b_recs.engine.sources.redshift.declaration import Redshift

__all__ = ["Redshift"]
