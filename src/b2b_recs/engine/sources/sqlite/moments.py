"""Times that one column writes in several ways, brought into one order.

SQLite compares times as they are stored, which is their order only where all of them are texts of one form. Elsewhere
they are compared by a function of our own, which no index can answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from b2b_recs.engine.schema.types import WarehouseType
from b2b_recs.engine.sources.sqlite.values import Fault, as_moment

FUNCTION = "b2b_recs_moment"
TIME_TYPES = (WarehouseType.DATE, WarehouseType.DATETIME, WarehouseType.TIMESTAMP)
_DATE_LENGTH = 10
_OTHER = "other"
# The form of a value: empty for a date alone, the sign before the time of day and the zone, or that it is no such text.
# The length of most times comes first, which spares looking at each of their signs.
_FORM = (
    "CASE WHEN typeof({0}) <> 'text' OR substr({0}, 5, 1) <> '-' OR {0} < '0' OR {0} >= ':' "
    f"THEN '{_OTHER}' "
    "WHEN length({0}) = 19 THEN substr({0}, 11, 1) WHEN length({0}) = 10 THEN '' "
    f"WHEN length({{0}}) < 10 THEN '{_OTHER}' "
    "ELSE substr({0}, 11, 1) || substr(ltrim(substr({0}, 20), '.0123456789'), 1, 8) "
    "|| CASE WHEN {0} GLOB '*Z' THEN substr({0}, 20, 1) ELSE '' END END"
)
_WRITTEN = re.compile(r"(\d{4}-\d\d-\d\d)(.\d\d:\d\d:\d\d)(?:\.(\d+))?")
_ORDERED = {f"{sign}{zone}" for sign in (" ", "T") for zone in ("", "+00:00", "+0000", "+00", "ZZ", "Z.")}


def forms_query(name: str, origin: str) -> str:
    """The query of the forms in a column; a few are enough to know that there are several."""
    return f"SELECT DISTINCT {_FORM.format(name)} FROM {origin} WHERE {name} IS NOT NULL LIMIT 3"  # noqa: S608 - quoted


def sign_in_order(forms: Iterable[str]) -> str | None:
    """The sign before the time of day where values of these forms are in order as they are stored, else None.

    A date alone comes before its own times; the sign is empty where there is nothing else.
    """
    timed = set(forms) - {""}
    return max(timed, default="")[:1] if len(timed) <= 1 and timed <= _ORDERED else None


def as_stored(text: str | None, sign: str | None) -> str | None:
    """A cursor's text with the sign by which the column's values would be compared with it."""
    return f"{text[:_DATE_LENGTH]}{sign}{text[_DATE_LENGTH + 1 :]}" if text and sign and len(text) > 18 else text


def least_stored(text: str | None, sign: str | None) -> str | None:
    """The least text that a column whose times are compared as stored may have for a cursor's moment.

    One moment is written with more digits or fewer, and a text with fewer comes first: 10:00, 10:00:00, 10:00:00.000.
    """
    stored = as_stored(text, sign)
    written = _WRITTEN.match(stored or "")
    if written is None:
        return stored
    day, clock, fraction = written.groups(default="")
    if fraction := fraction.rstrip("0"):
        return f"{day}{clock}.{fraction}"
    shorter = clock.removesuffix(":00").removesuffix(":00")
    return day if shorter[1:] == "00" else day + shorter


def comparable(value: object, kind: str) -> str | None:
    """A stored value, or a cursor's text, as text in the order of time; None for what a column of the kind rejects."""
    try:
        if isinstance(value, str):
            text = value.strip()
            moment = datetime.fromisoformat(text) if text[4:5] == "-" else None
            if moment is None or not _taken(text, moment, kind):
                return None
        elif isinstance(value, int | float):
            moment = as_moment(value)
        else:
            return None
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC).replace(tzinfo=None)
        return moment.isoformat(sep=" ", timespec="microseconds")
    except (Fault, ValueError, OverflowError):
        return None


def cursor_text(compared: str, kind: WarehouseType) -> str:
    """The text of a cursor from what it is compared by."""
    if kind is WarehouseType.DATE:
        return compared[:_DATE_LENGTH]
    short = compared.removesuffix(".000000")
    return f"{short}+00:00" if kind is WarehouseType.TIMESTAMP else short


def _taken(text: str, moment: datetime, kind: str) -> bool:
    """Whether a column of the kind takes a text: moments with a zone, wall clocks without, dates without a time."""
    if (moment.tzinfo is not None) is not (kind == "TIMESTAMP"):
        return False
    return kind != "DATE" or len(text) == _DATE_LENGTH
