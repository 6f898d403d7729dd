"""Sampled values, as they are shown, put to the conversion of a run."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.schema.types import ColumnMapping, Mode, WarehouseType
from b2b_recs.engine.sources.contract import ColumnInfo, ReadRequest
from b2b_recs.engine.sources.sqlite.reading import batch_of
from b2b_recs.engine.sources.sqlite.select import SAMPLE_CHARACTERS
from b2b_recs.engine.sources.sqlite.types import Affinity, affinity

_BYTES = re.compile(r"X'((?:[0-9A-F]{2})*)'")
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,18}")
_FRACTION = re.compile(r"-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?")
_NUMBERS = (Affinity.INTEGER, Affinity.REAL, Affinity.NUMERIC)
# Types that a long value may become, which is not seen as a whole.
_LONG = (WarehouseType.STRING, WarehouseType.BYTES, WarehouseType.JSON, WarehouseType.GEOGRAPHY)
_PLACE = ColumnMapping("place", "INTEGER", WarehouseType.INT64)


def refused_samples(
    column: ColumnInfo, samples: Sequence[str | None], wanted: ColumnMapping, time_zone: str
) -> list[str] | None:
    """The values that a run would reject as the wanted type; nothing is said of what only a value's end could tell.

    None for columns that prefer text, whose values are told apart by their look.
    """
    kind = affinity(column.source_type)
    if kind is Affinity.TEXT:
        return None
    longest = SAMPLE_CHARACTERS - (wanted.warehouse_type in _LONG)
    amounts = Counter(text for text in samples if text is not None and len(text) <= longest)
    shown = list(amounts)
    request = ReadRequest("", "", (replace(wanted, name="value", mode=Mode.NULLABLE), _PLACE), time_zone=time_zone)
    try:
        batch = batch_of([(_stored(text, kind), at) for at, text in enumerate(shown)], request) if shown else None
    except BadInput:
        return list(amounts.elements())
    refused = [shown[int(one.row[_PLACE.name] or 0)] for one in batch.rejected] if batch is not None else []
    return [text for text in refused for _ in range(amounts[text])]


def _stored(text: str, kind: Affinity) -> str | bytes | int | float:
    """What a value was before it was shown: columns that prefer numbers keep none as text."""
    if (found := _BYTES.fullmatch(text)) is not None:
        return bytes.fromhex(found[1])
    if kind not in _NUMBERS:
        return text
    if _WHOLE.fullmatch(text) and -(2**63) <= int(text) < 2**63:
        return int(text)
    return float(text) if ("." in text or "e" in text) and _FRACTION.fullmatch(text) else text
