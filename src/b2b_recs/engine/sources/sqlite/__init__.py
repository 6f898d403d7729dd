"""SQLite: a database that is one file, opened to read and nothing else."""

from b2b_recs.engine.sources.sqlite.declaration import SQLite

__all__ = ["SQLite"]
