"""Which columns a run reads and as what: the table as it was loaded before against the source as it is now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from b2b_recs.engine.errors import ColumnMissing, SchemaDrift, TypeHeld
from b2b_recs.engine.etl.spec import Catalog, CopySpec, Files, Incremental
from b2b_recs.engine.schema.arrow import (
    DIGITS,
    FORMAT,
    SOURCE_TYPE,
    WAREHOUSE_TYPE,
    arrow_field,
    arrow_schema,
    arrow_type,
)
from b2b_recs.engine.schema.types import ColumnMapping, Mode, WarehouseType
from b2b_recs.engine.sources.contract import FILE_COLUMN, ColumnInfo
from b2b_recs.engine.warehouse.bigquery import check_digits, names_warning

_REOPEN = "Open the job's rows and columns, look at them, and save; or load into a new warehouse table."
_HELD = "Set in the job what it becomes to {}, load into a new warehouse table, or copy the whole table each time."


@dataclass(frozen=True, slots=True)
class Layout:
    """Columns to read, the schema the table has afterwards, what is new in it, what is left out, and what to tell.

    ``unshown`` are columns that are read though the source does not show them.
    """

    columns: tuple[ColumnMapping, ...]
    schema: pa.Schema
    added: tuple[pa.Field, ...] = ()
    ignored: tuple[str, ...] = ()
    unshown: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


Propose = Callable[[], Mapping[str, ColumnMapping]]


def lay_out(source: Sequence[ColumnInfo], spec: CopySpec, stored: pa.Schema | None, propose: Propose) -> Layout:
    """The layout of a run; ``stored`` is the table's schema now, None before the first load.

    ``propose`` gives the mapping the source proposes and is asked only when a type is not known otherwise. A type the
    source only guesses never stops a run: the column stays what the table holds, and values that do not fit are
    rejected. Raises ColumnMissing for a chosen column the source has not, SchemaDrift for one that was removed or
    changed, and for a new one when the job's policy is to stop.
    """
    here = {column.name: column for column in source}
    chosen = _chosen(spec, here)
    if stored is None:
        return _first([_mapping(here[name], spec, propose) for name in chosen])
    gone = _removed(spec, stored, here)
    added: list[pa.Field] = []
    columns_read: list[ColumnMapping] = []
    ignored: list[str] = []
    warnings: list[str] = []
    for name in chosen:
        if name in stored.names:
            mapping, told = _known(here[name], spec, stored.field(name), propose)
            columns_read.append(mapping)
            warnings += [told] if told else []
        elif spec.columns or spec.drift == "add":
            mapping = replace(_mapping(here[name], spec, propose), mode=Mode.NULLABLE)
            columns_read.append(mapping)
            added.append(arrow_field(mapping))
        elif spec.drift == "ignore":
            ignored.append(name)
        else:
            raise SchemaDrift(
                f"{_where(spec)} has a new column {name}.",
                advice="Choose in the job whether to add it or to leave it out.",
                field=name,
            )
    new = {field.name for field in added}
    check_digits(column for column in columns_read if column.name in new)
    told = names_warning(new)
    if isinstance(spec.load, Catalog):
        schema = arrow_schema(columns_read)
    else:
        _refuse_unfilled(stored, columns_read, here)
        schema = pa.schema([*stored, *added])
    if ignored:
        warnings.append(f"New columns were left out: {', '.join(ignored)}.")
    if told:
        warnings.append(told)
    warnings += _lost(spec, gone)
    return Layout(tuple(columns_read), schema, tuple(added), tuple(ignored), warnings=tuple(warnings))


def _first(columns: Sequence[ColumnMapping]) -> Layout:
    """The layout of a run that makes its table."""
    check_digits(columns)
    told = names_warning(column.name for column in columns)
    return Layout(tuple(columns), arrow_schema(columns), warnings=(told,) if told else ())


def stored_mapping(field: pa.Field) -> ColumnMapping:
    """The mapping a warehouse column was loaded with, from its metadata."""
    notes = field.metadata or {}
    digits = notes.get(DIGITS, b"").decode()
    precision, scale = (int(part) for part in digits.split(",")) if digits else (None, None)
    return ColumnMapping(
        field.name,
        notes.get(SOURCE_TYPE, b"").decode("utf-8", "replace"),
        WarehouseType(notes.get(WAREHOUSE_TYPE, b"STRING").decode()),
        Mode.NULLABLE if field.nullable else Mode.REQUIRED,
        precision,
        scale,
        format=notes.get(FORMAT, b"").decode(),
    )


def _chosen(spec: CopySpec, here: Mapping[str, ColumnInfo]) -> list[str]:
    wanted = list(spec.columns or here)
    if isinstance(spec.load, Files) and FILE_COLUMN not in wanted:
        wanted.append(FILE_COLUMN)
    if isinstance(spec.load, Incremental):
        wanted += [name for name in (spec.load.cursor, *spec.load.key) if name not in wanted]
    for name in wanted:
        if name not in here:
            raise ColumnMissing(
                f"{_where(spec)} has no column {name}.",
                advice="Open the job and choose its columns, cursor and key again.",
                field=name,
            )
    return wanted


def _mapping(column: ColumnInfo, spec: CopySpec, propose: Propose) -> ColumnMapping:
    chosen = next((mapping for mapping in spec.types if mapping.name == column.name), None)
    # A type chosen by hand need not say of what: the table keeps it, so that a later change is noticed.
    return propose()[column.name] if chosen is None else replace(chosen, source_type=column.source_type)


def _known(column: ColumnInfo, spec: CopySpec, field: pa.Field, propose: Propose) -> tuple[ColumnMapping, str]:
    """The mapping of a column the table has already, and what to tell of it."""
    told = ""
    stored = stored_mapping(field)
    override = next((mapping for mapping in spec.types if mapping.name == column.name), None)
    settled = override is not None and _settled(override, stored, column)
    if override is not None and arrow_type(override) != field.type:
        if settled and isinstance(spec.load, Catalog):
            return replace(override, source_type=column.source_type), ""
        raise TypeHeld(
            f"The column {column.name} is set to {override.warehouse_type} in the job, and the warehouse table holds "
            f"{stored.warehouse_type}.",
            advice="Set it back, load into a new warehouse table, or copy the whole table each time.",
            field=column.name,
        )
    if column.source_type != stored.source_type and not settled:
        proposal = propose()[column.name]
        differs = arrow_type(proposal) != field.type
        if differs and column.guessed:
            told = (
                f"The column {column.name} looked like {stored.source_type} and looks like {column.source_type} now; "
                f"it stays {stored.warehouse_type}, and values that are not are rejected."
            )
        elif differs:
            raise SchemaDrift(
                f"The column {column.name} of {_where(spec)} was {stored.source_type} and is {column.source_type} now; "
                f"the warehouse table holds {stored.warehouse_type}.",
                advice=_REOPEN if isinstance(spec.load, Catalog) else _HELD.format(stored.warehouse_type),
                field=column.name,
            )
    form = stored.format if override is None else override.format
    return replace(stored, source_type=column.source_type, format=form), told


def _settled(override: ColumnMapping, stored: ColumnMapping, column: ColumnInfo) -> bool:
    """Whether a type chosen by hand was chosen for the column as it is now: it says so, or nothing has changed.

    Where the source only guesses, the choice stands whatever the guess is.
    """
    if column.guessed:
        return True
    if override.source_type:
        return override.source_type == column.source_type
    return stored.source_type in ("", column.source_type)


def _removed(spec: CopySpec, stored: pa.Schema, here: Mapping[str, ColumnInfo]) -> list[str]:
    """Columns of the table the source no longer has.

    Refused except those the job goes on without, and where each file may have columns of its own.
    """
    if spec.columns:
        return []
    gone = [name for name in stored.names if name not in here]
    told = [name for name in gone if name not in spec.gone]
    if told and not isinstance(spec.load, Files):
        raise SchemaDrift(
            f"{_where(spec)} no longer has {_columns(told)}, which the warehouse table holds.",
            advice=_REOPEN,
            field=told[0],
        )
    return gone


def _lost(spec: CopySpec, gone: Sequence[str]) -> list[str]:
    """What to tell of columns a run goes on without; nothing where somebody has said so and they stay."""
    if gone and isinstance(spec.load, Files):
        stays = "it stays" if len(gone) == 1 else "they stay"
        return [f"No file has {_columns(gone)} now; {stays} empty in new rows."]
    if gone and isinstance(spec.load, Catalog):
        return [f"The source no longer has {_columns(gone)}, so the table is without from now on."]
    return []


def _columns(names: Sequence[str]) -> str:
    """Columns by name: "the column note", "the columns note, city and active"."""
    *before, last = names
    return f"the columns {', '.join(before)} and {last}" if before else f"the column {last}"


def _refuse_unfilled(stored: pa.Schema, columns: Sequence[ColumnMapping], here: Mapping[str, ColumnInfo]) -> None:
    read = {column.name for column in columns}
    for field in stored:
        if field.name not in read and not field.nullable:
            there = field.name in here
            raise SchemaDrift(
                f"The column {field.name} is required in the warehouse table and "
                f"{'not chosen in the job' if there else 'no longer in the source'}.",
                advice="Choose it, or load into a new warehouse table."
                if there
                else "Load into a new warehouse table, or copy the whole table each time.",
                field=field.name,
            )


def _where(spec: CopySpec) -> str:
    return f"{spec.source_schema}.{spec.source_table}" if spec.source_schema else spec.source_table
