"""Numbers in words: the one door for singular and plural, and for per cent."""

from __future__ import annotations

from collections.abc import Sequence


def counted(number: int, one: str, many: str = "") -> str:
    """A number with what it counts: "1 row", "2,300 rows"; ``many`` where an s at the end does not make the plural.

    Both may bring a verb along: ``counted(rows, "row was", "rows were")``.
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def percent(share: float) -> str:
    """A share as "12 %", with one digit where it is needed: "0.4 %"; no whole and no nothing by rounding alone."""
    value = 100 * abs(share)
    sign = "−" if share < 0 else ""
    if 0 < value < 0.1:
        return f"{sign or 'under '}0.1 %"
    if 99.95 <= value < 100:
        return f"{sign or 'over '}99.9 %"
    places = 0 if round(value, 1) == round(value) else 1
    return f"{sign}{value:.{places}f} %"


def listed(names: Sequence[str], total: int | None = None) -> str:
    """Names one after another; of ``total`` in all, those that are not among them are counted: "a, b and 3 more"."""
    text, further = ", ".join(names), (total or 0) - len(names)
    return f"{text} and {further:,} more" if further > 0 else text
