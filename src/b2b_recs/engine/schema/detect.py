"""What the values of a text column look like: dates, moments, numbers, yes or no."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from b2b_recs.engine.schema.types import Confidence, WarehouseType

# Fewer values than this say too little to change a column's type.
ENOUGH = 200
_MOSTLY = 0.9

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DATETIME = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}(\.\d{1,6})?")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}(:?\d{2})?)")
_WHOLE = re.compile(r"-?(0|[1-9]\d{0,17})")
_DECIMAL = re.compile(r"-?(0|[1-9]\d{0,28})\.\d{1,9}")
_LEADING_ZERO = re.compile(r"-?0\d+")
_BOOLS = frozenset({"true", "false", "t", "f", "yes", "no", "y", "n"})


@dataclass(frozen=True, slots=True)
class Detection:
    """What most sampled values look like.

    ``proposed`` says whether the column's type should follow; otherwise the column stays text and ``warning`` tells
    what was seen.
    """

    warehouse_type: WarehouseType
    share: float
    confidence: Confidence
    reason: str
    warning: str
    proposed: bool


def detect(samples: Sequence[str | None]) -> Detection | None:
    """What the values look like, None when they are plain text or too few.

    Only dates and times that every value agrees on are proposed as such. Numbers and yes-or-no words stay text, with a
    hint: codes made of digits look the same, and one that joins with another table must keep its type.
    """
    values = [value for value in samples if value is not None]
    if not any(values):
        return None
    if any(_LEADING_ZERO.fullmatch(value) for value in values):
        return _hint(WarehouseType.STRING, 1.0, "Some values begin with zeros that a number would lose; kept as text.")
    for warehouse_type, what, test in _TESTS:
        share = sum(map(test, values)) / len(values)
        if share < _MOSTLY:
            continue
        return _verdict(warehouse_type, what, share, values, test)
    return None


def _verdict(kind: WarehouseType, what: str, share: float, values: list[str], test: Callable[[str], bool]) -> Detection:
    if share < 1.0:
        other = next(value for value in values if not test(value))
        return Detection(
            kind, share, Confidence.LOW, f"{share:.1%} of {len(values):,} sampled values are {what}; kept as text.",
            f"Other values disagree, such as {other[:40]!r}.", False,
        )  # fmt: skip
    if kind in _TIMES and len(values) >= ENOUGH:
        return Detection(
            kind, share, Confidence.MEDIUM, f"All {len(values):,} sampled values are {what}.",
            "Values that are not will be kept among the rejected rows.", True,
        )  # fmt: skip
    return _hint(kind, share, f"All {len(values):,} sampled values are {what}; kept as text because codes look alike.")


def _hint(kind: WarehouseType, share: float, reason: str) -> Detection:
    return Detection(kind, share, Confidence.MEDIUM, reason, "", False)


def _is_date(value: str) -> bool:
    return bool(_DATE.fullmatch(value)) and _parses(date.fromisoformat, value)


def _is_datetime(value: str) -> bool:
    return bool(_DATETIME.fullmatch(value)) and _parses(datetime.fromisoformat, value[:19])


def _is_moment(value: str) -> bool:
    return bool(_MOMENT.fullmatch(value)) and _parses(datetime.fromisoformat, value[:19])


def _parses(parse: Callable[[str], object], value: str) -> bool:
    try:
        parse(value)
    except ValueError:
        return False
    return True


_TIMES = frozenset({WarehouseType.DATE, WarehouseType.DATETIME, WarehouseType.TIMESTAMP})
_TESTS: tuple[tuple[WarehouseType, str, Callable[[str], bool]], ...] = (
    (WarehouseType.DATE, "dates written YYYY-MM-DD", _is_date),
    (WarehouseType.DATETIME, "dates with a time and no zone", _is_datetime),
    (WarehouseType.TIMESTAMP, "dates with a time and a zone", _is_moment),
    (WarehouseType.INT64, "whole numbers", lambda value: bool(_WHOLE.fullmatch(value))),
    (
        WarehouseType.NUMERIC,
        "decimals",
        lambda value: bool(_DECIMAL.fullmatch(value) or _WHOLE.fullmatch(value)),
    ),
    (WarehouseType.BOOL, "yes or no words", lambda value: value.lower() in _BOOLS),
)
