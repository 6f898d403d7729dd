"""What is worked out about tables in the background and kept with their versions: statistics, comparisons."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from b2b_recs.engine.profile.compare import Comparison, compare_versions
from b2b_recs.engine.profile.document import TableProfile
from b2b_recs.engine.profile.kept import Answer, Place, Workshop
from b2b_recs.engine.profile.statistics import profile_table
from b2b_recs.web.datasets.tables import WarehouseTable, scratch

# One at a time in each process: pages must stay quick while a large table is examined.
_WORKSHOP = Workshop(at_once=1)


def statistics_of(one: WarehouseTable, version: int, wait: float = 0.0) -> Answer[TableProfile]:
    """The profile of a version, when it is known or comes within ``wait`` seconds; else it is begun."""
    key, spill = one.key, scratch()
    place = Place(one.table, f"statistics-{version}-{_mark(key)}", TableProfile)
    return _WORKSHOP.ask(place, lambda: profile_table(one.table, version, datetime.now(UTC), key, scratch=spill), wait)


def comparison_of(one: WarehouseTable, before: int, after: int, wait: float = 0.0) -> Answer[Comparison]:
    """Two versions compared, when it is known or comes within ``wait`` seconds; else it is begun."""
    key, spill = one.key, scratch()
    place = Place(one.table, f"compare-{before}-{after}-{_mark(key)}", Comparison)
    return _WORKSHOP.ask(place, lambda: compare_versions(one.table, before, after, key, scratch=spill), wait)


def _mark(key: tuple[str, ...]) -> str:
    """A few letters that are others for another key."""
    return hashlib.sha256("\x00".join(key).encode()).hexdigest()[:10]
