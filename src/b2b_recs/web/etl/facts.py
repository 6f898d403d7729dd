"""What a job does, in words: the same for the review before it is made, for its page, and for what is told of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic import TypeAdapter

from b2b_recs.engine.counting import counted
from b2b_recs.engine.etl.spec import CopySpec
from b2b_recs.web.etl.proposals import HELD, TableProposal

USUAL_REJECTS: float = CopySpec.model_fields["reject_threshold"].default
_LAG = TypeAdapter(timedelta)
_LOADS = {
    "transactional": "appends new rows",
    "merge": "takes over new and changed rows",
    "catalog": "replaces the whole table each run",
    "files": "each file once, and again when it changed",
}
_DRIFTS = {"add": "are added", "ignore": "are left out", "stop": "stop the run, until somebody decides"}
_DELETED = {
    "keep": "stay in the warehouse",
    "count": "are counted, and stay in the warehouse",
    "remove": "are removed from the warehouse table, too",
}
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


@dataclass(frozen=True)
class Fact:
    """One setting: ``step`` of the wizard asks for it, ``code``: it is a name of the source, ``grave``: rows go."""

    name: str
    value: str
    step: int
    code: bool = False
    grave: bool = False


def facts_of(settings: Mapping[str, Any], proposal: TableProposal | None = None) -> list[Fact]:
    """Everything a copy does, as its settings have it or would have it by themselves.

    ``proposal`` tells which types were set by hand; without it, what the settings note of their origin does.
    """
    return [*_rows(settings), *_table(settings, proposal)]


def hand_set(settings: Mapping[str, Any], proposal: TableProposal | None = None) -> int:
    """How many columns somebody gave another type than was proposed; one proposed from values is none of them."""
    types = settings.get("types") or ()
    if proposal is None:
        return sum(not one.get("reason") for one in types)
    proposed = {one.name: one.proposed for one in proposal.columns}
    return sum(one["name"] not in proposed or differs(one, proposed[one["name"]]) for one in types)


def differs(chosen: Mapping[str, Any], proposed: Any) -> bool:
    """Whether a type is another than the one proposed."""
    return any(chosen[name] != getattr(proposed, name) for name in HELD if name in chosen)


def percent_of(share: Any) -> str:
    """A share as percent, without an exponent however small: 0.05 as 5; what is none as it is."""
    try:
        return f"{(Decimal(str(share)) * 100).normalize():f}"
    except InvalidOperation:
        return str(share)


def span_words(seconds: float) -> str:
    """A span of time in whole words: “7 days”, “1 day 6 hours”."""
    rest, parts = int(seconds), []
    for size, unit in _UNITS:
        number, rest = divmod(rest, size)
        parts += [counted(number, unit)] if number else []
    return " ".join(parts) or "0 seconds"


def _rows(settings: Mapping[str, Any]) -> Iterator[Fact]:
    """What step 3 asks for."""
    load, columns = settings.get("load") or {}, settings.get("columns") or ()
    kind = str(load.get("strategy"))
    yield Fact("Load", _LOADS.get(kind, ""), 3)
    if load.get("cursor"):
        yield Fact("New by", str(load["cursor"]), 3, code=True)
    if load.get("key"):
        yield Fact("Key", ", ".join(load["key"]), 3, code=True)
    if load.get("cursor"):
        yield Fact("First run reads", _first(load.get("backfill", "all")), 3)
        lag = _LAG.validate_python(load.get("lag", 3600)).total_seconds()
        yield Fact("Looks back", span_words(lag) if lag else "not at all", 3)
    if kind == "catalog":
        yield Fact("Old versions", f"kept {counted(int(load.get('keep_days') or 30), 'day')}", 3)
    yield Fact("Columns", f"{len(columns):,} chosen" if columns else "all", 3)
    if settings.get("row_limit"):
        yield Fact("At most", f"{counted(settings['row_limit'], 'row')} a run", 3)
    yield Fact("New columns in the source", _DRIFTS.get(str(settings.get("drift") or "add"), ""), 3)
    if kind != "catalog":
        deletes = str(load.get("deletes") or "keep")
        what = "Rows of files that are gone" if kind == "files" else "Rows deleted in the source"
        yield Fact(what, _DELETED.get(deletes, ""), 3, grave=deletes == "remove")


def _first(backfill: Any) -> str:
    if backfill == "all":
        return "everything"
    return f"the last {counted(backfill, 'day')}" if isinstance(backfill, int) else f"since {backfill}"


def _table(settings: Mapping[str, Any], proposal: TableProposal | None) -> Iterator[Fact]:
    """What step 4 asks for."""
    yield Fact("Warehouse table", str(settings.get("destination_table") or ""), 4, code=True)
    by_hand = hand_set(settings, proposal)
    yield Fact("Types", f"{by_hand:,} set by hand, the others as proposed" if by_hand else "as proposed", 4)
    yield Fact("Rows that may be rejected", f"{percent_of(settings.get('reject_threshold', USUAL_REJECTS))} %", 4)
    if settings.get("partition_by"):
        yield Fact("Partitioned by day of", str(settings["partition_by"]), 4, code=True)
    if settings.get("cluster_by"):
        yield Fact("Clustered by", ", ".join(settings["cluster_by"]), 4, code=True)
    if settings.get("names"):
        renamed = ", ".join(f"{name} → {new}" for name, new in settings["names"].items() if new != name)
        if renamed:
            yield Fact("Renamed", renamed, 4, code=True)
