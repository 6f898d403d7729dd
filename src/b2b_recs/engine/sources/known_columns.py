"""The columns a login may read, looked up by name, and texts that have to be values of one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

from b2b_recs.engine.errors import BadInput, ColumnMissing
from b2b_recs.engine.quoted import quoted
from b2b_recs.engine.sources.contract import ColumnInfo, ReadRequest

Columns = Mapping[str, ColumnInfo]
AnyColumn = TypeVar("AnyColumn")


def column_of(columns: Mapping[str, AnyColumn], name: str, request: ReadRequest) -> AnyColumn:
    """The table's column of that name. Raises ColumnMissing."""
    try:
        return columns[name]
    except KeyError:
        raise ColumnMissing(
            f"{request.schema}.{request.table} has no column {name} that this login may read.",
            advice="Open the job and choose its columns again.",
            field=name,
        ) from None


def checked_text(text: str, pattern: re.Pattern[str], column: ColumnInfo) -> str:
    """The text of a cursor or a key, which has to be written as values of the column are. Raises BadInput."""
    if not pattern.fullmatch(text):
        raise BadInput(
            f"{quoted(text)} is no value of {column.name}, which is {column.source_type}.",
            advice="Run the job from its beginning.",
            field=column.name,
        )
    return text
