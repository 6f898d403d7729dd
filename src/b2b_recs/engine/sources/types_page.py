# ruff: noqa: E501 - prose of a page
"""The page about types, written from the same tables the mapping uses."""

from __future__ import annotations

from b2b_recs.engine.schema.arrow import arrow_type
from b2b_recs.engine.schema.detect import ENOUGH
from b2b_recs.engine.schema.formats import DATE_FORMATS, TIME_FORMATS
from b2b_recs.engine.schema.number_formats import NUMBER_FORMATS
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.sources.registry import SOURCE_TYPES
from b2b_recs.engine.sources.rules import TypeRow

_HEAD = """# Types

A copy casts every column to the type its mapping says: PostgreSQL on the source's side, in the SELECT that reads it, other sources
from the exact values their driver hands over. A value the warehouse type cannot hold is never changed to fit: its row goes to
the rejected rows, with every column as text, and with the reason. A domain is read as the type behind it.

This page is written by `python -m b2b_recs.engine.sources.types_page > docs/types.md`; a test fails when it is out of date.

## How the warehouse holds each type

| warehouse type | held as |
|---|---|
"""

_NOTES = """
Decimals of more than 38 digits are held as their exact decimal text, because a Delta table stores no more than 38
digits; `TIME` is text `HH:MM:SS.ffffff`, because it stores no time of day. The warehouse type of a column is in its field's
metadata under `warehouse_type`.
"""

_TABLE = """
| type | becomes | confidence | why | rejected |
|---|---|---|---|---|
"""

_SEEN = """
## Decimals

Decimals keep the digits their column declares: NUMERIC up to 29 before and 9 after the point, BIGNUMERIC up to 38 and 38, text
beyond. Decimals without declared digits are proposed from the sampled values: NUMERIC when they fit it, else BIGNUMERIC, else text.

## Text that holds something else

Up to 1,000 sampled values of every text column are looked into.

| what every value is | in a text column of a source that has types | in a source without types, such as CSV |
|---|---|---|
| anything, and any value is a number that begins with a zero | STRING | STRING |
| a date or a date with a time, as ISO 8601 | DATE, DATETIME or TIMESTAMP from {enough} values on | DATE, DATETIME or TIMESTAMP |
| a date in one of the formats below | DATE or DATETIME from {enough} values on, where the source is not the one to cast | DATE or DATETIME |
| a date whose day and month cannot be told apart | STRING, told | STRING, told |
| eight digits that are a date, from {enough} values on | DATE, but for codes | DATE |
| a whole number | INT64 from {enough} values on, NUMERIC when it needs more than 64 bits; but for codes | INT64, NUMERIC when it needs more than 64 bits |
| a decimal, or a whole number | NUMERIC or BIGNUMERIC from {enough} values on, but for codes | NUMERIC or BIGNUMERIC |
| a number in one of the formats below, and one of them proves it, as 1.234,56 and 0,5 do | NUMERIC, BIGNUMERIC or INT64 from {enough} values on, but for codes | NUMERIC, BIGNUMERIC or INT64 |
| a number whose comma may stand before decimals or between thousands, such as 1,234 | STRING, told | STRING, told |
| a number of which every point may do so, such as 1.234, where none is like 0.125, 1.5 or 1234 | STRING, told | STRING, told |
| digits in groups of three with blanks between, such as 1 234 | STRING, told | STRING, told |
| numbers written in several ways | STRING, told | STRING, told |
| true or false, yes or no, t or f, y or n | BOOL from {enough} values on; STRING when all are the same word of the last three pairs | BOOL; STRING when all are the same word of the last three pairs |
| 0 or 1 | INT64 from {enough} values on, but for codes | INT64 |
| a JSON object or list | JSON from {enough} values on (PostgreSQL 16 and later); STRING with a hint in JSON, MongoDB and Firestore, where a text in JSON has quotation marks | JSON |
| dates written in several ways, or a few values disagree | STRING, told how many of each | STRING, told how many of each |

In a text column of a source that has types (databases, JSON, Excel, Parquet) numbers of a key, and of a column whose name says
that it holds codes (`customer_id`, `ArticleNo`, `sku`, `zip`), stay text: such a column has to keep its type to be joined with
others. With fewer than {enough} values such a text column stays text, and the page says what they look like; a source without types
gets a proposal with low confidence. Every proposal has its reason and can be overruled.

A text that begins with zeros never becomes a number: not the column, when one was sampled, and not the value, when it comes later:
its row is rejected. Where zeros in front mean nothing, choose the format `001234.56` or `001234,56`.

## Zero dates

MySQL and MariaDB may hold dates that no calendar has, such as `0000-00-00`. Where some are among the sampled values of a date or
time column, its proposal keeps the type with medium confidence, or low when they are more than 5 % of the sample, and says how many
were seen and what to do: choose STRING to copy them as text, put NULL in their place in the source, or leave the column out.

## Types that are guessed

JSON, Excel, MongoDB and Firestore declare no types: what a column is was seen in its values. Guesses of several files join: whole numbers
and decimals are decimals, dates and dates with a time are dates with a time, nothing and anything is that, all else is text. A type
chosen by hand stands whatever a file looks like. Once a table is loaded its columns stay what they are: a value of a later file that does
not fit is rejected, and the run says what the column looks like now.

## Formats of dates

In text a mapping may say how dates are written: {dates}; with a time of day after a blank: {times}. Day, month and hour may have one
digit where a sign stands beside them. PostgreSQL, which casts on its server, refuses a format of dates.

## Formats of numbers

In text a mapping may say how numbers are written: {numbers}; without one they are written `1234.56`. What stands between thousands
must stand between groups of three, or nowhere in the number; the blank may be one that does not break, the apostrophe a curly one. In
the last two a number may begin with zeros, in the others it is rejected then. A value written in another way is rejected. Every digit
is taken over as it is written.

## Types chosen by hand

| from | to | rejected |
|---|---|---|
| anything but bytes | STRING | text that is not UTF-8 |
| anything but text, JSON and bytes | JSON | nothing |
| text | DATE, DATETIME, TIMESTAMP, TIME | what is not written as ISO 8601, or in the column's format; TIMESTAMP needs a zone |
| text | INT64, NUMERIC, BIGNUMERIC, FLOAT64 | what is not a number written 1234.56, or in the column's format; what begins with zeros, without a format that has them; what has more digits than the type keeps, or is too large or too small for it |
| text | BOOL | what is not true, t, yes, y, on, 1, false, f, no, n, off or 0 |
| text | JSON (PostgreSQL 16 and later) | what is not JSON |
| text | BYTES | nothing; UTF-8 |
| text (not PostgreSQL) | GEOGRAPHY | what is not a shape in well-known text |
| bytes | STRING | bytes that are not text in UTF-8; PostgreSQL prints them as `\\x` and hexadecimal digits instead |
| any number | INT64, NUMERIC, BIGNUMERIC, FLOAT64 | what the type cannot hold digit by digit |
| integer, decimal (not PostgreSQL) | BOOL | what is neither 0 nor 1 |
| date, timestamp | TIMESTAMP | wall-clock times the job's time zone skips |
| timestamp with zone | DATETIME | moments whose wall-clock time happens twice in the job's time zone, the first of the two |
| timestamp, timestamp with zone | DATE | values with a time of day |
| span of time (not PostgreSQL) | TIME | what is negative, or a day and more |
| timestamp, time of day (not PostgreSQL) | DATETIME, TIMESTAMP, TIME | values finer than a microsecond |
| anything | a REQUIRED column | NULL |

A column of a table that is loaded already keeps its type, unless the job copies the whole table each time: another type is refused
when the job is saved, with what the table holds.

A wall-clock time that a zone shows twice becomes the later moment. A binary fraction that becomes a decimal or a whole number is the
number its shortest decimal text says. In JSON bytes are base64, and NaN and infinity are words.
"""


