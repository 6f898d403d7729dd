"""Whether a key tells the rows of a table apart."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from b2b_recs.engine.profile.document import KeyCheck
from b2b_recs.engine.profile.measures import TABLE
from b2b_recs.engine.profile.values import LONGEST, plain
from b2b_recs.engine.warehouse.names import quoted
from b2b_recs.engine.warehouse.query import QueryTooLong, time_limit

_REPEATED = """
SELECT coalesce(sum(n), 0)::BIGINT, arg_max(one, n)
FROM (SELECT {columns}, count(*) AS n, [{texts}] AS one FROM {table} WHERE NOT ({null}) GROUP BY {columns}
      HAVING count(*) > 1)
"""


def check_key(connection: duckdb.DuckDBPyConnection, key: Sequence[str], seconds: float) -> KeyCheck | None:
    """Rows that share their key and rows with a NULL in it; None when time or memory did not suffice."""
    names = [quoted(name) for name in key]
    null = " OR ".join(f"{name} IS NULL" for name in names)
    texts = ", ".join(f"CAST({name} AS VARCHAR)" for name in names)
    query = _REPEATED.format(columns=", ".join(names), texts=texts, table=TABLE, null=null)
    try:
        with time_limit(connection, seconds):
            missing = connection.execute(f"SELECT count(*) FROM {TABLE} WHERE {null}").fetchall()[0][0]  # noqa: S608
            repeated, example = connection.execute(query).fetchall()[0]
    except (QueryTooLong, duckdb.OutOfMemoryException):
        return None
    shown = [plain(value, LONGEST) for value in example or ()]
    return KeyCheck(columns=list(key), repeated=repeated, with_null=missing, example=shown)
