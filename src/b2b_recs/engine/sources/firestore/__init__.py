"""Firestore: parameters, connection, discovery by sampling, and reading in pages of one moment."""

from b2b_recs.engine.sources.firestore.source import Firestore

__all__ = ["Firestore"]
