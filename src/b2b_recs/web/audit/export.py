"""The audit log as a file for a spreadsheet."""

from __future__ import annotations

import csv
import io

from b2b_recs.web.audit.asking import Ask
from b2b_recs.web.audit.reading import entries
from b2b_recs.web.audit.time_line import newest
from b2b_recs.web.etl.rejected import safe

COLUMNS = ("at", "who", "as", "action", "kind", "object", "model", "changes", "address", "request")
MOST = 10_000  # entries in one file; a date leads to those before
_BATCH = 1_000


def as_csv(ask: Ask) -> str:
    """The newest entries asked for, at most MOST, as CSV with a heading; no cell begins a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    wanted = newest(ask, MOST)
    for start in range(0, len(wanted), _BATCH):
        for one in entries(wanted[start : start + _BATCH]):
            changes = "; ".join(map(str, one.changes))
            row = (one.actor, one.actor_kind, one.phrase, one.noun, one.name, one.within, changes)
            writer.writerow([one.at.isoformat(), *map(safe, (*row, one.address, one.request))])
    return text.getvalue()
