"""What the tabs of a warehouse table show. Call inside the organization's scope."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.urls import reverse
from django.utils.safestring import SafeString

from b2b_recs.engine.errors import BadInput, EngineError
from b2b_recs.engine.profile.columns import Column
from b2b_recs.engine.profile.compare import Comparison
from b2b_recs.engine.profile.document import TableProfile
from b2b_recs.engine.profile.facts import VersionFacts, facts_of, newest_version
from b2b_recs.engine.profile.notes import QualityNote, Severity, quality_notes
from b2b_recs.engine.profile.preview import MOST_ROWS
from b2b_recs.engine.profile.preview import preview as first_rows
from b2b_recs.engine.profile.rejects import RejectedPage, RejectedRow, Wanted, rejected_count, rejected_page
from b2b_recs.engine.warehouse.versions import Version
from b2b_recs.engine.warehouse.versions import versions as versions_of
from b2b_recs.web.datasets.cells import cell, shown_value
from b2b_recs.web.datasets.columns_shown import ColumnShown, column_shown
from b2b_recs.web.datasets.examining import comparison_of, statistics_of
from b2b_recs.web.datasets.tables import WarehouseTable, run_number, scratch
from b2b_recs.web.etl.models import ETLRun

ROWS, COLUMNS, STATISTICS, VERSIONS, REJECTED = 100, 40, 25, 15, 50
# Seconds a page waits for something that may be quick before it says that it is on its way.
QUICK = 0.08
SEVERITIES = {
    Severity.PROBLEM: ("Problem", "bad", "circle-alert"),
    Severity.WARNING: ("Warning", "warn", "triangle-alert"),
    Severity.HINT: ("Hint", "info", "info"),
}


@dataclass(frozen=True)
class Shown:
    """Which version a tab is about; ``other`` when it is not the newest."""

    facts: VersionFacts
    newest: int

    @property
    def other(self) -> bool:
        """Whether the reader looks at the past."""
        return self.facts.version != self.newest


@dataclass(frozen=True)
class PreviewTab:
    """First rows, ready to be shown; of many columns one group. ``choices`` are all columns, ``of`` counts the chosen.

    What else the address asks for is in ``keep``.
    """

    shown: Shown
    columns: Sequence[Column]
    rows: list[list[SafeString]]
    group: int
    groups: int
    first: int
    of: int
    choices: list[tuple[str, bool]]
    keep: list[tuple[str, int]]
    most: int = MOST_ROWS

    @property
    def last(self) -> int:
        """The number of the last column shown."""
        return self.first + len(self.columns) - 1


@dataclass(frozen=True)
class StatisticsTab:
    """Columns in figures; neither profile nor refusal while they are worked out."""

    shown: Shown
    query: str
    page: Page[Any] | None
    profile: TableProfile | None
    refusal: EngineError | None
    columns: list[ColumnShown]


@dataclass(frozen=True)
class NoteShown:
    """One note with its look and its examples."""

    of: QualityNote
    word: str
    look: str
    icon: str
    examples: list[SafeString | str]


@dataclass(frozen=True)
class QualityTab:
    """Notes, the worst first, and how many of each severity."""

    shown: Shown
    profile: TableProfile | None
    refusal: EngineError | None
    notes: list[NoteShown]
    counts: list[tuple[str, str, int]]
    unchecked: bool


@dataclass(frozen=True)
class VersionRow:
    """One version; ``run_address`` is empty when no run made it or it was deleted."""

    of: Version
    words: str
    run_address: str
    difference: int | None
    before: int | None


@dataclass(frozen=True)
class VersionsTab:
    """One page of versions; ``choices`` are those that can be compared."""

    page: Page[Any]
    rows: list[VersionRow]
    newest: int
    choices: list[int]
    key: tuple[str, ...]


@dataclass(frozen=True)
class CompareTab:
    """Two versions; neither comparison nor refusal while they are compared."""

    before: VersionFacts
    after: VersionFacts
    comparison: Comparison | None
    refusal: EngineError | None
    key: tuple[str, ...]

    @property
    def difference(self) -> int:
        """Rows more (or less) in the later version."""
        return self.after.rows - self.before.rows


@dataclass(frozen=True)
class RejectedShown:
    """One rejected row with the address of its run, and its key where one is known: (name, value)."""

    of: RejectedRow
    why: str
    key: list[tuple[str, SafeString | str]]
    run_address: str
    values: list[tuple[str, SafeString | str, bool]]


@dataclass(frozen=True)
class RejectedTab:
    """One page of rejected rows with what they were narrowed by.

    ``kept`` rows stand in the list of the run that was stopped; of those it rejected ``of_run`` when that is known.
    """

    found: RejectedPage
    page: Page[Any]
    rows: list[RejectedShown]
    wanted: Wanted
    reasons: list[tuple[str, str, str, int, bool]]  # column, reason, the same in short, rows, whether it is chosen
    kept: int
    of_run: int | None
    run_address: str


def preview_tab(
    one: WarehouseTable, version: int | None, group: int = 1, chosen: Collection[str] = frozenset()
) -> PreviewTab:
    """The first rows of a version, of the chosen columns, or of all when it has none of them.

    Raises WarehouseTableMissing.
    """
    shown = _shown(one, version)
    found = first_rows(one.table, shown.facts.version, ROWS)
    every = range(len(found.columns))
    wanted = [at for at in every if found.columns[at].name in chosen] or list(every)
    groups = max(1, -(-len(wanted) // COLUMNS))
    group = min(max(group, 1), groups)
    first = (group - 1) * COLUMNS
    part = wanted[first : first + COLUMNS]
    return PreviewTab(
        shown=shown,
        columns=[found.columns[at] for at in part],
        rows=[[cell(row[at], found.columns[at]) for at in part] for row in found.rows],
        group=group,
        groups=groups,
        first=first + 1,
        of=len(wanted),
        choices=[(column.name, at in wanted) for at, column in enumerate(found.columns)],
        keep=[("version", version)] if version is not None else [],
    )


def statistics_tab(one: WarehouseTable, version: int | None, query: str, page: str) -> StatisticsTab:
    """The columns whose name contains ``query``, one page of them. Raises WarehouseTableMissing."""
    shown = _shown(one, version)
    answer = statistics_of(one, shown.facts.version, QUICK)
    if answer.document is None:
        return StatisticsTab(shown, query, None, None, answer.refusal, [])
    fitting = [column for column in answer.document.columns if query.casefold() in column.name.casefold()]
    found = Paginator(fitting, STATISTICS).get_page(page)
    columns = [column_shown(column) for column in found.object_list]
    return StatisticsTab(shown, query, found, answer.document, None, columns)


def quality_tab(one: WarehouseTable, version: int | None) -> QualityTab:
    """Notes on the quality of a version. Raises WarehouseTableMissing."""
    shown = _shown(one, version)
    answer = statistics_of(one, shown.facts.version, QUICK)
    if answer.document is None:
        return QualityTab(shown, None, answer.refusal, [], [], False)
    notes = quality_notes(answer.document)
    counts = [
        (word, look, sum(note.severity is severity for note in notes))
        for severity, (word, look, _) in SEVERITIES.items()
    ]
    unchecked = bool(one.key) and answer.document.key is None
    return QualityTab(shown, answer.document, None, [_note(note) for note in notes], counts, unchecked)


def versions_tab(one: WarehouseTable, page: str) -> VersionsTab:
    """One page of versions, the newest first; one query."""
    newest = newest_version(one.table) or 0
    shown = Paginator(range(newest + 1), VERSIONS).get_page(page)
    found = list(versions_of(one.table, VERSIONS + 1, shown.start_index() - 1))
    runs = _runs(one, [version.made_by for version in found])
    rows = []
    for at, version in enumerate(found[:VERSIONS]):
        older = found[at + 1] if at + 1 < len(found) else None
        rows.append(
            VersionRow(
                version,
                _made_words(version),
                runs.get(run_number(version.made_by), ""),
                version.rows - older.rows if older else None,
                older.number if older and older.readable and version.readable else None,
            )
        )
    choices = [version.number for version in found if version.readable]
    return VersionsTab(shown, rows, newest, choices, one.key)


def compare_tab(one: WarehouseTable, before: int | None, after: int | None) -> CompareTab:
    """Two versions compared. Raises WarehouseTableMissing, and BadInput when they are not two."""
    if before is None or after is None:
        raise BadInput("Two versions are needed to compare.", advice="Choose both.", field="before")
    before, after = sorted((before, after))
    facts = facts_of(one.table, before), facts_of(one.table, after)
    if before == after:
        raise BadInput(
            f"Version {before} is the same as version {after}.", advice="Choose another version.", field="before"
        )
    answer = comparison_of(one, before, after, QUICK)
    return CompareTab(*facts, answer.document, answer.refusal, one.key)


def rejected_tab(one: WarehouseTable, wanted: Wanted, page: int) -> RejectedTab:
    """One page of the rejected rows that are wanted; at most two queries. Raises QueryTooLong."""
    found = rejected_page(one.table, wanted, (page - 1) * REJECTED, REJECTED, scratch())
    runs = _runs(one, [row.run for row in found.rows])
    rows = [
        RejectedShown(
            row,
            _why(row.column, row.reason),
            [(name, shown_value(_text(row.values[name]))) for name in one.key if name in row.values],
            runs.get(run_number(row.run), ""),
            [(name, shown_value(_text(value)), name == row.column) for name, value in row.values.items()],
        )
        for row in found.rows
    ]
    chosen = (wanted.column, wanted.reason)
    reasons = [
        (each.column, each.reason, _why(each.column, each.reason), each.rows, chosen == (each.column, each.reason))
        for each in found.reasons
    ]
    kept = rejected_count(one.table, stopped=True)
    run, address = _stopped_run(one, found) if wanted.stopped else (None, "")
    listed = Paginator(range(found.total), REJECTED).get_page(page)
    return RejectedTab(found, listed, rows, wanted, reasons, kept, run, address)


def _why(column: str, reason: str) -> str:
    """The reason without the name of the column, which stands beside it."""
    return reason.removeprefix(f"{column}: ")


def _stopped_run(one: WarehouseTable, found: RejectedPage) -> tuple[int | None, str]:
    """How many rows the run that was stopped rejected, and its address; None and nothing when it is not there."""
    number = run_number(found.rows[0].run) if found.rows else None
    run = ETLRun.objects.filter(data_source__configuration__model_id=one.model_id, id=number).first()
    return (run.rows_rejected, reverse("etl_run", args=[one.model_id, run.id])) if run else (None, "")


def _shown(one: WarehouseTable, version: int | None) -> Shown:
    facts = facts_of(one.table, version)
    newest = newest_version(one.table)
    return Shown(facts, facts.version if newest is None else newest)


def _note(note: QualityNote) -> NoteShown:
    word, look, icon = SEVERITIES[note.severity]
    return NoteShown(note, word, look, icon, [shown_value(value) for value in note.examples])


def _made_words(version: Version) -> str:
    if version.operation == "rearranged":
        return "Small files joined, the same rows"
    if version.operation == "columns added":
        return "Columns added"
    number = run_number(version.made_by)
    return (
        f"Run {number}"
        if number
        else {"created": "Table made", "replaced": "Replaced"}.get(version.operation, "Loaded")
    )


def _runs(one: WarehouseTable, made_by: Sequence[str]) -> dict[int | None, str]:
    """Addresses of those runs that are still there, by their ids. An earlier job may have filled the table."""
    numbers = {number for name in made_by if (number := run_number(name)) is not None}
    if not numbers:
        return {}
    own = ETLRun.objects.filter(data_source__configuration__model_id=one.model_id, id__in=numbers)
    return {number: reverse("etl_run", args=[one.model_id, number]) for number in own.values_list("id", flat=True)}


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
