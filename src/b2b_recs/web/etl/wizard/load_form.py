"""Step 3: which columns, and how rows are loaded; from what was typed to settings, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.http import QueryDict
from pydantic import TypeAdapter

from b2b_recs.engine.errors import BadInput, EngineError
from b2b_recs.engine.quoted import quoted
from b2b_recs.engine.several import Collected
from b2b_recs.engine.sources.contract import Capabilities
from b2b_recs.web.etl.facts import span_words
from b2b_recs.web.etl.proposals import TableProposal
from b2b_recs.web.etl.wizard.shown import refuse_unseen, shown_list, unseen

BACKFILLS = (("all", "Everything"), ("30", "30 days"), ("60", "60 days"), ("90", "90 days"), ("date", "Since a date"))
LAGS = (("0", "none"), ("300", "5 minutes"), ("3600", "1 hour"), ("86400", "1 day"), ("604800", "7 days"))
DRIFTS = (("add", "add them"), ("ignore", "ignore them"), ("stop", "stop and ask"))
DELETES = (("keep", "keep them"), ("count", "count them"), ("remove", "remove them"))
_LAG = TypeAdapter(timedelta)
_FURTHEST_AHEAD = timedelta(hours=14)  # of all zones from UTC
STRATEGIES = {
    "transactional": (
        "Add new rows",
        "A column says when a row was made; what is newer is added at the end (append), and a row once copied is never "
        "looked at again. For orders, invoices and visits that stay as they are.",
    ),
    "merge": (
        "Take over new and changed rows",
        "A column says when a row was last changed, and a key which copied row it replaces (merge). For orders whose "
        "status or amount changes after they were copied.",
    ),
    "catalog": (
        "Copy the whole table each time",
        "Every run replaces it; old versions stay readable (replace). For products, customers, prices.",
    ),
    "files": ("Load each file once", "And again when it changed."),
}


@dataclass(frozen=True)
class ColumnRow:
    """A column of the source as step 3 shows it."""

    name: str
    source_type: str
    nullable: bool
    key: bool
    time: bool
    samples: list[str | None]
    chosen: bool
    fault: EngineError | None = None


@dataclass(frozen=True)
class LoadForm:
    """Everything step 3 shows."""

    rows: list[ColumnRow]
    strategies: list[tuple[str, str, str]]
    strategy: str
    reason: str
    proposed: str
    cursor: str
    cursors: list[tuple[str, list[str]]]
    key: list[str]
    backfill: str
    since: str
    lag: str
    keep_days: str
    row_limit: str
    drift: str
    deletes: str

    def with_faults(self, faults: Mapping[str, EngineError]) -> LoadForm:
        """The form that tells these faults, by column, below their rows."""
        return replace(self, rows=[replace(row, fault=faults.get(row.name)) for row in self.rows])

    @property
    def shown(self) -> str:
        """The columns of the page, which it sends along."""
        return shown_list([row.name for row in self.rows])

    @property
    def backfills(self) -> list[tuple[str, str]]:
        """What the first run may read; a number of days that was set elsewhere is among them."""
        known = dict(BACKFILLS)
        return [*BACKFILLS, *([] if self.backfill in known else [(self.backfill, f"{self.backfill} days")])]

    @property
    def lags(self) -> list[tuple[str, str]]:
        """How far each run may look back; what was set elsewhere is among them."""
        return [*LAGS, *([] if self.lag in dict(LAGS) else [(self.lag, span_words(float(self.lag)))])]

    drifts = DRIFTS
    deletings = DELETES


def load_form(values: Mapping[str, Any], proposal: TableProposal, able: Capabilities) -> LoadForm:
    """The form as the settings have it."""
    load = dict(values.get("load") or proposal.proposed.load)
    chosen = set(values.get("columns") or ())
    backfill = str(load.get("backfill", "all"))
    rows = [
        ColumnRow(
            name=one.name,
            source_type=one.source_type,
            nullable=one.nullable,
            key=one.key_position is not None,
            time=one.name in proposal.time_columns,
            samples=one.samples,
            chosen=not chosen or one.name in chosen,
        )
        for one in proposal.columns
    ]
    return LoadForm(
        rows=rows,
        strategies=[(name, *STRATEGIES[name]) for name in _possible(able)],
        strategy=str(load.get("strategy", "catalog")),
        reason=proposal.proposed.reason,
        proposed=str(proposal.proposed.load.get("strategy", "")),
        cursor=str(load.get("cursor") or ""),
        cursors=_cursors(proposal, str(load.get("cursor") or "")),
        key=list(load.get("key") or proposal.key),
        backfill="date" if "-" in backfill else backfill,
        since=backfill if "-" in backfill else "",
        lag=str(int(_seconds(load.get("lag", 3600)))),
        keep_days=str(load.get("keep_days", 30)),
        row_limit=str(values.get("row_limit") or ""),
        drift=str(values.get("drift") or "add"),
        deletes=str(load.get("deletes") or "keep"),
    )


def load_typed(typed: QueryDict, kept: LoadForm) -> LoadForm:
    """The form as it was typed, to be shown again, also what cannot be; what is not asked stays as it is kept."""
    ticked, names = set(typed.getlist("column")), [row.name for row in kept.rows]
    new = unseen(typed, names)
    if ticked.issuperset(set(names) - set(new)):  # all there was
        ticked.update(new)
    fields = ("strategy", "cursor", "since", "keep_days", "row_limit", "drift", "deletes")
    offered = {"backfill": dict(kept.backfills), "lag": dict(kept.lags)}
    return replace(
        kept,
        rows=[replace(row, chosen=row.name in ticked) for row in kept.rows],
        key=[name for name in typed.getlist("key") if name] if "cursor" in typed else kept.key,
        **{name: typed.get(name, getattr(kept, name)) for name in fields},
        **{name: typed[name] for name, known in offered.items() if typed.get(name) in known},
    )


def load_changes(
    typed: QueryDict, proposal: TableProposal, now: datetime, before: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The settings somebody typed in step 3; of the load ``before`` stays what the step does not ask.

    Raises BadInput naming the field, Several when more than one cannot be. A page that sends along which columns it
    had shown is refused when there are others by now.
    """
    names = [one.name for one in proposal.columns]
    chosen = [name for name in names if name in typed.getlist("column")]
    faults, load, limit = Collected(), {"strategy": ""}, typed.get("row_limit", "").strip()
    with faults.part():
        load = _load(typed, chosen, now)
    with faults.part():
        if limit and not (limit.isascii() and limit.isdigit() and 0 < int(limit) < 2**63):
            told = f"“{limit[:40]}” is not a number of rows."
            raise BadInput(told, field="row_limit", advice="Leave it empty, or give 1 or more.")
    with faults.part():
        if not chosen:
            raise BadInput("No column is chosen.", field="columns", advice="Choose at least one.")
    with faults.part():
        refuse_unseen(typed, names, "columns", "Tick it if it is to be copied, then send the page again.")
    faults.refuse()
    return {
        "columns": [] if len(chosen) == len(names) else chosen,
        "load": {**(before if before and before.get("strategy") == load["strategy"] else {}), **load},
        "row_limit": int(limit) if limit else None,
        "drift": typed.get("drift", "add"),
    }


