"""What the connection form of SQLite asks for."""

from __future__ import annotations

from pydantic import Field

from b2b_recs.engine.sources.fields import SourceParameters
from b2b_recs.engine.sources.files.locations import PlainPath


class SQLiteParameters(SourceParameters):
    """The file, and nothing that would be passed on to the engine."""

    file: PlainPath = Field(
        title="File",
        description="A database file in a folder that the operator allowed (B2B_RECS_FILE_FOLDERS), "
        "such as shop/orders.db.",
        max_length=1000,
    )
