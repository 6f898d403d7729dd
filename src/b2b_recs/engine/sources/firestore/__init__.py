"""Firestore: parameters, connection, discovery by sampling, and reading in pages of one moment."""

from b2b_recs.engine.sources.firestore.declaration import Firestore

__all__ = ["Firestore"]
