"""When something runs by itself: the forms a project file has for a schedule."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_serializer, model_validator

from b2b_recs.runtime.schedules import DAYS, FIELDS, MOST_MINUTES, Day, ScheduleSpec

KINDS = ("every_minutes", "hourly", "daily", "weekly", "monthly", "cron")
FORMS = (
    'Use manual, {every_minutes: 15}, {hourly: 15}, {daily: "02:00"}, {weekly: {day: monday, time: "02:00"}}, '
    '{monthly: {day: 1, time: "02:00"}} or {cron: "0 2 * * *"}.'
)
_NUMBER = r"(\d{1,2})"
_QUOTED = {
    "time": 'Write hours and minutes in quotes, such as "02:00".',
    "cron": 'Write five fields in quotes, such as "0 2 * * *".',
}
_VALID = {"time": "00:00", "days": ["monday"]}


def _by_rule(kind: str, field: str) -> BeforeValidator:
    """What the rule of that kind says to a value of one of its fields."""

    def check(value: Any) -> Any:
        others = {name: _VALID[name] for name in FIELDS[kind] if name != field}
        try:
            spec = ScheduleSpec.model_validate({"kind": kind, **others, field: value})
        except ValidationError as error:
            raise ValueError(_reason(error)) from None
        return getattr(spec, field)

    return BeforeValidator(check)


def _reason(error: ValidationError) -> str:
    """What is wrong and how to write it, as the middle of a sentence."""
    fault = error.errors(include_url=False)[0]
    context, field = fault.get("ctx", {}), str(fault["loc"][0])
    message, advice = context.get("message", str(fault["msg"])), context.get("advice", "")
    advice = _QUOTED.get(field, advice)
    return f"{message[:1].lower()}{message[1:]} {advice}".strip().removesuffix(".")


TimeOfDay = Annotated[str, _by_rule("daily", "time")]
Minutes = Annotated[int, _by_rule("minutes", "every")]


class Weekly(BaseModel):
    """Once a week, or on several days of it: ``day`` names one, ``days`` lists them."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    days: Annotated[tuple[Day, ...], _by_rule("weekly", "days")]
    time: TimeOfDay

    @model_validator(mode="before")
    @classmethod
    def _one_day(cls, value: Any) -> Any:
        if not isinstance(value, dict) or "day" not in value:
            return value
        if "days" in value:
            raise ValueError("day and days cannot both be followed; keep one")
        return {"days": [value["day"]], **{name: part for name, part in value.items() if name != "day"}}

    @model_serializer(mode="plain")
    def definition(self) -> dict[str, Any]:
        """The form as it stands in the file."""
        named = {"day": self.days[0]} if len(self.days) == 1 else {"days": list(self.days)}
        return {**named, "time": self.time}


class Monthly(BaseModel):
    """Once a month; in a month without that day it is the last one, which ``last`` always is."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    day: Annotated[int, Field(ge=1, le=31, strict=True)] | Literal["last"]
    time: TimeOfDay


class Schedule(BaseModel):
    """At most one of the forms; none means only by hand. ``paused`` keeps a schedule without following it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    every_minutes: Minutes | None = Field(default=None, description=f"1 to {MOST_MINUTES}")
    hourly: Annotated[int, Field(ge=0, le=59, strict=True)] | None = None
    daily: TimeOfDay | None = None
    weekly: Weekly | None = None
    monthly: Monthly | None = None
    cron: Annotated[str, _by_rule("cron", "cron")] | None = None
    time_zone: Annotated[str, _by_rule("daily", "time_zone")] | None = None
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
        if value and not given and set(value) <= {*KINDS, "paused", "time_zone"}:
            raise ValueError(f"nothing says when. {FORMS}")
        return value

    @model_validator(mode="after")
    def _readable(self) -> Self:
        """A cron expression that has a readable form becomes that form, so that both are the same schedule."""
        named = _named(self.cron) if self.cron else None
        return self.model_validate({**named, "paused": self.paused, "time_zone": self.time_zone}) if named else self

    @classmethod
    def of(cls, spec: ScheduleSpec, paused: bool = False, time_zone: str = "") -> Self:
        """The form of a rule in a model of that time zone, which a form leaves out when it is the same."""
        if spec.kind == "manual":
            return cls()
        form: Any = spec.fields
        if spec.kind not in ("weekly", "monthly"):
            form = next(iter(form.values()))
        own = {} if time_zone in ("", spec.time_zone) else {"time_zone": spec.time_zone}
        return cls.model_validate({_FORM.get(spec.kind, spec.kind): form, "paused": paused, **own})

    def spec(self, time_zone: str) -> ScheduleSpec:
        """The rule this form stands for in a model of that time zone."""
        fields: dict[str, Any] = {"kind": "manual"}
        for kind in KINDS:
            value = getattr(self, kind)
            if value is not None:
                own = {name: getattr(value, name) for name in type(value).model_fields} if kind in _PAIRS else None
                fields = {"kind": _RULE.get(kind, kind), **(own or {_FIELD.get(kind, kind): value})}
        return ScheduleSpec.model_validate({**fields, "time_zone": self.time_zone or time_zone})

    @property
    def words(self) -> str:
        """The schedule as people say it; without a time zone it is that of the model."""
        spec = self.spec("UTC")
        words = spec.words if self.time_zone else spec.rhythm
        return f"{words} (paused)" if self.paused and spec.kind != "manual" else words

    @model_serializer(mode="plain")
    def definition(self) -> Any:
        """The schedule as it stands in the file: ``"manual"``, or a mapping of one form."""
        for kind in KINDS:
            value = getattr(self, kind)
            if value is not None:
                form = value.model_dump() if isinstance(value, BaseModel) else value
                zone = {"time_zone": self.time_zone} if self.time_zone else {}
                return {kind: form, **zone, **({"paused": True} if self.paused else {})}
        return "manual"


_PAIRS = ("weekly", "monthly")
_RULE = {"every_minutes": "minutes"}
_FORM = {rule: form for form, rule in _RULE.items()}
_FIELD = {"every_minutes": "every", "hourly": "minute", "daily": "time"}


def _named(cron: str) -> dict[str, Any] | None:
    """The readable form of a cron expression, None when it has none that comes at the same moments."""
    if cron == "* * * * *":
        return {"every_minutes": 1}
    match = re.fullmatch(rf"\*/{_NUMBER} \* \* \* \*", cron)
    if match:
        # In every zone the clock is a multiple of 15 minutes away from UTC.
        return {"every_minutes": int(match[1])} if int(match[1]) in (1, 3, 5, 15) else None
    match = re.fullmatch(rf"{_NUMBER} \* \* \* \*", cron)
    if match:
        return {"hourly": int(match[1])}
    match = re.fullmatch(rf"{_NUMBER} {_NUMBER} (\*|L|{_NUMBER}) \* (\*|[0-6])", cron)
    if match is None:
        return None
    time, day, weekday = f"{int(match[2]):02d}:{int(match[1]):02d}", match[3], match[5]
    if day == "*":
        if weekday == "*":
            return {"daily": time}
        return {"weekly": {"day": DAYS[(int(weekday) - 1) % 7], "time": time}}
    if weekday != "*" or (day != "L" and not 1 <= int(day) <= 28):
        return None
    return {"monthly": {"day": "last" if day == "L" else int(day), "time": time}}
