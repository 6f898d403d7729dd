"""Numbers of things in words: the one door for singular and plural."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """A number with what it counts: "1 row", "2,300 rows"; ``many`` where an s at the end does not make the plural.

    Both may bring a verb along: ``counted(rows, "row was", "rows were")``.
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"
