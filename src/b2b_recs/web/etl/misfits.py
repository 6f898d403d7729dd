"""How many of the sampled values a type chosen by hand would reject; what was seen is kept in few words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation

from pydantic import BaseModel, Field

from b2b_recs.engine.schema.looks import NUMBERS, Look, look
from b2b_recs.engine.schema.number_formats import NUMBER_FORMATS, ways_to_write
from b2b_recs.engine.schema.types import ColumnMapping, Mode, WarehouseType, digits

LONGEST = 40
_TIMES = {
    WarehouseType.DATE: frozenset({Look.DATE}),
    WarehouseType.DATETIME: frozenset({Look.DATE, Look.WALL}),
    WarehouseType.TIMESTAMP: frozenset({Look.MOMENT}),
}
_DECIMALS = (WarehouseType.NUMERIC, WarehouseType.BIGNUMERIC)
_NUMBERS = (*_DECIMALS, WarehouseType.FLOAT64, WarehouseType.INT64)
_ANY_NUMBER = NUMBERS | {Look.OTHERWISE}
CLOCK = "times of day"  # a look that no type is proposed for
_CLOCK = re.compile(r"\s*([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?\s*")
# What is no JSON, unless it stands in quotation marks.
_NO_JSON = frozenset({Look.TEXT, Look.DATE, Look.WALL, Look.MOMENT, Look.FORMATTED, Look.OTHERWISE, CLOCK})


class SeenValues(BaseModel):
    """Sampled values that look alike."""

    look: str = Field(description="What they look like, in words.")
    decimals: int = Field(description="Digits after the point, of numbers.")
    count: int
    example: str


class Refused(BaseModel):
    """Sampled values that a run would reject."""

    count: int
    example: str


def refused_by_type(refused: Mapping[WarehouseType, Sequence[str]] | None) -> dict[str, Refused] | None:
    """How many sampled values each type would reject, with one of them."""
    if refused is None:
        return None
    return {kind.value: Refused(count=len(them), example=them[0][:LONGEST]) for kind, them in refused.items()}


def seen_values(samples: Iterable[str | None]) -> list[SeenValues]:
    """The sampled values by what they look like, and numbers by their decimals and the ways they fit."""
    found: dict[tuple[str, int, tuple[str, ...]], SeenValues] = {}
    for value in samples:
        if value is None:
            continue
        kind = look(value)
        places = _decimals(value) if kind in NUMBERS else 0
        ways = tuple(name for name, form in NUMBER_FORMATS.items() if form.fits(value)) if kind in _ANY_NUMBER else ()
        name = CLOCK if kind is Look.TEXT and _CLOCK.fullmatch(value) else kind.value
        one = found.setdefault(
            (name, places, ways), SeenValues(look=name, decimals=places, count=0, example=value[:LONGEST])
        )
        one.count += 1
    return list(found.values())


def misfit(
    seen: Iterable[SeenValues],
    wanted: ColumnMapping,
    *,
    text: bool,
    empty: int = 0,
    refused: Mapping[str, Refused] | None = None,
) -> str:
    """How many sampled values would be rejected as ``wanted``, in words; empty where none would, or it cannot be told.

    ``text``: whether the source holds text. A format of dates is not looked into. ``empty``: how many are empty.
    ``refused``: what a run would reject by type, where that is known; digits and formats are looked into all the same.
    """
    seen = list(seen)
    out: Sequence[SeenValues | Refused]
    if refused is not None and not wanted.format and wanted.precision is None:
        out = [refused[wanted.warehouse_type]] if wanted.warehouse_type in refused else []
    else:
        out = [one for one in seen if _rejects(one, wanted, text=text or refused is not None)]
    count, total = sum(one.count for one in out), sum(one.count for one in seen)
    told = []
    if out:
        example = f"“{out[0].example}”" if out[0].example else "empty text"
        told.append(f"{count:,} of {total:,} sampled values would be rejected, such as {example}.")
        if way := _way(seen, wanted):
            told.append(f"The numbers are read in the format {way}.")
    if empty and wanted.mode is Mode.REQUIRED:
        told.append(f"{empty:,} of {total + empty:,} sampled values are empty and would be rejected.")
    return " ".join(told)


def misfits_in_words(told: Mapping[str, str]) -> str:
    """What is told of several columns, by name, in one line."""
    return " ".join(f"“{name}”: {words}" for name, words in told.items())


def _way(seen: Sequence[SeenValues], wanted: ColumnMapping) -> str:
    """The format in which all that looks like numbers is written, where values prove one and it is not chosen yet."""
    examples = [one.example for one in seen if one.look in _ANY_NUMBER]
    if wanted.warehouse_type not in _NUMBERS or not any(one.look == Look.OTHERWISE for one in seen):
        return ""
    ways = ways_to_write(examples)
    found = ways.formats[0].name if ways is not None and ways.proof is not None else ""
    return found if found != wanted.format else ""


def _rejects(one: SeenValues, wanted: ColumnMapping, *, text: bool) -> bool:
    kind, number = wanted.warehouse_type, one.look in NUMBERS
    if wanted.format:
        form = NUMBER_FORMATS.get(wanted.format)
        return form is not None and len(one.example) < LONGEST and not form.fits(one.example)
    if kind in _TIMES:
        return text and one.look not in _TIMES[kind]
    if kind is WarehouseType.FLOAT64:
        return text and not number
    if kind is WarehouseType.INT64:
        return one.decimals > 0 if number else text
    if kind is WarehouseType.TIME:
        return text and not _CLOCK.fullmatch(one.example)
    if kind is WarehouseType.BOOL:
        return text and one.look not in (Look.BOOL, Look.WHOLE)
    if kind is WarehouseType.JSON:
        return text and one.look in _NO_JSON and not one.example.startswith('"')
    if kind in _DECIMALS:
        return one.decimals > digits(wanted)[1] if number else text
    return False


def _decimals(value: str) -> int:
    """Digits after the point that say something: one of 12.50."""
    try:
        exponent = Decimal(value).normalize().as_tuple().exponent
    except InvalidOperation:
        return 0
    return max(0, -exponent) if isinstance(exponent, int) else 0