def _load(typed: QueryDict, chosen: list[str], now: datetime) -> dict[str, Any]:
    strategy = typed.get("strategy", "")
    if strategy not in STRATEGIES:
        raise BadInput("No way to load is chosen.", field="strategy", advice="Choose one.")
    deletes = typed.get("deletes", "keep")
    if strategy == "files":
        return {"strategy": strategy, "deletes": "remove" if deletes == "remove" else "keep"}
    if strategy == "catalog":
        days = typed.get("keep_days", "30").strip() or "30"
        if not (days.isascii() and days.isdigit() and 1 <= int(days) <= 3650):
            raise BadInput(
                f"“{days[:40]}” is not a number of days.", field="keep_days", advice="Give a number from 1 to 3,650."
            )
        return {"strategy": strategy, "keep_days": int(days)}
    cursor, key = typed.get("cursor", ""), [name for name in typed.getlist("key") if name]
    faults, load = Collected(), {"strategy": strategy, "cursor": cursor, "key": key, "deletes": deletes}
    with faults.part():
        _refuse_no_cursor_or_key(load, chosen)
    with faults.part():
        load["backfill"] = _backfill(typed, now)
    with faults.part():
        load["lag"] = _whole(typed.get("lag", "3600"), "lag", "Look back each run")
    faults.refuse()
    return load


