"""Step 5: when the job runs; from what was typed to a rule, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.http import QueryDict

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.several import Collected
from b2b_recs.runtime.schedules import DAYS, FIELDS, ScheduleSpec

KINDS = (
    ("manual", "By hand"),
    ("minutes", "Every few minutes"),
    ("hourly", "Hourly"),
    ("daily", "Daily"),
    ("weekly", "Weekly"),
    ("monthly", "Monthly"),
    ("cron", "A rule of your own (cron)"),
)

_TEXTS = ("kind", "every", "minute", "time", "day", "cron", "time_zone")


@dataclass(frozen=True)
class ScheduleForm:
    """The parts of a schedule as fields; parts of other kinds keep a usual value."""

    kind: str = "daily"
    every: str = "15"
    minute: str = "15"
    time: str = "02:00"
    days: tuple[str, ...] = ("monday",)
    day: str = "1"
    cron: str = "0 2 * * *"
    time_zone: str = "UTC"

    kinds = KINDS
    weekdays = tuple((day, day[:3].capitalize()) for day in DAYS)


def schedule_form(rule: Mapping[str, Any] | None, time_zone: str) -> ScheduleForm:
    """The form as a rule has it; without one, daily in the model's zone."""
    if not rule:
        return ScheduleForm(time_zone=time_zone)
    usual = ScheduleForm(time_zone=time_zone)
    return ScheduleForm(
        kind=str(rule.get("kind", "manual")),
        every=str(rule.get("every") or usual.every),
        minute=str(rule.get("minute") if rule.get("minute") is not None else usual.minute),
        time=str(rule.get("time") or usual.time),
        days=tuple(rule.get("days") or usual.days),
        day=str(rule.get("day") or usual.day),
        cron=str(rule.get("cron") or usual.cron),
        time_zone=str(rule.get("time_zone") or time_zone),
    )


def typed_form(typed: QueryDict, time_zone: str) -> ScheduleForm:
    """The form as it was typed, whether it can be or not; what was not sent keeps a usual value."""
    usual = ScheduleForm(time_zone=time_zone)
    texts = {name: typed.get(name, getattr(usual, name)) for name in _TEXTS}
    return ScheduleForm(days=tuple(typed.getlist("days")), **texts)


def schedule_rule(typed: QueryDict, time_zone: str) -> dict[str, Any]:
    """The rule somebody typed. Raises BadInput naming the field; Several when more than one cannot be."""
    kind = typed.get("kind", "manual")
    rule: dict[str, Any] = {"kind": kind, "time_zone": typed.get("time_zone", "").strip() or time_zone}
    for name in FIELDS.get(kind, ()):
        if name == "days":
            rule[name] = typed.getlist("days")
        else:
            rule[name] = _plain(typed.get(name, "").strip())
    try:
        spec = ScheduleSpec.parse(rule)
    except BadInput:
        _refuse_parts(rule)
        raise
    return {"kind": spec.kind, **spec.fields, "time_zone": spec.time_zone}


def _refuse_parts(rule: Mapping[str, Any]) -> None:
    """Raise what is wrong with each field of a rule while its others are as usual."""
    kind, usual, faults = str(rule["kind"]), ScheduleForm(), Collected()
    plain: dict[str, Any] = {
        name: list(usual.days) if name == "days" else _plain(getattr(usual, name)) for name in FIELDS.get(kind, ())
    }
    for part in ({}, *({name: rule[name]} for name in plain)):
        with faults.part():
            ScheduleSpec.parse({"kind": kind, **plain, **part})
    with faults.part():
        ScheduleSpec.parse({"kind": "manual", "time_zone": rule["time_zone"]})
    faults.refuse()


def next_times(rule: Mapping[str, Any]) -> tuple[str, list[datetime]]:
    """The words of a rule and its next five times."""
    spec = ScheduleSpec.parse(rule)
    return spec.words, spec.next_times(datetime.now(UTC))


def _plain(text: str) -> Any:
    """A number where one was typed; empty is nothing."""
    if not text:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else text