def page() -> str:
    """The whole page as Markdown."""
    held = "".join(f"| {kind.value} | `{_held(kind)}` |\n" for kind in WarehouseType)
    tables = _tables()
    stores = tables.pop((), [])
    sections = "".join(f"\n## {', '.join(names)}\n{_TABLE}{''.join(map(_row, rows))}" for rows, names in tables.items())
    if stores:
        sections += f"\n## {', '.join(stores)}\n\nColumns have the types of the files stored there, as above.\n"
    dates, times = (", ".join(f"`{name}`" for name in names) for names in (DATE_FORMATS, TIME_FORMATS))
    numbers = ", ".join(f"`{name}`" for name in NUMBER_FORMATS)
    return _HEAD + held + _NOTES + sections + _SEEN.format(enough=ENOUGH, dates=dates, times=times, numbers=numbers)


def _tables() -> dict[tuple[TypeRow, ...], list[str]]:
    """The table of each source, empty for places where files lie; sources that have the same share it."""
    tables: dict[tuple[TypeRow, ...], list[str]] = {}
    for declared in SOURCE_TYPES.values():
        tables.setdefault(tuple(declared.type_rows()), []).append(declared.name)
    return tables


def _held(kind: WarehouseType) -> str:
    return str(arrow_type(ColumnMapping("", "", kind)))


def _row(row: TypeRow) -> str:
    rejected = row.rejected or "–"
    return f"| {row.source_type} | {row.warehouse.value} | {row.confidence.value} | {row.why} | {rejected} |\n"


if __name__ == "__main__":
    import sys

    sys.stdout.write(page())
