"""Columns found by name, and as the text, number or time that a role needs."""

from __future__ import annotations

from typing import Any

import ibis

from b2b_recs.engine.errors import BadInput

_EXACT = 2.0**63
Column = Any  # an ibis column expression; the library carries no types
Table = Any


def column_of(table: Table, name: str, field: str, what: str) -> Column:
    """The column of that name. Raises BadInput saying ``what`` was looked for and which columns there are."""
    if name in table.columns:
        return table[name]
    raise BadInput(
        f"{what} “{name}” does not exist.", field=field, advice=f"The columns are: {', '.join(table.columns)}."
    )


def as_text(column: Column, name: str, field: str) -> Column:
    """The column as text, unchanged when it is text; NULL for an empty one.

    A whole number stored with decimals (12346.0, numeric ids) is written without them. Raises BadInput for a column
    that has no text form to recognise something by.
    """
    kind = column.type()
    if kind.is_string():
        text = column
    elif kind.is_decimal() and not kind.scale:
        text = column.cast("string")
    elif kind.is_decimal():
        text = column.cast("string").re_replace(r"\.0+$", "")
    elif kind.is_floating():
        # through an integer where that is exact, so that no id is written as 1e+16
        whole = (column == column.floor()) & (column.abs() < _EXACT)
        text = ibis.cases(
            (column.isnan(), None), (whole, column.try_cast("int64").cast("string")), else_=column.cast("string")
        )
    elif kind.is_integer() or kind.is_temporal() or kind.is_boolean() or kind.is_uuid():
        text = column.cast("string")
    else:
        raise BadInput(f"“{name}” is {kind} and cannot be read as text.", field=field, advice="Choose another column.")
    return text.nullif("")


def as_number(column: Column, name: str, field: str) -> Column:
    """The column as float64. Raises BadInput when it is not a number."""
    if not column.type().is_numeric() or column.type().is_boolean():
        raise BadInput(
            f"“{name}” is {column.type()}, not a number.",
            field=field,
            advice="Choose a column with numbers, or map this one to a number in its job.",
        )
    return column.cast("float64")


def as_time(column: Column, name: str, field: str) -> Column:
    """The column as a time, a date as its midnight. Raises BadInput when it is neither."""
    kind = column.type()
    if kind.is_date():
        return column.cast("timestamp")
    if not kind.is_timestamp():
        raise BadInput(
            f"“{name}” is {kind}, not a time.",
            field=field,
            advice="Choose a column with dates or times, or map this one to a time in its job.",
        )
    return column
