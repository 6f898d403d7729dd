"""What the values of a text column look like: dates, moments, numbers, yes or no, JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from b2b_recs.engine.counting import percent
from b2b_recs.engine.quoted import quoted
from b2b_recs.engine.schema.formats import FORMATS, formats_of
from b2b_recs.engine.schema.looks import BOOL_PAIRS, DATES, NUMBERS, Look, look
from b2b_recs.engine.schema.number_formats import (
    BLANKS,
    LEADING_ZERO,
    SEEN_FORMATS,
    may_be_thousands,
    ways_to_write,
)
from b2b_recs.engine.schema.types import Confidence, WarehouseType

# Fewer values than this say too little to change a column's type.
ENOUGH = 200
_MOSTLY = 0.9
_COMPACT = "%Y%m%d"
_LIKELY_YEARS = range(1900, 2101)
_REJECTED = "Values that are not will be kept among the rejected rows."
_FEW = "Few values were seen; others will be kept among the rejected rows."
_CODES = "Choose STRING if they are codes."

_TYPES = {
    Look.DATE: WarehouseType.DATE,
    Look.WALL: WarehouseType.DATETIME,
    Look.MOMENT: WarehouseType.TIMESTAMP,
    Look.WHOLE: WarehouseType.INT64,
    Look.DECIMAL: WarehouseType.NUMERIC,
    Look.BOOL: WarehouseType.BOOL,
    Look.JSON: WarehouseType.JSON,
}


@dataclass(frozen=True, slots=True)
class Detection:
    """What most sampled values look like.

    ``proposed`` says whether the column's type should follow, read in ``format`` when there is one; otherwise the
    column stays text and ``warning`` tells what was seen.
    """

    warehouse_type: WarehouseType
    share: float
    confidence: Confidence
    reason: str
    warning: str
    proposed: bool
    format: str = ""


def detect(
    samples: Sequence[str | None],
    *,
    text_only: bool = False,
    formats: bool = True,
    json: bool = True,
    codes: str = "",
) -> Detection | None:
    """What the values look like, None when they are plain text or too few.

    What every value agrees on is proposed, numbers in another format than 1234.56 only when some value says what its
    signs stand for. Where whoever made the table could have chosen another type than text, it takes ``ENOUGH`` values;
    ``text_only`` is for sources that have no types. There are also columns in which numbers are ``codes``, whose type
    has to stay what it is in other tables: they stay text, and ``codes`` says why. Values that begin with zeros keep a
    column text always. ``formats`` says whether the source reads dates in another order than ISO 8601, ``json``
    whether it tells text that is JSON from other text.
    """
    values = [value for value in samples if value is not None]
    if not any(values):
        return None
    if any(LEADING_ZERO.fullmatch(value) for value in values):
        return _hint(WarehouseType.STRING, "Some values begin with zeros that a number would lose; kept as text.")
    looks = Counter(map(look, values))
    seen = _Seen(values, looks, text_only, formats, json, codes)
    return _agreed(seen) or _numbers_otherwise(seen) or _mixed(seen) or _mostly(seen)


@dataclass(frozen=True, slots=True)
class _Seen:
    """The values, what they look like and how often, and what the source can do."""

    values: list[str]
    looks: Counter[Look]
    text_only: bool
    formats: bool
    json: bool
    codes: str

    @property
    def all(self) -> str:
        return f"All {len(self.values):,} sampled values are"

    @property
    def enough(self) -> bool:
        return len(self.values) >= ENOUGH

    @property
    def may(self) -> bool:
        """Whether enough was seen for another type than text."""
        return self.text_only or self.enough

    @property
    def kept(self) -> str:
        """Why numbers stay text, empty when they may become numbers."""
        if self.codes and not self.text_only:
            return f"kept as text because {self.codes}"
        return "" if self.may else "too few to change the type, kept as text"

    def only(self, *kinds: Look) -> bool:
        return sum(self.looks[kind] for kind in kinds) == len(self.values)


def _agreed(seen: _Seen) -> Detection | None:
    """The verdict when every value looks the same."""
    if seen.only(Look.FORMATTED):
        return _formatted(seen)
    if seen.only(Look.WHOLE):
        return _compact_dates(seen) or _number(seen, Look.WHOLE)
    if seen.only(*NUMBERS):
        return _decimals(seen)
    if seen.only(*NUMBERS, Look.OTHERWISE):
        return _formatted_numbers(seen)
    if seen.only(Look.BOOL):
        return _words(seen)
    for kind in (Look.DATE, Look.WALL, Look.MOMENT):
        if seen.only(kind):
            return _time(seen, _TYPES[kind], kind.value)
    if seen.only(Look.JSON):
        if seen.may and seen.json:
            return _proposed(seen, WarehouseType.JSON, f"{seen.all} {Look.JSON}.")
        why = "too few to change the type, " if seen.json else ""
        return _hint(WarehouseType.JSON, f"{seen.all} {Look.JSON}; {why}kept as text.")
    return None


def _time(seen: _Seen, kind: WarehouseType, what: str, name: str = "") -> Detection:
    if seen.may:
        return _proposed(seen, kind, f"{seen.all} {what}.", name)
    return _hint(kind, f"{seen.all} {what}; too few to change the type, kept as text.")


def _formatted(seen: _Seen) -> Detection:
    fits = _fits(seen.values)
    whole = [name for name, count in fits.items() if count == len(seen.values)]
    if not whole:
        return _told(f"{_counts(seen)}; kept as text.", "The values are not written in one way.")
    if len(whole) > 1:
        return _told(
            f"{seen.all} dates whose day and month cannot be told apart; kept as text.",
            f"They fit {' and '.join(FORMATS[name].shown for name in whole)}.",
        )
    form = FORMATS[whole[0]]
    kind = WarehouseType.DATETIME if form.has_time else WarehouseType.DATE
    if not seen.formats:
        return _hint(kind, f"{seen.all} dates written {form.shown}; kept as text.")
    return _time(seen, kind, f"dates written {form.shown}", form.name)


def _compact_dates(seen: _Seen) -> Detection | None:
    """Dates written as eight digits; only many values say that they are no numbers."""
    if not seen.enough or not all(len(value) == 8 and int(value[:4]) in _LIKELY_YEARS for value in seen.values):
        return None
    if any(_COMPACT not in formats_of(value) for value in seen.values):
        return None
    what = f"dates written {FORMATS[_COMPACT].shown}"
    if not seen.formats or seen.kept:
        return _hint(
            WarehouseType.DATE, f"{seen.all} {what}; {seen.kept or 'kept as text because whole numbers look alike'}."
        )
    return _proposed(seen, WarehouseType.DATE, f"{seen.all} {what}.", _COMPACT)


def _number(seen: _Seen, kind: Look) -> Detection:
    found = _TYPES[kind]
    if kind is Look.WHOLE and _is_long(seen.values):
        found = WarehouseType.NUMERIC
    if seen.kept:
        return _hint(found, f"{seen.all} {kind}; {seen.kept}.")
    return _numbers(seen, found, f"{seen.all} {kind}.")


def _decimals(seen: _Seen) -> Detection:
    if not may_be_thousands(seen.values):
        return _number(seen, Look.DECIMAL)
    example = next(value for value in seen.values if "." in value)
    return _told(
        f"{seen.all} numbers in which a point may stand before decimals or between thousands, such as "
        f"{quoted(example)}; kept as text.",
        "Choose NUMERIC, and the format 1.234,56 as well where the point stands between thousands.",
    )


def _formatted_numbers(seen: _Seen) -> Detection | None:
    """Numbers of which some are written otherwise than 1234.56, when all are written in one way."""
    ways = ways_to_write(seen.values)
    if ways is None:
        return None
    if ways.proof is None:
        example = next(value for value in seen.values if "," in value or "." in value)
        one, other = (next(form.name for form in ways.formats if form.decimal == sign) for sign in ",.")
        return _told(
            f"{seen.all} numbers in which a comma may stand before decimals or between thousands, such as "
            f"{quoted(example)}; kept as text.",
            f"Choose the format {one} or {other}.",
        )
    form = ways.formats[0]
    plain = [form.plain(value) for value in seen.values]
    whole = not any(set(value) & set(".eE") for value in plain)
    if whole and form.thousands == BLANKS:
        return _told(
            f"{seen.all} digits in groups of three, such as {quoted(ways.proof)}; kept as text because codes look "
            "alike.",
            f"If they are numbers, choose the format {form.name}.",
        )
    found = WarehouseType.INT64 if whole and not _is_long(plain) else WarehouseType.NUMERIC
    what = f"numbers written {form.name}, such as {quoted(ways.proof)}"
    if seen.kept:
        return _hint(found, f"{seen.all} {what}; {seen.kept}.")
    return _numbers(seen, found, f"{seen.all} {what}.", form.name)


def _is_long(whole: Sequence[str]) -> bool:
    """Whether any of these whole numbers needs more than 64 bits."""
    return any(not -(2**63) <= int(value) < 2**63 for value in whole)


def _words(seen: _Seen) -> Detection:
    words = {value.lower() for value in seen.values}
    pair = next((pair for pair in BOOL_PAIRS if words <= pair), None)
    if pair is None:
        return _hint(WarehouseType.BOOL, f"{seen.all} {Look.BOOL} of several kinds; kept as text.")
    if len(words) == 1 and words != {"true"} and words != {"false"}:
        return _hint(
            WarehouseType.BOOL, f"{seen.all} {quoted(seen.values[0])}; kept as text because a code looks alike."
        )
    if not seen.may:
        return _hint(WarehouseType.BOOL, f"{seen.all} {Look.BOOL}; too few to change the type, kept as text.")
    return _proposed(seen, WarehouseType.BOOL, f"{seen.all} {' or '.join(sorted(words, reverse=True))}.")


def _numbers_otherwise(seen: _Seen) -> Detection | None:
    """Numbers of which some are written otherwise than 1234.56, and not all in one way."""
    kinds = NUMBERS | {Look.OTHERWISE}
    numbers = [value for value in seen.values if look(value) in kinds]
    if not seen.looks[Look.OTHERWISE] or len(numbers) / len(seen.values) < _MOSTLY:
        return None
    fits = {name: sum(map(form.fits, numbers)) for name, form in SEEN_FORMATS.items()}
    most = max(fits, key=lambda name: fits[name])
    return _told(
        f"{len(numbers):,} of {len(seen.values):,} sampled values are numbers, {fits[most]:,} of them written {most}; "
        "kept as text.",
        _others(seen, kinds) or "The values are not written in one way.",
    )


def _mixed(seen: _Seen) -> Detection | None:
    """Dates written in several ways."""
    kinds = [kind for kind in DATES if seen.looks[kind]]
    dates = sum(seen.looks[kind] for kind in kinds)
    if dates / len(seen.values) < _MOSTLY or (len(kinds) == 1 and Look.FORMATTED not in kinds):
        return None
    return _told(f"{_counts(seen)}; kept as text.", _others(seen, DATES) or "The values are not written in one way.")


def _mostly(seen: _Seen) -> Detection | None:
    """What most values look like when others disagree."""
    for kinds in ({Look.DATE}, {Look.WALL}, {Look.MOMENT}, {Look.WHOLE}, NUMBERS, {Look.BOOL}, {Look.JSON}):
        share = sum(seen.looks[kind] for kind in kinds) / len(seen.values)
        if share >= _MOSTLY:
            kind = Look.DECIMAL if len(kinds) > 1 else next(iter(kinds))
            reason = f"{percent(share)} of {len(seen.values):,} sampled values are {kind}; kept as text."
            return Detection(_TYPES[kind], share, Confidence.LOW, reason, _others(seen, kinds), False)
    return None


def _others(seen: _Seen, kinds: set[Look] | frozenset[Look]) -> str:
    other = next((value for value in seen.values if look(value) not in kinds), None)
    if other is None:
        return ""
    return f"Other values disagree, such as {quoted(other, 40)}." if other else "Other values are empty text."


def _counts(seen: _Seen) -> str:
    """How many values are dates in which form, the most frequent first."""
    fits = _fits(seen.values)
    shown: Counter[str] = Counter()
    for value in seen.values:
        kind = look(value)
        if kind is Look.FORMATTED:
            shown[f"written {FORMATS[max(formats_of(value), key=lambda name: fits[name])].shown}"] += 1
        elif kind in DATES:
            shown[kind.removeprefix("dates ")] += 1
    (first, most), *rest = shown.most_common()
    also = "".join(f", {count:,} {form}" for form, count in rest)
    return f"{most:,} of {len(seen.values):,} sampled values are dates {first}{also}"


def _fits(values: Sequence[str]) -> Counter[str]:
    """How many values each format fits."""
    return Counter(name for value in values for name in formats_of(value))


def _proposed(seen: _Seen, kind: WarehouseType, reason: str, name: str = "") -> Detection:
    if seen.enough:
        return Detection(kind, 1.0, Confidence.MEDIUM, reason, _REJECTED, True, name)
    return Detection(kind, 1.0, Confidence.LOW, reason, _FEW, True, name)


def _numbers(seen: _Seen, kind: WarehouseType, reason: str, name: str = "") -> Detection:
    """Numbers as they are proposed; where the table could have said so itself, they may be codes."""
    found = _proposed(seen, kind, reason, name)
    return found if seen.text_only else replace(found, warning=f"{_CODES} {found.warning}")


def _hint(kind: WarehouseType, reason: str) -> Detection:
    return Detection(kind, 1.0, Confidence.MEDIUM, reason, "", False)


def _told(reason: str, warning: str) -> Detection:
    return Detection(WarehouseType.STRING, 1.0, Confidence.LOW, reason, warning, False)
