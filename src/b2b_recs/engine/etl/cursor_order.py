"""Whether a source puts the values of a cursor in the order that the warehouse has them in."""

from __future__ import annotations

from dataclasses import replace

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.etl.cursor import NUMBER_TYPES, TIME_TYPES
from b2b_recs.engine.etl.drift import Layout
from b2b_recs.engine.schema.types import ColumnMapping, Confidence, WarehouseType

_AS_TEXT = (
    "{} is kept as text, so as a cursor it has no lag: rows that were committed late are not found, and one dated in "
    "the future hides what comes after it."
)


def with_order(layout: Layout, cursor: ColumnMapping, proposed: ColumnMapping) -> Layout:
    """The layout, with a warning where a cursor is a time or a number in the source alone. Raises BadInput."""
    refuse_misordered(cursor, proposed)
    if cursor.warehouse_type is WarehouseType.STRING and proposed.warehouse_type in (*TIME_TYPES, *NUMBER_TYPES):
        return replace(layout, warnings=(*layout.warnings, _AS_TEXT.format(cursor.name)))
    return layout


def refuse_misordered(cursor: ColumnMapping, proposed: ColumnMapping) -> None:
    """Raise BadInput for a cursor that is text in the source and becomes something else in another order.

    As text 999 comes after 1000, and 31/01 after 05/02: later rows would lie before a cursor and never be read.
    ``proposed`` is what the source itself makes of the column.
    """
    if proposed.warehouse_type is not WarehouseType.STRING or proposed.confidence is Confidence.LOW:
        return
    number = cursor.warehouse_type in NUMBER_TYPES
    if not number and not (
        cursor.warehouse_type in TIME_TYPES and cursor.format and not cursor.format.startswith("%Y")
    ):
        return
    what = "numbers" if number else "dates that do not begin with the year"
    raise BadInput(
        f"The column {cursor.name} is text in the source and holds {what}, which are not in order there.",
        advice="Choose another column as the cursor, or load the table as a catalog.",
        field="cursor",
    )
