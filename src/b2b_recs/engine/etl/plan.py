"""What one run will read: columns, window, order, and whether it can go on where a killed run stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from b2b_recs.engine.counting import counted
from b2b_recs.engine.errors import FilesMissing, TableMissing
from b2b_recs.engine.etl.becoming import refuse_impossible
from b2b_recs.engine.etl.bounds import Bounds, bounds_of
from b2b_recs.engine.etl.changed import UNCHANGED, Changed, changed_since, meaning_of, refuse_renames
from b2b_recs.engine.etl.choice import NOTHING, Choice
from b2b_recs.engine.etl.cursor import scalar
from b2b_recs.engine.etl.cursor_order import with_order
from b2b_recs.engine.etl.drift import Layout, lay_out, stored_mapping
from b2b_recs.engine.etl.files import choose, kept_shapes, loaded_files
from b2b_recs.engine.etl.fitness import refuse_unfit
from b2b_recs.engine.etl.known_rejects import rejects_inside
from b2b_recs.engine.etl.reached import source_before
from b2b_recs.engine.etl.shown import known_columns
from b2b_recs.engine.etl.spec import CopySpec, Files, Incremental
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.sources.contract import ColumnInfo, Fields, KeyRange, ReadRequest, Source, SourceType, Window
from b2b_recs.engine.warehouse.bigquery import check_arrangement
from b2b_recs.engine.warehouse.local import LocalTable

# Arrow bytes of one batch; a handful of them are in memory at a time.
BATCH_BYTES = 16 * 1024 * 1024
_NUMBERS = (WarehouseType.INT64, WarehouseType.NUMERIC, WarehouseType.BIGNUMERIC)
_SURE = (
    WarehouseType.INT64,
    WarehouseType.NUMERIC,
    WarehouseType.STRING,
    WarehouseType.TIMESTAMP,
    WarehouseType.DATETIME,
    WarehouseType.DATE,
)
_ANEW = (
    "The table was read once more from its beginning, because the last run ended at {}, from which none can go on. "
    "Without a key, rows that changed meanwhile are there twice."
)
_MOVED = "The rows before came from {}, so the table was read from the beginning of the job's backfill."


@dataclass(frozen=True, slots=True)
class Plan:
    """One run. ``segments`` are read by so many ``sessions``; rows of each come in its ``order_by`` when there is one.

    ``ranges`` are those the first read was cut into, empty when it was not.
    """

    layout: Layout
    segments: tuple[ReadRequest, ...]
    bounds: Bounds | None
    key: tuple[str, ...]
    key_unique: bool
    resumable: bool
    now: datetime
    primary: tuple[str, ...] = ()
    numbers: frozenset[str] = frozenset()  # columns that are whole numbers or decimals in the source as well
    choice: Choice = NOTHING
    ranges: tuple[KeyRange, ...] = ()
    sessions: int = 1
    met: Fields = field(default_factory=dict)  # fields that an earlier read of the run met, so that this one reads them
    changed: Changed = UNCHANGED
    meaning: Mapping[str, Any] = field(default_factory=dict)  # what the commit notes of how the rows were read

    @property
    def fixed(self) -> Fixed:
        """What stays as it is when a killed run goes on."""
        return Fixed(self.bounds, self.choice, self.met)

    def fingerprint(self) -> str:
        """A digest of everything that decides which rows are read and how they are held."""
        document = [[{**asdict(segment), "batch_bytes": 0} for segment in self.segments], self.resumable, self.key]
        return hashlib.sha256(json.dumps(document, default=str, sort_keys=True).encode()).hexdigest()

    @property
    def cursor(self) -> ColumnMapping | None:
        """The cursor's mapping, None for a catalog load."""
        window = self.segments[0].window if self.segments else None
        if window is None:
            return None
        return next(column for column in self.layout.columns if column.name == window.cursor)


@dataclass(frozen=True, slots=True)
class Fixed:
    """What a run fixed at its start: the window of its cursor, the files it loads, the fields it met."""

    bounds: Bounds | None = None
    choice: Choice = NOTHING
    met: Fields = field(default_factory=dict)


