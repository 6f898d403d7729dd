"""When jobs and pipelines run by themselves. Call inside the organization's scope."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from b2b_recs.engine.errors import BadInput
from b2b_recs.web.projects.models import Schedule


def next_time(cron: str, time_zone: str, after: datetime) -> datetime:
    """The next moment a schedule fires after ``after``, in UTC; a local time the clock skips fires once after it.

    Raises BadInput naming the field for a time zone or an expression that cannot be used, or that never comes.
    """
    try:
        zone = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadInput(
            f"There is no time zone “{time_zone}”.", field="time_zone", advice="Write one like Europe/Berlin."
        ) from error
    try:
        moment: datetime = next(CronSim(cron, after.astimezone(zone)))
    except (CronSimError, StopIteration) as error:
        raise BadInput(
            f"The schedule “{cron}” never comes.", field="cron", advice="Write five fields, such as 15 2 * * *."
        ) from error
    return moment.astimezone(UTC)


def set_schedule(
    organization_id: int, kind: str, target_id: int, cron: str | None, time_zone: str, enabled: bool, now: datetime
) -> bool:
    """Give a job or pipeline its schedule (None: only by hand); returns whether anything changed."""
    row = Schedule.objects.filter(target_kind=kind, target_id=target_id).first()
    if cron is None:
        if row is None:
            return False
        row.delete()
        return True
    wanted = {"cron": cron, "time_zone": time_zone, "enabled": enabled}
    if row is not None and all(getattr(row, field) == value for field, value in wanted.items()):
        return False
    row = row or Schedule(organization_id=organization_id, target_kind=kind, target_id=target_id)
    for field, value in wanted.items():
        setattr(row, field, value)
    row.kind = Schedule.Kind.CRON
    row.next_at = next_time(cron, time_zone, now)
    row.save()
    return True
