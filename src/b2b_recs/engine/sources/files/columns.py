"""The columns of a table of files: those of every file by name, their types widened until all fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa

from b2b_recs.engine.errors import SourceRefused
from b2b_recs.engine.sources.contract import FILE_COLUMN, ColumnInfo
from b2b_recs.engine.sources.files.formats import Format, Shape
from b2b_recs.engine.sources.files.kinship import refuse_strangers

# How a column says that its source knows nothing but text, so that numbers are looked for in its values.
UNTYPED = "untyped"
_DIGITS_128, _MOST_DIGITS = 38, 76
_DIGITS_OF_INTEGERS = {
    pa.int8(): 3, pa.int16(): 5, pa.int32(): 10, pa.int64(): 19,
    pa.uint8(): 3, pa.uint16(): 5, pa.uint32(): 10, pa.uint64(): 20,
}  # fmt: skip


def column_infos(form: Format, shapes: Mapping[str, Shape], left_out: Sequence[str] = ()) -> list[ColumnInfo]:
    """One description per column in the order of first appearance, the path of the file last.

    ``shapes`` are those of the files by their paths, ``left_out`` the paths of files that cannot be read by name.
    """
    fields: dict[str, pa.Field] = {}
    seen: dict[str, int] = {}
    doubt = _doubt(shapes)
    if form.finds_names:
        refuse_strangers({path: shape.schema.names for path, shape in shapes.items()})
    for shape in shapes.values():
        for field in shape.schema:
            if field.name == FILE_COLUMN:
                raise SourceRefused(
                    f"A file has a column named {FILE_COLUMN}, which is kept for the path of the file.",
                    advice="Name the column in the file otherwise.",
                )
            known = fields.get(field.name)
            fields[field.name] = field if known is None else _wider(known, field)
            seen[field.name] = seen.get(field.name, 0) + 1
    infos = [_info(form, field, doubt, everywhere=seen[name] == len(shapes)) for name, field in fields.items()]
    told = " ".join(filter(None, (_told(left_out), _other_capitals(seen))))
    path = ColumnInfo(FILE_COLUMN, "path of the file", nullable=False, base_type=str(pa.string()), doubt=told)
    return [*infos, path]


def _told(left_out: Sequence[str]) -> str:
    """What to tell of files that belong to the table and are not read, "" when there are none."""
    if not left_out:
        return ""
    more = f" and {len(left_out) - 1:,} more" if len(left_out) > 1 else ""
    why, them = (
        ("names are not UTF-8 text, or they are links", "them")
        if more
        else ("name is not UTF-8 text, or it is a link", "it")
    )
    return f"The file {left_out[0][:200]}{more} {'are' if more else 'is'} left out: the {why}. Rename or copy {them}."


def _other_capitals(names: Iterable[str]) -> str:
    """What to tell of a name that files write in several ways: a job can have one of them, "" when there is none."""
    first: dict[str, str] = {}
    for name in names:
        before = first.setdefault(name.casefold(), name)
        if before != name:
            return f"Files call the same column {before} and {name}: a job has one of the two. Name them alike."
    return ""


def _doubt(shapes: Mapping[str, Shape]) -> str:
    """What to tell of files that name no encoding and are not UTF-8, or are and were read otherwise; "" of others."""
    paths = [path for path, shape in shapes.items() if shape.assumed]
    if paths:
        named = " and ".join(sorted({shapes[path].assumed for path in paths}))
        return (
            f"{_which(paths)} not UTF-8 and nothing in it names its encoding, so it was read as {named}. If letters "
            "look wrong, choose the encoding in the connection."
        )
    paths = [path for path, shape in shapes.items() if shape.against]
    if paths:
        named = shapes[paths[0]].against
        return (
            f"{_which(paths)} UTF-8 to all appearance, and read as {named} because the connection says so. If letters "
            "look wrong, keep files of other encodings in folders of their own."
        )
    return ""


def _which(paths: Sequence[str]) -> str:
    return f"The file {paths[0]} is" if len(paths) == 1 else f"The file {paths[0]} and {len(paths) - 1:,} more are"


def _info(form: Format, field: pa.Field, doubt: str, *, everywhere: bool) -> ColumnInfo:
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
        doubt=doubt,
    )


def _wider(one: pa.Field, other: pa.Field) -> pa.Field:
    """A field that holds the values of both; text where no other type does."""
    nullable = one.nullable or other.nullable
    if one.type == other.type:
        return one.with_nullable(nullable)
    if {one.type, other.type} == {pa.date32(), pa.timestamp("ms")}:
        return pa.field(one.name, pa.timestamp("ms"), nullable)
    decimal = _decimal_of_both(one.type, other.type)
    if decimal is not None:
        return pa.field(one.name, decimal, nullable)
    try:
        both = pa.unify_schemas([pa.schema([one]), pa.schema([other])], promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return pa.field(one.name, pa.string(), nullable)
    return both.field(0).with_nullable(nullable)


def _decimal_of_both(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    """A decimal of as many digits on either side of the point as both types may have, of which one is a decimal.

    None where that is not the case, or no decimal has so many.
    """
    sides = [_digits(kind) for kind in (one, other)]
    if not (pa.types.is_decimal(one) or pa.types.is_decimal(other)) or None in sides:
        return None
    before, after = (max(numbers) for numbers in zip(*(side for side in sides if side is not None), strict=True))
    if before + after > _MOST_DIGITS:
        return None
    return (
        pa.decimal128(before + after, after) if before + after <= _DIGITS_128 else pa.decimal256(before + after, after)
    )


def _digits(kind: pa.DataType) -> tuple[int, int] | None:
    """Digits before and after the point that numbers of a type may have; None of what has no such end."""
    if pa.types.is_decimal(kind):
        return max(0, kind.precision - kind.scale), max(0, kind.scale)
    return (_DIGITS_OF_INTEGERS[kind], 0) if kind in _DIGITS_OF_INTEGERS else None