def make_plan(
    source_type: SourceType, source: Source, spec: CopySpec, table: LocalTable, now: datetime, fixed: Fixed | None
) -> Plan:
    """The plan of a run; ``fixed`` is what the killed run that is continued had fixed.

    Raises TableMissing, FilesMissing, ColumnMissing, PermissionMissing, SchemaDrift, BadInput.
    """
    plan, proposal = _plan(source_type, source, spec, table, now, fixed)
    plan = replace(plan, meaning=meaning_of(spec, plan.layout.columns, proposal))
    if source_type.capabilities.sampled:
        segments = tuple(replace(segment, unasked=not spec.columns) for segment in plan.segments)
        plan = replace(plan, segments=segments, met=fixed.met if fixed else {})
    if spec.reconcile == "counts":
        return plan
    numbers = frozenset(name for name, column in proposal().items() if column.warehouse_type in _NUMBERS)
    return replace(plan, numbers=numbers)


def _plan(
    source_type: SourceType, source: Source, spec: CopySpec, table: LocalTable, now: datetime, fixed: Fixed | None
) -> tuple[Plan, _Proposal]:
    refuse_unfit(spec, source_type)
    if isinstance(spec.load, Files):
        source.remember(kept_shapes(table))
    try:
        columns = source.columns(spec.source_schema, spec.source_table)
    except FilesMissing as nothing:
        if not isinstance(spec.load, Files) or not loaded_files(table):
            raise
        return _no_files(table, now, nothing.message), _Proposal(source_type, spec, ())
    if not columns:
        raise TableMissing(
            f"{spec.source_schema}.{spec.source_table} has no columns this login may read.",
            advice="Choose another table, or ask for the right to read it.",
        )
    stored = table.schema() if table.exists() else None
    shown = {column.name for column in columns}
    if source_type.capabilities.sampled:
        columns = known_columns(columns, spec, stored, source_type.met_columns(fixed.met if fixed else {}))
    proposal = _Proposal(source_type, spec, columns)
    refuse_renames(spec, table, columns)
    layout = lay_out(columns, spec, stored, proposal)
    refuse_impossible(source_type, columns, spec.types)
    unshown = tuple(column.name for column in layout.columns if column.name not in shown)
    layout = replace(layout, unshown=unshown)
    doubts = tuple(dict.fromkeys(column.doubt for column in columns if column.doubt))
    layout = replace(layout, warnings=(*layout.warnings, *doubts))
    check_arrangement(layout.schema, spec.partition_by, spec.cluster_by)
    primary = tuple(
        column.name for column in sorted(columns, key=lambda column: column.key_position or 0) if column.key_position
    )
    changed = changed_since(spec, table, layout, meaning_of(spec, layout.columns, proposal))
    layout = replace(layout, warnings=(*layout.warnings, *changed.warnings))
    if isinstance(spec.load, Files):
        return _files(source, spec, table, layout, changed, now, fixed), proposal
    if not isinstance(spec.load, Incremental):
        request = _read(spec, layout, None, limit=spec.row_limit)
        full = all(column.name not in primary or not column.nullable for column in columns)
        return Plan(layout, (request,), None, (), True, False, now, primary if full else ()), proposal
    if moved := source_before(table, spec.origin):
        layout = replace(layout, warnings=(*layout.warnings, _MOVED.format(moved)))
    load, given = spec.load, (table, layout, changed, primary, columns, now, fixed, proposal)
    return _incremental(source_type, source, spec, load, *given), proposal


