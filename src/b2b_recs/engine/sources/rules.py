"""What one type of a source becomes, as data: the proposal and the page about types are made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from b2b_recs.engine.schema.types import Confidence, WarehouseType


@dataclass(frozen=True, slots=True)
class TypeRule:
    """What one type of a source becomes: the warehouse type, the reason, and what to be warned of.

    ``digits`` are precision and scale of a decimal that always has the same. ``family`` says what else decides:
    "text" looks into the values, "decimal" at the column's digits or else the values, "" nothing. ``rejected`` says
    in words which values are kept among the rejected rows.
    """

    warehouse: WarehouseType
    reason: str
    confidence: Confidence = Confidence.HIGH
    warning: str = ""
    digits: tuple[int, int] | None = None
    family: str = ""
    rejected: str = ""


class TypeRow(NamedTuple):
    """One line of the page about types; ``source_type`` is Markdown."""

    source_type: str
    warehouse: WarehouseType
    confidence: Confidence
    why: str
    rejected: str


def type_rows(rules: Mapping[str, TypeRule]) -> list[TypeRow]:
    """The lines of a table of types, by name."""
    return [
        TypeRow(
            name if "`" in name or name.startswith("any ") else f"`{name}`",
            rule.warehouse,
            rule.confidence,
            f"{rule.reason} {rule.warning}".strip(),
            rule.rejected,
        )
        for name, rule in sorted(rules.items(), key=lambda item: (item[0].startswith("any "), item[0]))
    ]
