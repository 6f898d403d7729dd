"""The columns of a table of files: those of every file by name, their types widened until all fit."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from b2b_recs.engine.errors import SourceRefused
from b2b_recs.engine.sources.contract import FILE_COLUMN, ColumnInfo
from b2b_recs.engine.sources.files.formats import Format

# How a column says that its source knows nothing but text, so that numbers are looked for in its values.
UNTYPED = "untyped"


def column_infos(form: Format, schemas: Sequence[pa.Schema]) -> list[ColumnInfo]:
    """One description per column in the order of first appearance, the path of the file last."""
    fields: dict[str, pa.Field] = {}
    seen: dict[str, int] = {}
    for schema in schemas:
        for field in schema:
            if field.name == FILE_COLUMN:
                raise SourceRefused(
                    f"A file has a column named {FILE_COLUMN}, which is kept for the path of the file.",
                    advice="Name the column in the file otherwise.",
                )
            known = fields.get(field.name)
            fields[field.name] = field if known is None else _wider(known, field)
            seen[field.name] = seen.get(field.name, 0) + 1
    infos = [_info(form, field, everywhere=seen[name] == len(schemas)) for name, field in fields.items()]
    path = ColumnInfo(FILE_COLUMN, "path of the file", nullable=False, base_type=str(pa.string()))
    return [*infos, path]


def _info(form: Format, field: pa.Field, *, everywhere: bool) -> ColumnInfo:
    kind = field.type
    decimal = pa.types.is_decimal(kind)
    return ColumnInfo(
        name=field.name,
        source_type=form.kind(kind),
        nullable=field.nullable or not everywhere,
        is_time=pa.types.is_temporal(kind) and not pa.types.is_time(kind) and not pa.types.is_duration(kind),
        precision=kind.precision if decimal else None,
        scale=kind.scale if decimal else None,
        base_type=str(kind),
        type_kind=UNTYPED if form.untyped else "",
        guessed=form.guesses,
        tells_json=not form.texts_in_json,
    )


def _wider(one: pa.Field, other: pa.Field) -> pa.Field:
    """A field that holds the values of both; text where no other type does."""
    nullable = one.nullable or other.nullable
    if one.type == other.type:
        return one.with_nullable(nullable)
    if {one.type, other.type} == {pa.date32(), pa.timestamp("ms")}:
        return pa.field(one.name, pa.timestamp("ms"), nullable)
    try:
        both = pa.unify_schemas([pa.schema([one]), pa.schema([other])], promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return pa.field(one.name, pa.string(), nullable)
    return both.field(0).with_nullable(nullable)
