# ruff: noqa: E501 - prose of a page
"""The page about types, written from the same tables the mapping uses."""

from __future__ import annotations

from b2b_recs.engine.schema.arrow import arrow_type
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.sources.postgresql.types import ARRAY, COMPOSITE, ENUM, RANGE, RULES, UNKNOWN, Rule

_KINDS = {
    "any list, such as `integer[]`": ARRAY,
    "any record type": COMPOSITE,
    "any enum": ENUM,
    "any range or multirange": RANGE,
    "any other type": UNKNOWN,
}

_HEAD = """# Types

A copy casts every column on the source's side, in the SELECT that reads it. A value the warehouse type cannot hold is never
changed to fit: its row goes to the rejected rows, with every column as the source prints it, and with the reason.
A domain is read as the type behind it.

This page is written by `python -m b2b_recs.engine.sources.types_page`; a test fails when it is out of date.

## How the warehouse holds each type

| warehouse type | held as |
|---|---|
"""

_NOTES = """
Decimals of more than 38 digits are held as their exact decimal text, because a Delta table stores no more than 38
digits; `TIME` is text `HH:MM:SS.ffffff`, because it stores no time of day. The warehouse type of a column is in its field's
metadata under `warehouse_type`.

## PostgreSQL

| type | becomes | confidence | why | rejected |
|---|---|---|---|---|
"""

_NUMBERS = """
`numeric(p, s)` keeps its digits: NUMERIC up to 29 before and 9 after the point, BIGNUMERIC up to 38 and 38, text beyond.
`numeric` without digits is proposed from the sampled values: NUMERIC when they fit it, else BIGNUMERIC, else text.

## Text that holds something else

A text column becomes DATE, DATETIME or TIMESTAMP only when at least 200 sampled values all agree. Numbers and yes-or-no words in
text stay text with a hint, because codes look alike and leading zeros would be lost; they can be mapped by hand.

## Types chosen by hand

| from | to | rejected |
|---|---|---|
| anything | STRING | nothing |
| anything but text, JSON and bytes | JSON | nothing |
| text | DATE, DATETIME, TIMESTAMP, TIME | what is not written as ISO 8601; TIMESTAMP needs a zone |
| text | INT64, NUMERIC, BIGNUMERIC, FLOAT64 | what is not a number, or has more digits than the type keeps |
| text | BOOL | what is not true, t, yes, y, on, 1, false, f, no, n, off or 0 |
| text | JSON (PostgreSQL 16 and later) | what is not JSON |
| text | BYTES | nothing; UTF-8 |
| any number | INT64, NUMERIC, BIGNUMERIC, FLOAT64 | what the type cannot hold digit by digit |
| integer | BOOL | what is neither 0 nor 1 |
| date, timestamp | TIMESTAMP | wall-clock times the job's time zone skips |
| timestamptz | DATETIME | moments whose wall-clock time happens twice in the job's time zone |
| timestamp, timestamptz | DATE | values with a time of day |

In text mapped to a number by hand, leading zeros are dropped: that is what the choice asks for.
"""


def page() -> str:
    """The whole page as Markdown."""
    held = "".join(f"| {kind.value} | `{_held(kind)}` |\n" for kind in WarehouseType)
    rules = [(f"`{name}`", rule) for name, rule in sorted(RULES.items())] + list(_KINDS.items())
    table = "".join(_row(name, rule) for name, rule in rules)
    return _HEAD + held + _NOTES + table + _NUMBERS


def _held(kind: WarehouseType) -> str:
    return str(arrow_type(ColumnMapping("", "", kind)))


def _row(name: str, rule: Rule) -> str:
    why = f"{rule.reason} {rule.warning}".strip()
    return f"| {name} | {rule.warehouse.value} | {rule.confidence.value} | {why} | {rule.refused or '–'} |\n"


if __name__ == "__main__":
    import sys

    sys.stdout.write(page())
