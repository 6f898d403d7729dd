"""Ways to write numbers in text other than 1234.56: a closed list, each named by how it writes that number."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# A number that begins with zeros, in any format: as a number it would lose them.
LEADING_ZERO = re.compile(r"[+-]?0[0-9]+([.,][0-9]+)?")
LOSES_ZEROS = "begins with zeros that a number would lose"
# A blank, and the two that do not break a line.
BLANKS = " \u00a0\u202f"
_APOSTROPHES = "'\u2019"
# Zeros before the first digit that counts.
_ZEROS = re.compile(r"^([+-]?)0+(?=[0-9])")
_PLAIN = re.compile(r"[+-]?(?:[0-9]+(?:[.][0-9]*)?|[.][0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """One way to write numbers: the decimal sign, and the signs of which each may stand between groups of three.

    ``zeros``: a number may begin with zeros that mean nothing. Such a format is chosen by hand only.
    """

    name: str
    decimal: str
    thousands: str
    zeros: bool = False

    def pattern(self, signs: str | None = None) -> str:
        """An expression without groups to keep, for any dialect; ``signs`` are those that may stand between groups.

        Numbers without groups fit too. A group of three never follows a zero: 0,123 is no thousand.
        """
        between = self.thousands if signs is None else signs
        grouped = f"|[1-9][0-9]?[0-9]?([{between}][0-9][0-9][0-9])+" if between else ""
        ungrouped = "[0-9]+" if self.zeros else "(0|[1-9][0-9]*)"
        whole = f"({ungrouped}{grouped})([{self.decimal}][0-9]*)?"
        return f"[+-]?({whole}|[{self.decimal}][0-9]+)([eE][+-]?[0-9]+)?"

    def fits(self, text: str) -> bool:
        """Whether the text is a number written so."""
        return _PATTERNS[self.name].fullmatch(text) is not None

    def plain(self, text: str) -> str:
        """A number written so, written 1234.56."""
        plain = text.translate({ord(sign): None for sign in self.thousands} | {ord(self.decimal): "."})
        return _ZEROS.sub(r"\1", plain) if self.zeros else plain


NUMBER_FORMATS: dict[str, NumberFormat] = {
    form.name: form
    for form in (
        NumberFormat("1234,56", ",", ""),
        NumberFormat("1.234,56", ",", "."),
        NumberFormat("1 234,56", ",", BLANKS),
        NumberFormat("1'234,56", ",", _APOSTROPHES),
        NumberFormat("1,234.56", ".", ","),
        NumberFormat("1 234.56", ".", BLANKS),
        NumberFormat("1'234.56", ".", _APOSTROPHES),
        NumberFormat("001234.56", ".", "", zeros=True),
        NumberFormat("001234,56", ",", "", zeros=True),
    )
}
# Those that values can speak for.
SEEN_FORMATS = {name: form for name, form in NUMBER_FORMATS.items() if not form.zeros}
_PATTERNS = {name: re.compile(form.pattern()) for name, form in NUMBER_FORMATS.items()}


@dataclass(frozen=True, slots=True)
class WaysToWrite:
    """The formats every value fits, the narrowest first; ``proof`` is a value that says what its signs stand for.

    Without ``proof`` a sign may be a decimal sign or one between thousands, and the numbers would differ.
    """

    formats: tuple[NumberFormat, ...]
    proof: str | None


def ways_to_write(values: Iterable[str]) -> WaysToWrite | None:
    """In which formats all of these numbers are written, None when there is none."""
    values = list(values)
    formats = tuple(form for form in SEEN_FORMATS.values() if all(map(form.fits, values)))
    if not formats:
        return None
    points = {form.decimal for form in formats}
    signs = [value for value in values if "," in value or "." in value]
    if len(points) == 1:
        return WaysToWrite(
            formats, next((value for value in signs if _proves(value)), signs[0] if signs else values[0])
        )
    return WaysToWrite(formats, None if signs else values[0])


def is_number_otherwise(text: str) -> bool:
    """Whether the text is a number in some format but not written 1234.56."""
    if len(text) > _LONGEST or not text[:1] or text[0] not in "+-.,0123456789":
        return False
    return _PLAIN.fullmatch(text) is None and any(form.fits(text) for form in SEEN_FORMATS.values())


def may_be_thousands(values: Sequence[str]) -> bool:
    """Whether every point in these plain numbers may stand between thousands, which a long whole number denies."""
    dotted = NUMBER_FORMATS["1.234,56"]
    return any("." in value for value in values) and all(
        dotted.fits(value) if "." in value else len(value.lstrip("-")) <= 3 for value in values
    )


def _proves(value: str) -> bool:
    """Whether a value alone says which sign is the decimal one."""
    return len({form.decimal for form in SEEN_FORMATS.values() if form.fits(value)}) == 1
