"""b2b-recs: from a seller's own databases to live, trustworthy recommendations."""

__version__ = "0.1.0"
