"""The page of one warehouse table: its numbers, its columns, what fills it, what uses it.

Call inside the organization's scope.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.profile.columns import Column
from b2b_recs.engine.profile.facts import VersionFacts, facts_of
from b2b_recs.engine.profile.rejects import rejected_count
from b2b_recs.web.datasets.models import Dataset
from b2b_recs.web.datasets.readers import tables_read
from b2b_recs.web.datasets.tables import WarehouseTable
from b2b_recs.web.etl.wizard.type_words import MODES
from b2b_recs.web.projects.models import Schedule
from b2b_recs.web.projects.schedules import spec_of
from b2b_recs.web.ui.formats import grouped

MODE_WORDS = dict(MODES)
STRATEGIES = {
    "transactional": "New rows are added, by the column {cursor}.",
    "merge": "New and changed rows are taken over, by the column {cursor}.",
    "files": "Each file is loaded once, and again when it changes.",
    "catalog": "The whole table is replaced by each run.",
}
TABS = (
    ("data_table", "Overview"),
    ("data_preview", "Preview"),
    ("data_statistics", "Statistics"),
    ("data_quality", "Quality"),
    ("data_versions", "Versions"),
    ("data_rejected", "Rejected rows"),
)


@dataclass(frozen=True)
class Tab:
    """One tab of a table's pages."""

    url_name: str
    title: str
    here: bool
    count: str = ""


@dataclass(frozen=True)
class Head:
    """What stands above every tab."""

    one: WarehouseTable
    tabs: list[Tab]
    words: str
    rejected: int


@dataclass(frozen=True)
class ColumnRow:
    """One column of the schema with the parts it plays."""

    of: Column
    parts: list[str]

    @property
    def mode_words(self) -> str:
        """Whether it may be empty, in the words of the wizard."""
        return MODE_WORDS[self.of.mode.value]


@dataclass(frozen=True)
class Overview:
    """The first tab."""

    facts: VersionFacts
    loaded_at: datetime
    columns: list[ColumnRow]
    load_words: str
    schedule_words: str
    used_by: list[Dataset]


def head_of(one: WarehouseTable, here: str) -> Head:
    """The name, the tabs and one line of words above the pages of a table."""
    rejected = rejected_count(one.table) if one.loaded else 0
    tabs = [
        Tab(name, title, name == here, grouped(rejected) if name == "data_rejected" and rejected else "")
        for name, title in TABS
    ]
    filler = one.filler
    words = f"Copied from {filler.source} of {filler.connection}." if filler else _no_job(one)
    return Head(one, tabs, words, rejected)


def _no_job(one: WarehouseTable) -> str:
    if one.former is None or not one.former.fills:
        return "No job fills this table any more."
    return f"No job fills this table any more; “{one.former.name}”, which did, fills {one.former.fills} now."


def overview(one: WarehouseTable) -> Overview:
    """The first tab of a loaded table; two queries. Raises WarehouseTableMissing."""
    facts = facts_of(one.table)
    filler = one.filler
    synced = filler.synced_at if filler else None
    parts = parts_of(one)
    return Overview(
        facts=facts,
        loaded_at=max(facts.at, synced) if synced else facts.at,
        columns=[ColumnRow(column, parts.get(column.name, [])) for column in facts.columns],
        load_words=_load_words(one),
        schedule_words=_schedule_words(one),
        used_by=[dataset for dataset in Dataset.objects.filter(model_id=one.model_id) if uses(dataset.spec, one)],
    )


def parts_of(one: WarehouseTable) -> dict[str, list[str]]:
    """The parts columns play, by their names: key, cursor, partition, cluster."""
    spec = one.filler.spec if one.filler else {}
    parts: dict[str, list[str]] = {}
    for name in one.key:
        parts.setdefault(name, []).append("key")
    load = one.filler.load if one.filler else {}
    for name, part in ((load.get("cursor"), "cursor"), (spec.get("partition_by"), "partition by day")):
        if name:
            parts.setdefault(str(name), []).append(part)
    for at, name in enumerate(spec.get("cluster_by") or (), 1):
        parts.setdefault(str(name), []).append(f"cluster {at}")
    return parts


def _load_words(one: WarehouseTable) -> str:
    if one.filler is None:
        return ""
    load = one.filler.load
    words = STRATEGIES.get(str(load.get("strategy") or ("transactional" if "cursor" in load else "catalog")), "")
    return words.format(cursor=load.get("cursor", ""))


def _schedule_words(one: WarehouseTable) -> str:
    if one.filler is None:
        return ""
    row = Schedule.objects.filter(target_kind=Schedule.Target.ETL, target_id=one.filler.job_id).first()
    if row is None:
        return "By hand"
    try:
        words = spec_of(row).words
    except BadInput as refusal:  # its zone or expression was withdrawn
        return refusal.message
    return words if row.enabled else f"{words}, paused"


def uses(spec: Any, one: WarehouseTable) -> bool:
    """Whether a dataset's description names the table, as its base or in a join."""
    named = tables_read(spec)
    return one.name in named or one.slug in named