def _incremental(
    source_type: SourceType,
    source: Source,
    spec: CopySpec,
    load: Incremental,
    table: LocalTable,
    layout: Layout,
    changed: Changed,
    primary: tuple[str, ...],
    columns: Sequence[ColumnInfo],
    now: datetime,
    fixed: Fixed | None,
    proposal: _Proposal,
) -> Plan:
    cursor = next(column for column in layout.columns if column.name == load.cursor)
    layout = with_order(layout, cursor, proposal()[load.cursor])
    if not (source_type.capabilities.unique_keys and set(primary) <= {column.name for column in layout.columns}):
        # A key that is only noted may repeat, one that is not read whole tells no rows apart: both would lose rows.
        primary = ()
    nullable = {column.name: column.nullable for column in columns}
    askable, limited = nullable[load.cursor] and source_type.capabilities.asks_null, spec.row_limit is not None
    # Without a key, a row that is read again could not be told from the one it was before.
    again = askable and bool(load.key) and not limited
    bounds = fixed.bounds if fixed else None
    if bounds is None:
        bounds = bounds_of(source, spec, load, table, cursor, now, with_null=again, reread=changed.reread)
        bounds = _of_limit(table, cursor, bounds) if limited else bounds
    if askable and (limited or not bounds.with_null):
        layout = replace(layout, warnings=(*layout.warnings, *_unread(source, spec, layout, load.cursor, bounds)))
    if limited and bounds.upper is not None:
        layout = replace(layout, warnings=(*layout.warnings, *_beyond(source, spec, layout, load.cursor, bounds.upper)))
    if bounds.anew and not load.key and not bounds.reread:
        layout = replace(layout, warnings=(*layout.warnings, _ANEW.format(bounds.before)))
    ties = load.key if load.key and not any(nullable[name] for name in load.key) else primary
    ties = tuple(name for name in ties if name != load.cursor)
    ordered = bool(ties) or load.cursor in primary or load.key == (load.cursor,)
    order = (load.cursor, *ties) if ordered or spec.row_limit is not None else ()
    by_name = {column.name: column for column in layout.columns}
    resumable = ordered and all(_sure(name, by_name, proposal, limited=limited) for name in order)
    limit = _limit(source, spec, table, layout, cursor, bounds)
    main = Window(load.cursor, bounds.lower, bounds.upper, lower_inclusive=True, beyond=limit is None)
    segments = [_read(spec, layout, main, order, limit)]
    if bounds.with_null and nullable[load.cursor] and limit is None:
        others = _without_cursor(spec, layout, load.cursor, bounds)
        # Without a largest cursor there is no window that the two could be on either side of: one reads everything.
        segments = [others] if bounds.upper is None else [*segments, others]
    # Without a snapshot a row that moves while it is read may come at both of its places.
    unique = source_type.capabilities.snapshot and _binds(primary, nullable) and set(primary) <= set(load.key)
    return Plan(layout, tuple(segments), bounds, load.key, unique, resumable, now, primary, changed=changed)


def _of_limit(table: LocalTable, cursor: ColumnMapping, bounds: Bounds) -> Bounds:
    """The window of a run with a limit of rows, which counts them by their cursor and so asks for none without one."""
    if not bounds.unlimited:
        bounds = replace(bounds, with_null=False)
    return replace(bounds, rejected=rejects_inside(table, cursor, bounds))


def _binds(primary: Sequence[str], nullable: Mapping[str, bool]) -> bool:
    """Whether a declared key is unique in every row, which it need not be where it is empty."""
    return bool(primary) and not any(nullable[name] for name in primary)


def _files(
    source: Source,
    spec: CopySpec,
    table: LocalTable,
    layout: Layout,
    changed: Changed,
    now: datetime,
    fixed: Fixed | None,
) -> Plan:
    choice = fixed.choice if fixed is not None else choose(source, spec, table, every=changed.reread)
    request = _read(spec, layout, None)
    segments = tuple(replace(request, files=paths) for paths in choice.groups())
    return Plan(layout, segments, None, (), True, True, now, choice=choice)


def _no_files(table: LocalTable, now: datetime, what: str) -> Plan:
    """The plan of a run that has nothing to read: its files of before are gone, all of them.

    Their rows stay whatever the job says of files that are gone, because a folder that was moved or not yet mounted
    looks the same.
    """
    schema = table.schema()
    one, many = "file was loaded before; its rows stay.", "files were loaded before; their rows stay."
    told = f"{what} {counted(loaded_files(table), one, many)}"
    return Plan(Layout(tuple(map(stored_mapping, schema)), schema, warnings=(told,)), (), None, (), True, True, now)


def _without_cursor(spec: CopySpec, layout: Layout, cursor: str, bounds: Bounds) -> ReadRequest:
    """The read of the rows without a cursor value: one of their own, they have no place in an order to resume at."""
    return _read(spec, layout, Window(cursor, bounds.upper, bounds.upper, include_null=True))


def _unread(source: Source, spec: CopySpec, layout: Layout, cursor: str, bounds: Bounds) -> tuple[str, ...]:
    """A warning when there are rows without a cursor value that the run does not read."""
    rows = source.count(_without_cursor(spec, layout, cursor, bounds))
    if not rows:
        return ()
    told = counted(
        rows,
        f"row has no {cursor} and is not among those read",
        f"rows have no {cursor} and are not among those read",
    )
    mend = "Give the job a key" if spec.row_limit is None else "Take the row limit away"
    return (f"{told}. {mend}, or choose another cursor column.",)


