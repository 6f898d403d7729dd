"""How text writes dates or numbers, as pages show it: by an example such as 31/12/2024, not by its code."""

from __future__ import annotations

from datetime import datetime

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.schema.formats import FORMATS, formats_of
from b2b_recs.engine.schema.looks import DATES, NUMBERS, Look, look
from b2b_recs.engine.schema.number_formats import LEADING_ZERO, NUMBER_FORMATS, ways_to_write
from b2b_recs.engine.schema.types import WarehouseType

_EXAMPLE = datetime(2024, 12, 31, 14, 5, 9, 250_000)  # noqa: DTZ001 - what text writes has no zone
_CODES = {
    **{_EXAMPLE.strftime(code): code for code, one in FORMATS.items() if not one.has_time},
    **{name: name for name in NUMBER_FORMATS},
    **{_EXAMPLE.strftime(code): code for code, one in FORMATS.items() if one.has_time},
}
_TIMES = (WarehouseType.DATE, WarehouseType.DATETIME, WarehouseType.TIMESTAMP)
# How numbers are written where nothing else is said.
_USUAL = "1234.56"
_EXAMPLES = {code: example for example, code in _CODES.items()}
# What a page offers: examples, each with the names of its parts.
OFFERED = tuple((example, FORMATS[code].shown if code in FORMATS else "a number") for example, code in _CODES.items())


def example_of(code: str) -> str:
    """The example a page shows for a format; what is none stays as it was typed."""
    return _EXAMPLES.get(code, code)


def code_of(typed: str, kind: str = "") -> str:
    """The format of an example that was typed or chosen, of which any will do that is written in one way only.

    Empty for what is written as usual; anything else, a code among it, as it is. ``kind`` is the type of the column.
    """
    typed = typed.strip()
    if typed in _CODES or typed in _EXAMPLES:
        return _CODES.get(typed, typed)
    ways = _dates(typed) if kind in _TIMES else _numbers(typed) if kind else _dates(typed) or _numbers(typed)
    return ways[0] if len(ways) == 1 else typed


def _dates(typed: str) -> list[str]:
    """The formats that an example of a date fits, the usual way as the empty one."""
    return [""] if look(typed) in DATES - {Look.FORMATTED} else list(formats_of(typed))


def _numbers(typed: str) -> list[str]:
    """The formats that an example of a number fits, one for each meaning it may have; empty: as usual."""
    kind, found = look(typed), ways_to_write([typed])
    if LEADING_ZERO.fullmatch(typed):
        return [name for name, form in NUMBER_FORMATS.items() if form.zeros and form.fits(typed)][:1]
    if found is None or (kind not in NUMBERS and kind is not Look.OTHERWISE):
        return []
    if kind is Look.WHOLE:
        return [""]
    points = dict.fromkeys(form.decimal for form in found.formats)
    names = [next(form.name for form in found.formats if form.decimal == point) for point in points]
    # A plain number is as usual, though signs between thousands would not be wrong.
    return ["" if kind in NUMBERS and NUMBER_FORMATS[name].decimal == "." else name for name in names]


def refuse_unknown(code: str, column: str) -> None:
    """Raise BadInput for a column whose text is said to be written in a way nothing here can read."""
    if code and code not in _EXAMPLES:
        several = [example_of(way) or _USUAL for way in _dates(code) or _numbers(code)]
        if len(several) > 1:
            raise BadInput(
                f"“{code[:40]}” may be written in more than one way, for “{column[:100]}”: "
                f"as {' or as '.join(several)}.",
                field="types",
                advice="Choose one of them.",
                column=column,
            )
        raise BadInput(
            f"“{code[:40]}” is no way to write dates or numbers that can be read, for “{column[:100]}”.",
            field="types",
            advice="Choose one of the list, such as 31/12/2024 or 1.234,56, or leave it empty.",
            column=column,
        )
