"""What a copy imports only once it needs it, for a process that is to be ready before."""

from __future__ import annotations

import importlib

# Sources other than PostgreSQL bring drivers that may not be installed, and take memory where they are never used.
_MODULES = (
    "duckdb",
    "duckdb.value.constant",
    "encodings.idna",
    "adbc_driver_postgresql.dbapi",
    "b2b_recs.engine.sources.postgresql.source",
    "b2b_recs.engine.schema.detect",
)


def load() -> None:
    """Import it now."""
    for name in _MODULES:
        importlib.import_module(name)
