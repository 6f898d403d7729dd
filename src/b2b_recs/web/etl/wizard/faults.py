"""Every fault of a step at once, put beside the fields they are about."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from b2b_recs.engine.errors import EngineError
from b2b_recs.engine.several import Several

# The fields of each step, by the names refusals give them.
FIELDS: dict[int, frozenset[str]] = {
    1: frozenset({"name", "connection"}),
    3: frozenset({"strategy", "cursor", "backfill", "since", "lag", "keep_days", "row_limit", "columns", "key"}),
    4: frozenset({"destination_table", "partition_by", "cluster_by", "reject_threshold", "types"}),
    5: frozenset({"kind", "every", "minute", "days", "day", "time", "cron", "time_zone"}),
}


@dataclass
class Told:
    """Where a page tells its faults: beside a field, below a column's row, or on top when it has no such field."""

    beside: dict[str, EngineError] = field(default_factory=dict)
    rows: dict[str, EngineError] = field(default_factory=dict)
    elsewhere: list[EngineError] = field(default_factory=list)

    @property
    def others(self) -> list[tuple[EngineError, int]]:
        """What is told on top, each with the step that asks for it; 0 where none does."""
        return [(fault, _step_of(fault)) for fault in self.elsewhere]

    @property
    def count(self) -> int:
        """How many places tell of a fault."""
        return len(self.beside) + len(self.rows) + len(self.elsewhere)


def _step_of(fault: EngineError) -> int:
    """The step whose page has the field of a fault."""
    place = (fault.field or "").removeprefix("load.")
    if place in ("types", "names"):
        return 4
    if place in ("source_table", "source_schema", "table"):
        return 2
    return next((step for step, fields in FIELDS.items() if place in fields), 0)


def told(step: int, refusal: EngineError | None, columns: Collection[str] = ()) -> Told:
    """The faults of a step where its page tells them; ``columns`` are those that have a row."""
    found = Told()
    faults: Sequence[EngineError] = refusal.faults if isinstance(refusal, Several) else [refusal] if refusal else []
    for fault in faults:
        place = (fault.field or "").removeprefix("load.")
        column = next((name for name in (getattr(fault, "column", ""), place) if name in columns), "")
        if column and _has_row(step, place):
            _add(found.rows, column, fault)
        elif place in FIELDS.get(step, ()):
            _add(found.beside, place, fault)
        else:
            found.elsewhere.append(fault)
    return found


def _has_row(step: int, place: str) -> bool:
    """Whether a page tells a fault below the row of its column: in step 3, that it has to be ticked."""
    if step == 3:
        return place in ("cursor", "key")
    return place in ("types", "names") or place not in FIELDS.get(step, ())


def _add(places: dict[str, EngineError], place: str, fault: EngineError) -> None:
    """Put a fault where another may be told already; the page tells both in one breath."""
    before = places.get(place)
    if before is None:
        places[place] = fault
    else:
        both = before.field if before.field == fault.field else "types"
        places[place] = EngineError(f"{before} {fault.message}", advice=fault.advice, field=both)
