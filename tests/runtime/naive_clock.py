"""When a schedule comes due, found by looking at the clock every minute: slow, and plainly right."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

from b2b_recs.runtime.schedules import DAYS, ScheduleSpec

MINUTE = timedelta(minutes=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def naive_moments(spec: ScheduleSpec, after: datetime, until: datetime) -> list[datetime]:
    """Every minute after ``after`` and up to ``until`` at which the schedule comes due."""
    return [moment for moment in minutes(after, until) if due(spec, moment)]


def minutes(after: datetime, until: datetime) -> Iterator[datetime]:
    moment = after.replace(second=0, microsecond=0) + MINUTE
    while moment <= until:
        yield moment
        moment += MINUTE


def due(spec: ScheduleSpec, moment: datetime) -> bool:
    """Whether it comes due in exactly this minute."""
    zone = ZoneInfo(spec.time_zone)
    if spec.kind == "minutes":
        return ((moment - EPOCH) // MINUTE) % (spec.every or 0) == 0
    local = moment.astimezone(zone)
    wall = local.replace(tzinfo=None)
    if spec.kind == "hourly" or (spec.cron or "").split(" ")[1:2] == ["*"]:
        return fits(spec, wall)  # whenever the clock shows it
    before = (moment - MINUTE).astimezone(zone).replace(tzinfo=None)
    skipped = before + MINUTE
    while skipped < wall:  # the clock has jumped over these
        if fits(spec, skipped):
            return True
        skipped += MINUTE
    return fits(spec, wall) and local.fold == 0


def fits(spec: ScheduleSpec, wall: datetime) -> bool:
    """Whether this local minute is one the rule names."""
    clock = wall.strftime("%H:%M")
    if spec.kind == "hourly":
        return wall.minute == spec.minute
    if spec.kind == "daily":
        return clock == spec.time
    if spec.kind == "weekly":
        return clock == spec.time and DAYS[wall.weekday()] in spec.days
    if spec.kind == "monthly":
        last = monthrange(wall.year, wall.month)[1]
        return clock == spec.time and wall.day == (last if spec.day == "last" else min(int(spec.day or 0), last))
    return next(CronSim(spec.cron or "", wall - timedelta(seconds=1))) == wall