def _refuse_no_cursor_or_key(load: Mapping[str, Any], chosen: list[str]) -> None:
    """Raise BadInput for what an incremental load needs and does not have."""
    faults, cursor, key = Collected(), load["cursor"], load["key"]
    with faults.part():
        if not cursor:
            advice = "Choose a time or a number column."
            raise BadInput("No column says what is new.", field="cursor", advice=advice)
    # Where nothing is chosen at all, that is what is told.
    needed = {cursor: "cursor", **{name: "key" for name in key if name != cursor}} if chosen else {}
    for name, field in needed.items():
        with faults.part():
            if name and name not in chosen:
                told = f"The column “{name[:100]}” is needed and not chosen."
                raise BadInput(told, field=field, advice="Tick it in the list.", column=name)
    with faults.part():
        needs = "Changed rows need a key that tells rows apart." if load["strategy"] == "merge" else ""
        needs = needs or ("Deleted rows are found by a key." if load["deletes"] != "keep" else "")
        if needs and not key:
            raise BadInput(needs, field="key", advice="Tick the columns of the key.")
    faults.refuse()


def _backfill(typed: QueryDict, now: datetime) -> Any:
    """What the first run reads; no day that has begun nowhere."""
    chosen = typed.get("backfill", "all")
    if chosen != "date":
        return "all" if chosen == "all" else _whole(chosen, "backfill", "The first run reads")
    since, advice = typed.get("since", "").strip(), "Give one such as 2024-01-31."
    if not since:
        raise BadInput("The date to begin with is missing.", field="since", advice=advice)
    try:
        first = date.fromisoformat(since)
    except ValueError:
        raise BadInput(f"{quoted(since)} is not a date.", field="since", advice=advice) from None
    if first > (now + _FURTHEST_AHEAD).date():
        told = f"{first:%d %b %Y} is in the future, so nothing could be read."
        raise BadInput(told, field="since", advice="Give today or a day before.")
    return since


def _whole(text: str, field: str, title: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        raise BadInput(f"{title}: “{text[:40]}” is none of the choices.", field=field, advice="Choose one.")
    return int(text)


def _possible(able: Capabilities) -> list[str]:
    if able.files:
        return ["files"]
    return ["transactional", "merge", "catalog"] if able.incremental else ["catalog"]


def _cursors(proposal: TableProposal, chosen: str) -> list[tuple[str, list[str]]]:
    """Columns that may say what is new, by how well they do: times, the whole number a key begins with, other numbers.

    The one that is ``chosen`` is among them.
    """
    times, numbers = proposal.time_columns, []
    keys = [one.name for one in proposal.columns if one.key_position == 1 and one.proposed.warehouse_type == "INT64"]
    for one in proposal.columns:
        if one.proposed.warehouse_type in ("INT64", "NUMERIC") or one.name == chosen:
            numbers.append(one.name)
    groups = [
        ("Times", times),
        ("Keys that grow with every row", [name for name in keys if name not in times]),
        ("Others, only if they grow with every row", [name for name in numbers if name not in (*times, *keys)]),
    ]
    return [(title, names) for title, names in groups if names]


def _seconds(lag: Any) -> float:
    """A lag as the API writes it: seconds, or ISO 8601."""
    return float(_LAG.validate_python(lag).total_seconds())
