"""The kinds of values a project file is made of: names, columns, zones, lengths of time."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, PlainSerializer, StringConstraints

from b2b_recs.web.names import LONGEST_NAME, is_plain

UNITS = {"day": 86_400, "hour": 3_600, "minute": 60, "second": 1}


class Section(BaseModel):
    """A part of the file: unknown keys are refused, values never change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError("there is no time zone of that name; use one such as Europe/London or UTC")
    return value


def _clean(value: str) -> str:
    if not is_plain(value):
        raise ValueError("a name has a sign that can be seen, no spaces around it and no control characters")
    return value


def _duration(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value
    match = re.fullmatch(r"(\d{1,6}) (second|minute|hour|day)s?", value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("a length of time is a number and a unit, such as 90 minutes, 2 hours or 1 day")
    return timedelta(seconds=int(match[1]) * UNITS[match[2]])


def _duration_words(value: timedelta) -> str:
    seconds = round(value.total_seconds())
    unit = next(unit for unit, size in UNITS.items() if seconds % size == 0)
    count = seconds // UNITS[unit]
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def _one_or_many(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Name = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME), AfterValidator(_clean)]
Column = Annotated[str, StringConstraints(min_length=1, max_length=300)]
# As its source has it, where no name at all is one, too.
SourceColumn = Annotated[str, StringConstraints(max_length=300)]
Columns = Annotated[tuple[SourceColumn, ...], BeforeValidator(_one_or_many)]
TimeZone = Annotated[str, AfterValidator(_zone)]
Duration = Annotated[timedelta, BeforeValidator(_duration), PlainSerializer(_duration_words)]
WarehouseName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]
