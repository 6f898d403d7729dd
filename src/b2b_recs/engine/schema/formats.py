"""Ways to write dates in text other than ISO 8601: a closed list, named as strptime names them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.quoted import quoted
from b2b_recs.engine.schema.number_formats import NUMBER_FORMATS, NumberFormat
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType

DATE_FORMATS = (
    "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d.%m.%Y", "%Y.%m.%d", "%d-%m-%Y", "%m-%d-%Y", "%Y%m%d",
)  # fmt: skip
TIME_FORMATS = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p")
# ISO 8601 itself is read without a format, but only with seconds.
_OTHERS = ("%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y%m%d%H%M%S")

_NUMBERS = (WarehouseType.NUMERIC, WarehouseType.BIGNUMERIC, WarehouseType.FLOAT64, WarehouseType.INT64)

# The parts of a format: what is shown for each, and the text it stands for.
_PARTS: dict[str, tuple[str, str]] = {
    "%Y": ("YYYY", r"(?P<Y>[0-9]{4})"),
    "%m": ("MM", r"(?P<m>0?[1-9]|1[0-2])"),
    "%d": ("DD", r"(?P<d>0?[1-9]|[12][0-9]|3[01])"),
    "%H": ("HH", r"(?P<H>[01]?[0-9]|2[0-3])"),
    "%I": ("HH", r"(?P<I>0?[1-9]|1[0-2])"),
    "%M": ("MM", r"(?P<M>[0-5][0-9])"),
    "%S": ("SS", r"(?P<S>[0-5][0-9])"),
    "%f": ("ffffff", r"(?P<f>[0-9]{1,6})"),
    "%p": ("AM/PM", r"(?P<p>[AaPp][Mm])"),
}
# Where no sign stands between the parts, each has all its digits.
_TOGETHER = {"%m": r"(?P<m>0[1-9]|1[0-2])", "%d": r"(?P<d>0[1-9]|[12][0-9]|3[01])", "%H": r"(?P<H>[01][0-9]|2[0-3])"}


@dataclass(frozen=True, slots=True)
class TextFormat:
    """One way to write dates, with a pattern that has a group for every part."""

    name: str
    shown: str
    pattern: str
    has_time: bool


def _format(name: str) -> TextFormat:
    together = "%Y%m%d" in name
    pattern, shown = "", ""
    parts: list[str] = re.findall(r"%.|.", name)
    for part in parts:
        words, group = _PARTS.get(part, (part, re.escape(part)))
        pattern += _TOGETHER.get(part, group) if together else group
        shown += words
    return TextFormat(name, shown, pattern, "%M" in name)


FORMATS: dict[str, TextFormat] = {
    name: _format(name)
    for name in (*DATE_FORMATS, *(f"{day} {clock}" for day in DATE_FORMATS for clock in TIME_FORMATS), *_OTHERS)
}


def text_format(column: ColumnMapping) -> TextFormat | NumberFormat | None:
    """The format of a column's text, None without one. Raises BadInput where it does not apply or is not known."""
    return number_format(column) if column.format in NUMBER_FORMATS else date_format(column)


def date_format(column: ColumnMapping) -> TextFormat | None:
    """The format of a column's dates, None for ISO 8601. Raises BadInput where it does not apply or is not known."""
    if not column.format:
        return None
    found = FORMATS.get(column.format)
    if found is None:
        dates, numbers = ", ".join(DATE_FORMATS), ", ".join(NUMBER_FORMATS)
        raise BadInput(
            f"Column {column.name} cannot be read in the format {quoted(column.format, 40)}.",
            advice=f"Choose one of {dates}, with or without a time such as %H:%M:%S, for dates, one of {numbers} for "
            "numbers, or none for ISO 8601 and 1234.56.",
            field=column.name,
        )
    wanted = column.warehouse_type
    if wanted is WarehouseType.DATETIME or (wanted is WarehouseType.DATE and not found.has_time):
        return found
    why = "the format has a time of day" if wanted is WarehouseType.DATE else "the format is for dates only"
    raise BadInput(
        f"Column {column.name} cannot become {wanted} with the format {found.name}: {why}.",
        advice="Choose DATETIME, or leave the format out.",
        field=column.name,
    )


def number_format(column: ColumnMapping) -> NumberFormat | None:
    """The format of a column's numbers, None for 1234.56. Raises BadInput where it does not apply or is not known."""
    if not column.format:
        return None
    found = NUMBER_FORMATS.get(column.format)
    if found is not None and column.warehouse_type in _NUMBERS:
        return found
    if found is None:
        date_format(column)
    raise BadInput(
        f"Column {column.name} cannot become {column.warehouse_type} with the format {column.format}: "
        "the format is for numbers only.",
        advice=f"Choose {', '.join(_NUMBERS)}, or leave the format out.",
        field=column.name,
    )


def refuse_format(column: ColumnMapping) -> None:
    """Raises BadInput when the mapping has a format, where what is read has no text, or a server that casts cannot."""
    if column.format:
        raise BadInput(
            f"Column {column.name} has the format {quoted(column.format, 40)}, which this source cannot read.",
            advice="Leave the format out and choose STRING, or a type the server can cast the text to.",
            field=column.name,
        )


def formats_of(text: str) -> tuple[str, ...]:
    """The names of the formats in which the text is a date that exists; day and month may fit either way round."""
    return tuple(name for name in _BY_SHAPE.get(_shape(text), ()) if _exists(FORMATS[name], text))


def _exists(form: TextFormat, text: str) -> bool:
    found = re.fullmatch(form.pattern, text)
    if found is None:
        return False
    try:
        date(int(found["Y"]), int(found["m"]), int(found["d"]))
    except ValueError:
        return False
    return True


def _shape(text: str) -> str:
    """The text with every run of digits as one 9, so that a format is found without trying them all."""
    if not text[:1].isdigit() or len(text) > 40:
        return ""
    return re.sub(r"[0-9]+", "9", text).upper().replace("AM", "PM")


def _shapes() -> Iterator[tuple[str, str]]:
    for name in FORMATS:
        yield re.sub("9+", "9", re.sub("%[YmdHIMSf]", "9", name).replace("%p", "PM")), name


_BY_SHAPE: dict[str, list[str]] = {}
for _key, _name in _shapes():
    _BY_SHAPE.setdefault(_key, []).append(_name)
