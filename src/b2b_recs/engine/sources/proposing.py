"""The warehouse type proposed for every column, from a source's table of types and from sampled values.

How a source uses it: it keeps ``RULES``, a ``TypeRule`` for every type its vendor documents, and sets ``rules =
RULES`` on its ``SourceType``, from which docs/types.md is written. A function of its own finds the rule of one
column, and ``propose`` answers ``propose_columns(columns, samples, rule_for)``. A source that knows Arrow types uses
``arrow_rule`` and ``arrow_name`` of ``arrow_types``; one that knows nothing but text passes ``text_only=True``, and
gives None among the samples where an empty text stands for nothing. One that casts on its server instead of with
``casting.cast_batch`` passes ``formats=False``: dates in another order than ISO 8601 then stay text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from b2b_recs.engine.schema.codes import why_codes
from b2b_recs.engine.schema.detect import Detection, detect
from b2b_recs.engine.schema.number_formats import NUMBER_FORMATS
from b2b_recs.engine.schema.types import ColumnMapping, Mode, WarehouseType
from b2b_recs.engine.sources.decimals import decimal_rule, sampled_decimal_rule
from b2b_recs.engine.sources.rules import TypeRule

if TYPE_CHECKING:
    from b2b_recs.engine.sources.contract import ColumnInfo

__all__ = ["TypeRule", "propose_columns"]

_LARGE_TEXT = 100_000


def propose_columns(
    columns: Sequence[ColumnInfo],
    samples: Mapping[str, Sequence[str | None]],
    rule_for: Callable[[ColumnInfo], TypeRule],
    *,
    text_only: bool = False,
    formats: bool = True,
) -> list[ColumnMapping]:
    """One mapping per column, in the same order; only columns named in ``samples`` are looked into."""

    def look(column: ColumnInfo) -> Detection | None:
        return detect(
            samples.get(column.name, ()),
            text_only=text_only,
            formats=formats,
            json=column.tells_json,
            codes=why_codes(column.name, column.key_position),
        )

    return [_propose(column, rule_for(column), samples.get(column.name, ()), look) for column in columns]


def _propose(
    column: ColumnInfo,
    rule: TypeRule,
    samples: Sequence[str | None],
    look: Callable[[ColumnInfo], Detection | None],
) -> ColumnMapping:
    form = ""
    if rule.family == "text":
        rule, form = _text(rule, samples, lambda: look(column))
    elif rule.family == "decimal" and column.precision is not None:
        rule = decimal_rule(rule, column.precision, column.scale or 0)
    elif rule.family == "decimal":
        rule = sampled_decimal_rule(rule, samples)
    return ColumnMapping(
        name=column.name,
        source_type=column.source_type,
        warehouse_type=rule.warehouse,
        mode=Mode.NULLABLE if column.nullable else Mode.REQUIRED,
        precision=rule.digits[0] if rule.digits else None,
        scale=rule.digits[1] if rule.digits else None,
        confidence=rule.confidence,
        reason=rule.reason,
        warning=rule.warning,
        format=form,
    )


def _text(rule: TypeRule, samples: Sequence[str | None], look: Callable[[], Detection | None]) -> tuple[TypeRule, str]:
    """The rule of a text column once its values are looked into, and the format it is written in."""
    longest = max((len(text) for text in samples if text is not None), default=0)
    if longest >= _LARGE_TEXT:
        warning = f"Values reach {longest:,} characters; leave the column out unless needed."
        return replace(rule, warning=warning), ""
    found = look()
    if found is None:
        return rule, ""
    seen = replace(rule, confidence=found.confidence, reason=found.reason, warning=found.warning or rule.warning)
    if not found.proposed:
        return seen, ""
    if found.warehouse_type is WarehouseType.NUMERIC:
        return _numbers(seen, samples, found.format)
    return replace(seen, warehouse=found.warehouse_type), found.format


def _numbers(seen: TypeRule, samples: Sequence[str | None], name: str) -> tuple[TypeRule, str]:
    """The decimals that hold the numbers seen in text, with the format they are written in; text where none does."""
    form = NUMBER_FORMATS.get(name)
    plain = samples if form is None else [None if text is None else form.plain(text) for text in samples]
    sized = sampled_decimal_rule(seen, plain)
    if sized.warehouse is WarehouseType.STRING:
        return sized, ""
    return replace(sized, reason=seen.reason, confidence=seen.confidence, warning=seen.warning), name
