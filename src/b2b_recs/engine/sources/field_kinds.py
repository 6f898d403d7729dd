"""What a field of documents is, by the kinds of values it was seen with: a column, and the rule of its type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from b2b_recs.engine.schema.types import Confidence, WarehouseType
from b2b_recs.engine.sources.contract import ColumnInfo
from b2b_recs.engine.sources.rules import TypeRule

_W = WarehouseType
# The field every document has, which is its key.
ID = "_id"
MIXED_NUMBERS = TypeRule(
    _W.FLOAT64,
    "Whole numbers and binary fractions.",
    Confidence.MEDIUM,
    "Whole numbers beyond 9,007,199,254,740,992 that do not fit are kept among the rejected rows.",
)
_MIXED = TypeRule(
    _W.STRING,
    "Values of several types, each kept as its text.",
    Confidence.LOW,
    "The number 12 and the text “12” become the same.",
)
_EMPTY = TypeRule(
    _W.STRING,
    "No document looked at has a value in this field.",
    Confidence.LOW,
    "Check that text is what is wanted.",
)
_OR = " or "


def kinds_in(source_type: str) -> frozenset[str]:
    """The kinds a column's source type lists, such as ``integer or string``."""
    return frozenset(source_type.split(_OR)) if source_type else frozenset()


@dataclass(frozen=True, slots=True)
class FieldKinds:
    """The kinds of values that one database of documents has.

    ``rules`` by kind; ``mixtures`` are sets of kinds with the rule of a field whose kinds are all in one, tried in this
    order; ``moment`` is the kind of times; ``identity`` that of ``_id`` where none was seen, and always so with
    ``one_identity``; ``nulls`` are the kinds that are no value.
    """

    rules: Mapping[str, TypeRule]
    mixtures: Sequence[tuple[frozenset[str], TypeRule]]
    moment: str
    identity: str
    one_identity: bool = False
    nulls: frozenset[str] = frozenset({"null"})

    def column(self, name: str, counts: Mapping[str, int]) -> ColumnInfo:
        """A field as a column, by how often each kind was seen in it; the most frequent is named first."""
        seen = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        source_type = _OR.join(kind for kind, _ in seen if kind not in self.nulls)
        if name == ID and (self.one_identity or not source_type):
            source_type = self.identity
        return ColumnInfo(
            name,
            source_type,
            nullable=name != ID,
            key_position=1 if name == ID else None,
            is_time=source_type == self.moment,
            base_type=source_type.split(_OR)[0],
            guessed=True,
            tells_json=False,
        )

    def rule(self, column: ColumnInfo) -> TypeRule:
        """The rule of a field, by every kind of value it was seen with."""
        kinds = kinds_in(column.source_type)
        if not kinds:
            return _EMPTY
        if len(kinds) == 1:
            return self.rules.get(next(iter(kinds)), _MIXED)
        return next((rule for together, rule in self.mixtures if kinds <= together), _MIXED)
