"""A bound may have more digits than its column: the cursor 0.5 less a lag of 1,000 is no NUMBER(10,8)."""

from __future__ import annotations

from typing import Any

import pytest

from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.sources.contract import ColumnInfo, ReadRequest, Window
from b2b_recs.engine.sources.redshift import select as redshift
from b2b_recs.engine.sources.snowflake import select as snowflake


@pytest.mark.parametrize(
    ("written", "kind", "wide"),
    [
        (lambda request, columns: snowflake.rows_query(request, columns, "t"), "NUMBER(10,8)", "::NUMBER(38,8)"),
        (redshift.rows_query, "numeric(10,8)", "AS numeric(38,8))"),
    ],
    ids=["snowflake", "redshift"],
)
def test_a_bound_is_written_with_room_for_its_digits(written: Any, kind: str, wide: str) -> None:
    cursor = ColumnMapping("ratio", kind, WarehouseType.NUMERIC, precision=10, scale=8)
    columns = {"ratio": ColumnInfo("ratio", kind, nullable=False)}
    request = ReadRequest("s", "t", (cursor,), window=Window("ratio", "-999.50000000", "0.50000000"))
    query = written(request, columns)
    assert f"'-999.50000000'{wide}" in query or f"'-999.50000000' {wide}" in query
