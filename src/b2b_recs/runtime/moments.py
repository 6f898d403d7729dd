"""When local times come due: exact across the days on which a zone's clocks change.

Two rules. A *fixed* time of day comes once a day: one that the clock skips comes at the moment of the jump, one that
the clock shows twice comes the first time. A *steady* rhythm (every hour, or finer) follows the time that really
passes: it comes whenever the clock shows one of its minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from zoneinfo import ZoneInfo

# Clocks have gone back by three hours at most since 2000 (Casey, 2010).
_LONGEST_FOLD = timedelta(hours=4)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Local times without a zone, in order, beginning at or after the one given.
LocalTimes = Callable[[datetime], Iterator[datetime]]


def every_minutes(count: int, after: datetime) -> Iterator[datetime]:
    """The moments after ``after`` that are whole multiples of ``count`` minutes since 1970, in UTC."""
    step = timedelta(minutes=count)
    moment = _EPOCH + ((after - _EPOCH) // step + 1) * step
    while True:
        yield moment
        moment += step


def fixed(times: LocalTimes, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """The moments after ``after`` at which fixed local times come, in UTC."""
    last = after
    for local in times(_wall(after, zone)):
        moment = _first(local, zone)
        if moment > last:
            yield moment
            last = moment


def steady(times: LocalTimes, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """The moments after ``after`` at which the clock shows one of the local times, in UTC."""
    waiting: list[datetime] = []
    for local in times(_wall(after, zone) - _LONGEST_FOLD):
        showing = [moment for moment in (_at(local, zone, 0), _at(local, zone, 1)) if _wall(moment, zone) == local]
        for moment in dict.fromkeys(showing):
            heappush(waiting, moment)
        # Nothing that follows can come before the first showing of this one.
        while showing and waiting and waiting[0] <= showing[0]:
            moment = heappop(waiting)
            if moment > after:
                yield moment


def _wall(moment: datetime, zone: ZoneInfo) -> datetime:
    """What the clock shows at that moment, without its zone."""
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def _at(local: datetime, zone: ZoneInfo, fold: int) -> datetime:
    return local.replace(tzinfo=zone, fold=fold).astimezone(UTC)


def _first(local: datetime, zone: ZoneInfo) -> datetime:
    """The first moment the clock shows ``local``; the moment of the jump when the clock skips it."""
    moment = _at(local, zone, 0)
    if _wall(moment, zone) == local:
        return moment
    before, after = _at(local, zone, 1), moment  # the jump lies between the two
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)
