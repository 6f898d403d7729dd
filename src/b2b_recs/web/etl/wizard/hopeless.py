"""Choices of step 4 that no row could fulfil, as far as can be told from what the source said of its column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.schema.types import ColumnMapping, Mode, WarehouseType
from b2b_recs.engine.sources.casting.choices import impossible
from b2b_recs.web.etl.proposals import ProposedColumn


def refuse_hopeless(column: ProposedColumn, chosen: Mapping[str, Any]) -> None:
    """Raise BadInput for a type no value of the column could become, and for one that must not be empty and always is.

    What the source declares as always filled is believed, whatever the sample shows.
    """
    kind = chosen["warehouse_type"]
    if kind in column.impossible:
        refusal = impossible(ColumnMapping(column.name, "", WarehouseType(kind)), column.source_type)
        raise BadInput(refusal.message, field="types", advice=refusal.advice, column=column.name)
    required = Mode.REQUIRED.value
    if chosen["mode"] == required != column.proposed.mode and column.empty and not column.seen:
        raise BadInput(
            f"“{column.name[:100]}” is empty in all {column.empty:,} sampled rows, and such rows would be rejected.",
            field="types",
            advice="Choose “may be empty”, or leave the column out in step 3.",
            column=column.name,
        )
