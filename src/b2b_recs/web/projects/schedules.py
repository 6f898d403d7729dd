"""The schedules of jobs and pipelines as rows. Call inside the organization's scope."""

from __future__ import annotations

from datetime import datetime

from b2b_recs.runtime.schedules import DAYS, FIELDS, ScheduleSpec
from b2b_recs.web.projects.models import Schedule

__all__ = ["DAYS", "FIELDS", "ScheduleSpec", "schedule_of", "set_paused", "set_schedule", "spec_of"]

MANUAL = ScheduleSpec()


def spec_of(row: Schedule) -> ScheduleSpec:
    """The rule of a row. Raises BadInput when it was saved before its zone or expression was withdrawn."""
    rule = {"cron": row.cron} if row.kind == Schedule.Kind.CRON else row.rule
    return ScheduleSpec.parse({"kind": row.kind, "time_zone": row.time_zone, **rule})


def schedule_of(kind: str, target_id: int) -> Schedule | None:
    """The row of a job ("etl") or of a model's pipeline ("pipeline"); None when it runs only by hand."""
    found: Schedule | None = Schedule.objects.filter(target_kind=kind, target_id=target_id).first()
    return found


def set_schedule(
    organization_id: int, kind: str, target_id: int, spec: ScheduleSpec, enabled: bool, now: datetime
) -> bool:
    """Give a job or pipeline its schedule (a manual one: none); returns whether anything changed.

    ``enabled`` false keeps the schedule without following it. Times count from ``now``.
    """
    row = schedule_of(kind, target_id)
    if spec.kind == "manual":
        if row is None:
            return False
        row.delete()
        return True
    rule = spec.fields
    wanted = {
        "kind": spec.kind,
        "cron": rule.pop("cron", ""),
        "rule": rule,
        "time_zone": spec.time_zone,
        "enabled": enabled,
    }
    if row is not None and all(getattr(row, field) == value for field, value in wanted.items()):
        return False
    row = row or Schedule(organization_id=organization_id, target_kind=kind, target_id=target_id)
    for field, value in wanted.items():
        setattr(row, field, value)
    row.next_at = spec.next_time(now) if enabled else None
    row.save()
    return True


def set_paused(row: Schedule, paused: bool, now: datetime) -> bool:
    """Pause a schedule, or follow it again from ``now`` on; returns whether that changed anything."""
    if row.enabled is not paused:
        return False
    row.enabled = not paused
    row.next_at = None if paused else spec_of(row).next_time(now)
    row.save(update_fields=["enabled", "next_at", "updated_at"])
    return True
