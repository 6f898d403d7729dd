"""Rows of a warehouse table as files, sent as they are read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

from django.http import StreamingHttpResponse

from b2b_recs.engine.profile.columns import columns_of
from b2b_recs.engine.profile.facts import facts_of
from b2b_recs.engine.profile.preview import MOST_ROWS, as_csv, as_parquet, first_rows, safe
from b2b_recs.engine.profile.rejects import Wanted, rejected_rows
from b2b_recs.web.datasets.tables import WarehouseTable, scratch

KINDS = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
_HEADING = ["rejected_at", "run", "column", "reason", "row"]


def sample(one: WarehouseTable, form: str, version: int | None, rows: int | None) -> StreamingHttpResponse:
    """The first rows of a version, at most ``MOST_ROWS``, as CSV or Parquet. Raises WarehouseTableMissing."""
    facts = facts_of(one.table, version)
    schema = one.table.schema(facts.version)
    batches = first_rows(one.table, facts.version, min(max(rows or MOST_ROWS, 1), MOST_ROWS))
    pieces: Iterator[str] | Iterator[bytes]
    pieces = as_parquet(schema, batches) if form == "parquet" else as_csv(columns_of(schema), batches)
    return _file(pieces, f"{one.name}-version-{facts.version}.{form}", KINDS[form])


def rejected_lines(one: WarehouseTable, wanted: Wanted) -> StreamingHttpResponse:
    """The rejected rows that are wanted, as CSV whose cells begin no formula."""
    return _file(_lines(one, wanted), f"{one.name}-rejected.csv", KINDS["csv"])


def _lines(one: WarehouseTable, wanted: Wanted) -> Iterator[str]:
    yield _line(_HEADING)
    for row in rejected_rows(one.table, wanted, scratch()):
        values = json.dumps(row.values, ensure_ascii=False)
        yield _line([row.at.isoformat(), row.run, row.column, row.reason, values])


def _line(cells: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow([safe(cell) for cell in cells])
    return text.getvalue()


def _file(pieces: Iterator[str] | Iterator[bytes], name: str, kind: str) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        pieces, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
