"""Cutting a table into ranges: by the place of its rows on disk, or by a column that an index leads with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from b2b_recs.engine.errors import ConnectionLost
from b2b_recs.engine.sources.contract import KeyRange, ReadRequest
from b2b_recs.engine.sources.known_columns import column_of
from b2b_recs.engine.sources.postgresql.catalog import Column, find_table
from b2b_recs.engine.sources.postgresql.connection import Session
from b2b_recs.engine.sources.postgresql.select import PLACE, Server, comparable, literal, select_span
from b2b_recs.engine.sources.postgresql.types import Kind, rule_for
from b2b_recs.engine.sources.quoting import quote_text

# Older servers read the whole table to find the rows of a range of places.
_PLACES_SINCE = 140_000

_PAGES = "SELECT pg_relation_size({oid}) / current_setting('block_size')::bigint, pg_relation_filenode({oid})::bigint"
_FILE = "SELECT pg_relation_filenode({oid})::bigint"
_LEADS = """
SELECT 1 FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
WHERE i.indrelid = {oid} AND i.indisvalid AND i.indpred IS NULL AND a.attname = {column} LIMIT 1
"""
_HISTOGRAM = """
SELECT bound::text FROM pg_stats s, unnest(s.histogram_bounds::text::{cast}[]) WITH ORDINALITY AS h(bound, place)
WHERE s.schemaname = {schema} AND s.tablename = {table} AND s.attname = {column} AND NOT s.inherited
  AND s.histogram_bounds IS NOT NULL {inside}
ORDER BY place
"""


def by_place(session: Session, request: ReadRequest, server: Server, parts: int) -> tuple[tuple[KeyRange, ...], int]:
    """Ranges of pages for a read of the whole table, and the file they lie in; empty for views and the like."""
    table = find_table(session, request.schema, request.table)
    if table.kind not in ("r", "m") or server.version < _PLACES_SINCE:
        return (), 0
    pages, file = session.query(_PAGES.format(oid=table.oid), f"{request.schema}.{request.table}")[0]
    starts = [f"({int(pages) * at // parts},1)" for at in range(1, parts)] if pages and int(pages) >= parts else []
    return _ranges(PLACE, starts), int(file or 0)


def check_place(session: Session, request: ReadRequest, file: int) -> None:
    """Raise when the table's rows were moved to another file since they were cut, so that places mean nothing now."""
    subject = f"{request.schema}.{request.table}"
    table = find_table(session, request.schema, request.table)
    if session.query(_FILE.format(oid=table.oid), subject)[0][0] != file:
        raise ConnectionLost(
            f"{subject} was rewritten on {session.parameters.host} while it was read. Nothing was committed.",
            advice="Run the job again once the rewriting has ended.",
        )


def by_column(
    session: Session, request: ReadRequest, columns: Mapping[str, Column], name: str, parts: int
) -> tuple[KeyRange, ...]:
    """Ranges of a column with about as many rows each, inside the request's window.

    From the server's own statistics; without any, whole numbers are cut evenly. Empty when no index leads with the
    column, because then every range would cost a look at the whole table.
    """
    subject = f"{request.schema}.{request.table}"
    column = column_of(columns, name, request)
    oid = find_table(session, request.schema, request.table).oid
    if comparable(column).endswith("::text") or not session.query(
        _LEADS.format(oid=oid, column=quote_text(name)), subject
    ):
        return ()
    statistics = _HISTOGRAM.format(
        cast=column.cast,
        schema=quote_text(request.schema),
        table=quote_text(request.table),
        column=quote_text(name),
        inside=_inside(request, column),
    )
    bounds = [str(row[0]) for row in session.query(statistics, subject)]
    if len(bounds) >= parts:
        return _ranges(name, [*dict.fromkeys(bounds[len(bounds) * at // parts] for at in range(1, parts))])
    if rule_for(column.info).kind is not Kind.INTEGER:
        return ()
    span = session.query(select_span(request, columns, name), subject, whole_table=True)[0]
    if span[0] is None or int(span[1]) - int(span[0]) < parts:
        return ()
    low, high = int(span[0]), int(span[1])
    return _ranges(name, [str(low + (high - low) * at // parts) for at in range(1, parts)])


def _inside(request: ReadRequest, column: Column) -> str:
    """Conditions that leave out bounds beyond the window."""
    window = request.window
    if window is None or window.cursor != column.info.name:
        return ""
    sides = ((">", window.lower), ("<=", window.upper))
    return " ".join(f"AND bound {sign} {literal(text, column)}" for sign, text in sides if text is not None)


def _ranges(column: str, starts: Sequence[str]) -> tuple[KeyRange, ...]:
    """Ranges that begin at each of ``starts``, and one before them all."""
    if not starts:
        return ()
    edges = [None, *starts, None]
    return tuple(KeyRange(column, lower, upper) for lower, upper in pairwise(edges))