def _beyond(source: Source, spec: CopySpec, layout: Layout, cursor: str, upper: str) -> tuple[str, ...]:
    """A warning when there are rows beside every window, which a run with a limit does not read."""
    rows = source.count(_read(spec, layout, Window(cursor, upper, upper, beyond=True)))
    if not rows:
        return ()
    one, many = (f"{what} a {cursor} that no window holds, such as infinity" for what in ("row has", "rows have"))
    return (f"{counted(rows, one, many)}; with a row limit they are not looked for.",)


def _read(
    spec: CopySpec, layout: Layout, window: Window | None, order: tuple[str, ...] = (), limit: int | None = None
) -> ReadRequest:
    return ReadRequest(
        spec.source_schema,
        spec.source_table,
        layout.columns,
        window,
        order,
        row_limit=limit,
        batch_bytes=BATCH_BYTES,
        time_zone=spec.time_zone,
    )


def window_rows(table: LocalTable, version: int | None, cursor: ColumnMapping, bounds: Bounds) -> int | None:
    """Rows of a version inside the window, None when the cursor's order in the warehouse is not surely the source's."""
    dataset = table.arrow_dataset(version)
    if cursor.name not in dataset.schema.names:
        return 0
    condition = window_filter(dataset.schema, cursor, bounds)
    return None if condition is None else int(dataset.count_rows(filter=condition))


def window_filter(schema: pa.Schema, cursor: ColumnMapping, bounds: Bounds) -> pc.Expression | None:
    """The condition that a row lies inside the window, None when the cursor's orders surely do not agree."""
    field = schema.field(cursor.name)
    column = ds.field(cursor.name)
    condition = column.is_valid()
    for text, lower in ((bounds.lower, True), (bounds.upper, False)):
        if text is None:
            continue
        value = scalar(text, field, cursor)
        if value is None:
            return None
        condition &= (column >= value) if lower else (column <= value)
    if pa.types.is_floating(field.type):
        condition |= column.is_nan() | pc.is_inf(column)
    if bounds.with_null:
        condition |= column.is_null()
    return condition


def _limit(
    source: Source, spec: CopySpec, table: LocalTable, layout: Layout, cursor: ColumnMapping, bounds: Bounds
) -> int | None:
    """How many rows a run reads at most, so that as many as the job allows are new; None without a limit."""
    if spec.row_limit is None or bounds.unlimited:
        return None
    known = _known_rows(table, layout, cursor, bounds)
    if bounds.before is not None and not (bounds.earlier or bounds.anew):
        # Rows that share their key are fewer in the table than those that come again before the first new one.
        again = Window(cursor.name, bounds.lower, bounds.before, lower_inclusive=True)
        known = max(known, source.count(_read(spec, layout, again)))
    return spec.row_limit + known + bounds.rejected


def _known_rows(table: LocalTable, layout: Layout, cursor: ColumnMapping, bounds: Bounds) -> int:
    if not table.exists():
        return 0
    found = window_rows(table, None, cursor, bounds)
    return table.row_count() if found is None else found


def _sure(name: str, columns: dict[str, ColumnMapping], proposal: _Proposal, *, limited: bool) -> bool:
    """Whether a read can go on after a value of a column, because source and warehouse have one order of it.

    Text in other capitals may be the same to a source, which then leaves it out. The number of rows shows that, but
    where a limit sets the number.
    """
    mapping = columns[name]
    if limited and mapping.warehouse_type is WarehouseType.STRING:
        return False
    return mapping.warehouse_type in _SURE and proposal()[name].warehouse_type is mapping.warehouse_type


class _Proposal:
    """The source's own proposal, asked for once and only when needed."""

    def __init__(self, source_type: SourceType, spec: CopySpec, columns: Sequence[ColumnInfo]) -> None:
        self._ask = (source_type, spec, columns)
        self._found: dict[str, ColumnMapping] | None = None

    def __call__(self) -> dict[str, ColumnMapping]:
        if self._found is None:
            source_type, spec, columns = self._ask
            # Without samples: a guess from some values must not refuse the rows that come later.
            found = source_type.propose(columns, {}, spec.time_zone)
            self._found = {mapping.name: mapping for mapping in found}
        return self._found
