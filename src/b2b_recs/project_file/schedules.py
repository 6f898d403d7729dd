"""When something runs by itself: readable forms, the cron expression they stand for, and the words people read."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from cronsim import CronSim, CronSimError
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_serializer, model_validator

Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
DAYS: tuple[Day, ...] = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
MINUTES = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 120, 180, 240, 360, 480, 720)
KINDS = ("every_minutes", "hourly", "daily", "weekly", "monthly", "cron")
FORMS = (
    'Use manual, {every_minutes: 15}, {hourly: 15}, {daily: "02:00"}, {weekly: {day: monday, time: "02:00"}}, '
    '{monthly: {day: 1, time: "02:00"}} or {cron: "0 2 * * *"}.'
)
LONGEST_WORDS = 100
_NUMBER = r"(\d{1,2})"


def _time(value: Any) -> Any:
    match = re.fullmatch(r"(\d{1,2}):(\d{2})", value) if isinstance(value, str) else None
    if match is None or int(match[1]) > 23 or int(match[2]) > 59:
        raise ValueError('a time of day is written with hours and minutes in quotes, such as "02:00"')
    return f"{int(match[1]):02d}:{match[2]}"


def _minutes(value: Any) -> Any:
    if type(value) is not int or value not in MINUTES:
        choices = ", ".join(str(minutes) for minutes in MINUTES)
        raise ValueError(f"so many minutes do not fit evenly into an hour or a day; use one of {choices}")
    return value


def _cron(value: Any) -> Any:
    if not isinstance(value, str) or len(value.split()) != 5 or len(value) > LONGEST_WORDS - len("Cron "):
        raise ValueError('a cron expression has five parts in quotes, such as "0 2 * * *"')
    try:
        next(CronSim(value, datetime(2024, 1, 1, tzinfo=UTC)))
    except (CronSimError, StopIteration) as error:
        reason = str(error).lower() or "it never comes due"
        raise ValueError(f"this cron expression cannot be used: {reason}") from None
    return " ".join(value.split())


TimeOfDay = Annotated[str, BeforeValidator(_time)]


class Weekly(BaseModel):
    """Once a week."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    day: Day
    time: TimeOfDay


class Monthly(BaseModel):
    """Once a month; days after the 28th do not exist in every month, ``last`` does."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    day: Annotated[int, Field(ge=1, le=28, strict=True)] | Literal["last"]
    time: TimeOfDay


class Schedule(BaseModel):
    """At most one of the forms; none means only by hand. ``paused`` keeps a schedule without following it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    every_minutes: Annotated[int, BeforeValidator(_minutes)] | None = None
    hourly: Annotated[int, Field(ge=0, le=59, strict=True)] | None = None
    daily: TimeOfDay | None = None
    weekly: Weekly | None = None
    monthly: Monthly | None = None
    cron: Annotated[str, BeforeValidator(_cron)] | None = None
    paused: bool = False

    @model_validator(mode="before")
    @classmethod
    def _forms(cls, value: Any) -> Any:
        if value == "manual":
            return {}
        if isinstance(value, Schedule):
            return value
        if not isinstance(value, dict):
            raise ValueError(f"this is not a schedule. {FORMS}")
        given = [kind for kind in KINDS if value.get(kind) is not None]
        if len(given) > 1:
            raise ValueError(f"{given[0]} and {given[1]} cannot both be followed; keep one")
        if value and not given and set(value) <= {*KINDS, "paused"}:
            raise ValueError(f"nothing says when. {FORMS}")
        return value

    @model_validator(mode="after")
    def _readable(self) -> Self:
        """A cron expression that has a readable form becomes that form, so that both are the same schedule."""
        if self.cron is None:
            return self
        return self.from_cron(self.cron, paused=self.paused) if _named(self.cron) else self

    @classmethod
    def from_cron(cls, cron: str | None, paused: bool = False) -> Self:
        """The schedule of a cron expression, in its readable form where there is one; None is by hand."""
        if not cron:
            return cls()
        return cls.model_validate((_named(cron) or {"cron": cron}) | ({"paused": True} if paused else {}))

    @property
    def expression(self) -> str | None:
        """The cron expression, None when only by hand."""
        if self.every_minutes is not None:
            return _every(self.every_minutes)
        if self.hourly is not None:
            return f"{self.hourly} * * * *"
        if self.daily is not None:
            return _at(self.daily) + " * * *"
        if self.weekly is not None:
            return f"{_at(self.weekly.time)} * * {DAYS.index(self.weekly.day)}"
        if self.monthly is not None:
            return f"{_at(self.monthly.time)} {'L' if self.monthly.day == 'last' else self.monthly.day} * *"
        return self.cron

    @property
    def words(self) -> str:
        """The schedule as people say it; times are in the time zone of the model."""
        words = self._words()
        return f"{words} (paused)" if self.paused and self.expression else words

    def _words(self) -> str:
        if self.every_minutes is not None:
            return _every_words(self.every_minutes)
        if self.hourly is not None:
            return f"Hourly at :{self.hourly:02d}"
        if self.daily is not None:
            return f"Daily at {self.daily}"
        if self.weekly is not None:
            return f"{self.weekly.day.capitalize()}s at {self.weekly.time}"
        if self.monthly is not None:
            day = "last day" if self.monthly.day == "last" else f"day {self.monthly.day}"
            return f"Monthly on the {day} at {self.monthly.time}".replace("on the day", "on day")
        if self.cron is not None:
            explained = str(CronSim(self.cron, datetime(2024, 1, 1, tzinfo=UTC)).explain())
            return explained if len(explained) <= LONGEST_WORDS else f"Cron {self.cron}"
        return "Only by hand"

    @model_serializer(mode="plain")
    def definition(self) -> Any:
        """The schedule as it stands in the file: ``"manual"``, or a mapping of one form."""
        for kind in KINDS:
            value = getattr(self, kind)
            if value is not None:
                form = value.model_dump() if isinstance(value, BaseModel) else value
                return {kind: form, "paused": True} if self.paused else {kind: form}
        return "manual"


def _at(time: str) -> str:
    hours, minutes = time.split(":")
    return f"{int(minutes)} {int(hours)}"


def _every(minutes: int) -> str:
    if minutes == 1:
        return "* * * * *"
    return f"*/{minutes} * * * *" if minutes < 60 else f"0 */{minutes // 60} * * *"


def _every_words(minutes: int) -> str:
    if minutes == 1:
        return "Every minute"
    return f"Every {minutes} minutes" if minutes < 60 else f"Every {minutes // 60} hours"


def _named(cron: str) -> dict[str, Any] | None:
    """The readable form of a cron expression, None when it has none."""
    for minutes in MINUTES:
        if cron == _every(minutes):
            return {"every_minutes": minutes}
    match = re.fullmatch(rf"{_NUMBER} \* \* \* \*", cron)
    if match:
        return {"hourly": int(match[1])} if int(match[1]) < 60 else None
    match = re.fullmatch(rf"{_NUMBER} {_NUMBER} (\*|L|{_NUMBER}) \* (\*|[0-6])", cron)
    if match is None or int(match[1]) > 59 or int(match[2]) > 23:
        return None
    time, day, weekday = f"{int(match[2]):02d}:{int(match[1]):02d}", match[3], match[5]
    if day == "*":
        return {"daily": time} if weekday == "*" else {"weekly": {"day": DAYS[int(weekday)], "time": time}}
    if weekday != "*" or (day != "L" and not 1 <= int(day) <= 28):
        return None
    return {"monthly": {"day": "last" if day == "L" else int(day), "time": time}}
