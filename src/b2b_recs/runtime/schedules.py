"""When something runs by itself: the rule, the moments at which it comes due, and the words people read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from b2b_recs.engine.errors import BadInput
from b2b_recs.runtime import moments

Kind = Literal["manual", "minutes", "hourly", "daily", "weekly", "monthly", "cron"]
Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
DAYS: tuple[Day, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# The fields each kind is made of; it needs all of them and has no other.
FIELDS: dict[str, tuple[str, ...]] = {
    "manual": (),
    "minutes": ("every",),
    "hourly": ("minute",),
    "daily": ("time",),
    "weekly": ("days", "time"),
    "monthly": ("day", "time"),
    "cron": ("cron",),
}
MOST_MINUTES = 1440
LONGEST_CRON = 100
_SAY = {
    "every": f"Say every how many minutes, from 1 to {MOST_MINUTES}.",
    "minute": "Give the minute of the hour, from 0 to 59.",
    "time": "Give the time of day, such as 02:00.",
    "days": f"Choose one or more of {', '.join(day.capitalize() for day in DAYS)}.",
    "day": "Give the day of the month from 1 to 31, or last.",
    "cron": "Write five fields, such as 15 2 * * *. Words known are JAN to DEC, SUN to SAT, and L for the last.",
    "time_zone": "Write one like Europe/Berlin.",
}
_MISSING = {
    "every": "The number of minutes is missing.",
    "minute": "The minute of the hour is missing.",
    "time": "The time of day is missing.",
    "days": "No day is chosen.",
    "day": "The day of the month is missing.",
    "cron": "The rule (cron) is missing.",
}
# What each of the five fields of a schedule takes, by what its reader says of a bad one.
_CRON_PARTS = {
    "bad minute": "the first field is the minute, from 0 to 59",
    "bad hour": "the second field is the hour, from 0 to 23",
    "bad day-of-month": "the third field is a day that its months have, from 1 to 31, or L for the last",
    "bad month": "the fourth field is the month, from 1 to 12, or JAN to DEC",
    "bad day-of-week": "the fifth field is the day of the week, from 0 (Sunday) to 6, or SUN to SAT",
}


def _fault(message: str, advice: str) -> PydanticCustomError:
    return PydanticCustomError("schedule", "{message} {advice}", {"message": message, "advice": advice})


def _time(value: Any) -> Any:
    match = re.fullmatch(r"(\d{1,2}):(\d{2})", value) if isinstance(value, str) and value.isascii() else None
    if value is not None and (match is None or int(match[1]) > 23 or int(match[2]) > 59):
        raise _fault(f"“{str(value)[:40]}” is not a time of day.", _SAY["time"])
    return f"{int(match[1]):02d}:{match[2]}" if match else None


def _days(value: Any) -> Any:
    if not isinstance(value, list | tuple | set):
        raise _fault("The days are not a list.", _SAY["days"])
    chosen = [str(day).lower() for day in value]
    for day, given in zip(chosen, value, strict=True):
        if day not in DAYS:
            raise _fault(f"“{str(given)[:40]}” is not a day of the week.", _SAY["days"])
    return tuple(day for day in DAYS if day in chosen)


def _number(name: str, least: int, most: int, word: str = "") -> BeforeValidator:
    def check(value: Any) -> Any:
        if value is None or (word and value == word):
            return value
        if type(value) is not int or not least <= value <= most:
            raise _fault(f"“{str(value)[:40]}” cannot be used here.", _SAY[name])
        return value

    return BeforeValidator(check)


def _cron(value: Any) -> Any:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value.split()) != 5 or len(value) > LONGEST_CRON:
        raise _fault(f"“{str(value)[:60]}” is not a schedule of five fields.", _SAY["cron"])
    text = " ".join(value.split())
    try:
        next(CronSim(text, datetime(2024, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        told = _CRON_PARTS.get(str(error).lower(), str(error).lower())
        raise _fault(f"The schedule “{text}” cannot be used: {told}.", _SAY["cron"]) from None
    except StopIteration:
        raise _fault(f"The schedule “{text}” never comes.", _SAY["cron"]) from None
    return text


def _zone(value: Any) -> Any:
    try:
        return ZoneInfo(value).key
    except (ZoneInfoNotFoundError, ValueError, OSError, TypeError, AttributeError):
        raise _fault(f"There is no time zone “{str(value)[:60]}”.", _SAY["time_zone"]) from None


class ScheduleSpec(BaseModel):
    """One rule: its kind, the fields of that kind, and the time zone its times are in."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)
    kind: Kind = Field(default="manual", title="Kind", description="How it repeats; manual is only by hand.")
    every: Annotated[int | None, _number("every", 1, MOST_MINUTES)] = Field(
        default=None, title="Every", description="Minutes from one run to the next, whatever the clocks do."
    )
    minute: Annotated[int | None, _number("minute", 0, 59)] = Field(
        default=None, title="Minute", description="Minute of every hour, 0 to 59."
    )
    days: Annotated[tuple[Day, ...], BeforeValidator(_days)] = Field(
        default=(), title="Days", description="Days of the week."
    )
    day: Annotated[int | Literal["last"] | None, _number("day", 1, 31, "last")] = Field(
        default=None,
        title="Day",
        description="Day of the month, or last; in a month without that day it is the last one.",
    )
    time: Annotated[str | None, BeforeValidator(_time)] = Field(
        default=None, title="Time", description="Time of day, such as 02:00."
    )
    cron: Annotated[str | None, BeforeValidator(_cron)] = Field(
        default=None, title="Cron expression", description="Minute, hour, day of month, month, day of week."
    )
    time_zone: Annotated[str, BeforeValidator(_zone)] = Field(
        default="UTC", title="Time zone", description="Name of the time zone, such as Europe/Berlin."
    )

    @field_validator("every", "minute", "days", "day", "time", "cron")
    @classmethod
    def _fits_the_kind(cls, value: Any, info: ValidationInfo) -> Any:
        kind, name = info.data.get("kind"), info.field_name or ""
        if kind is None:  # the kind itself is at fault
            return value
        given = value is not None and value != ()
        if given and name not in FIELDS[kind]:
            needs = " and ".join(FIELDS[kind]) or "nothing else"
            raise _fault(f"A {kind} schedule has no {name}.", f"It has {needs}.")
        if not given and name in FIELDS[kind]:
            raise _fault(_MISSING[name], _SAY[name])
        return value

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """The rule a document describes. Raises BadInput naming the field."""
        try:
            return cls.model_validate(dict(document))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = str(first["loc"][0]) if first["loc"] else "kind"
            context = first.get("ctx", {})
            message, advice = context.get("message"), context.get("advice")
            if message is None and field == "kind":
                message, advice = "There is no such kind of schedule.", f"Choose one of {', '.join(FIELDS)}."
            if message is None:
                message, advice = f"A schedule has no setting “{field[:40]}”.", f"It has {', '.join(cls.model_fields)}."
            raise BadInput(message, field=field, advice=advice or "") from None

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of its kind, as plain values; without kind and time zone."""
        return self.model_dump(mode="json", include=set(FIELDS[self.kind]))

    @property
    def rhythm(self) -> str:
        """How often, as people say it; the time zone is left out."""
        return _RHYTHMS[self.kind](self)

    @property
    def words(self) -> str:
        """How often and in which time zone, as people say it."""
        clockless = self.kind in ("manual", "minutes")
        return self.rhythm if clockless else f"{self.rhythm}, {self.time_zone}"

    def moments(self, after: datetime) -> Iterator[datetime]:
        """Every moment after ``after`` at which it comes due, in UTC and in order; none when only by hand."""
        zone, moment = ZoneInfo(self.time_zone), after.astimezone(UTC)
        if self.kind == "minutes":
            return moments.every_minutes(self.every or 1, moment)
        if self.kind == "hourly":
            return moments.steady(_cron_times(f"{self.minute} * * * *"), zone, moment)
        if self.kind == "cron":
            rhythm = moments.steady if self._is_steady() else moments.fixed
            return rhythm(_cron_times(self.cron or ""), zone, moment)
        return iter(()) if self.kind == "manual" else moments.fixed(self._days_with_time, zone, moment)

    def next_times(self, after: datetime, count: int = 5) -> list[datetime]:
        """The next moments after ``after`` at which it comes due, in UTC; empty when only by hand."""
        return list(islice(self.moments(after), count))

    def next_time(self, after: datetime) -> datetime | None:
        """The next moment after ``after``, None when only by hand."""
        return next(self.moments(after), None)

    def _is_steady(self) -> bool:
        """Whether a cron line names every hour, in whichever way it is written."""
        return len(CronSim(self.cron or "", datetime(2024, 1, 1, tzinfo=UTC)).hours) == 24

    def _days_with_time(self, start: datetime) -> Iterator[datetime]:
        """Local times of a daily, weekly or monthly rule from the day of ``start`` on."""
        hours, minutes = (int(part) for part in (self.time or "00:00").split(":"))
        day = start.replace(hour=hours, minute=minutes, second=0, microsecond=0)
        while True:
            if self._has(day):
                yield day
            day += timedelta(days=1)

    def _has(self, day: datetime) -> bool:
        if self.kind == "weekly":
            return DAYS[day.weekday()] in self.days
        if self.kind == "monthly":
            is_last = (day + timedelta(days=1)).day == 1
            return is_last if self.day == "last" else day.day == self.day or (is_last and day.day < (self.day or 0))
        return True


def _cron_times(expression: str) -> moments.LocalTimes:
    return lambda start: CronSim(expression, start.replace(second=0, microsecond=0) - timedelta(seconds=1))


def _every(spec: ScheduleSpec) -> str:
    count = spec.every or 1
    number, unit = (count // 60, "hour") if count % 60 == 0 else (count, "minute")
    return f"Every {unit}" if number == 1 else f"Every {number} {unit}s"


def _weekly(spec: ScheduleSpec) -> str:
    names = [day.capitalize() for day in spec.days]
    listed = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    return f"Every {listed} at {spec.time}"


def _monthly(spec: ScheduleSpec) -> str:
    if spec.day == "last":
        return f"Every month on the last day at {spec.time}"
    shorter = ", or the last day of a shorter month," if int(spec.day or 1) > 28 else ""
    return f"Every month on day {spec.day}{shorter} at {spec.time}"


def _explained(spec: ScheduleSpec) -> str:
    explained = str(CronSim(spec.cron or "", datetime(2024, 1, 1, tzinfo=UTC)).explain())
    return explained if len(explained) <= LONGEST_CRON else f"Cron {spec.cron}"


_RHYTHMS = {
    "manual": lambda spec: "Only by hand",
    "minutes": _every,
    "hourly": lambda spec: f"Every hour at :{spec.minute:02d}",
    "daily": lambda spec: f"Every day at {spec.time}",
    "weekly": _weekly,
    "monthly": _monthly,
    "cron": _explained,
}
