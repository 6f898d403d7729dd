"""Where a transactional job has come to: reading cursor texts, going back by the lag, never past the present."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_FLOOR, Context, Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.etl.spec import Incremental
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType

TIME_TYPES = (WarehouseType.TIMESTAMP, WarehouseType.DATETIME, WarehouseType.DATE)
NUMBER_TYPES = (WarehouseType.INT64, WarehouseType.NUMERIC, WarehouseType.BIGNUMERIC, WarehouseType.FLOAT64)
_DATE_LENGTH = 10
_FEWEST_DIGITS = 28
# Clocks that go back do so by less than this.
_DAY = timedelta(days=1)


def lower_bound(last: str, column: ColumnMapping, load: Incremental, now: datetime, zone: str) -> str:
    """The cursor text from which to read again, never above ``last``: ``last`` less the lag, and ``last`` itself for
    cursors without distance.

    Wall clocks are those of the zone: where its clocks were put back since, also what they showed a second time.
    """
    value = parse(last, column)
    try:
        if isinstance(value, datetime):
            back = value - load.lag if value.tzinfo is not None else _clock_before(value, load.lag, now, zone)
            lower = _text(back, last)
            # Where times are compared as text, a date alone comes before its own midnight.
            return lower[:_DATE_LENGTH] if len(last) == _DATE_LENGTH and value.time() == time.min else lower
        if isinstance(value, date):
            return (value - timedelta(days=math.ceil(load.lag / timedelta(days=1)))).isoformat()
        if isinstance(value, Decimal):
            # No more digits than the source has, or it may not take the number; rounded down, it leaves out no row.
            digits = Context(max(_FEWEST_DIGITS, len(value.as_tuple().digits)), ROUND_FLOOR)
            return format(digits.subtract(value, Decimal(load.lag_units)), "f")
    except OverflowError:
        return last
    return last


def first_bound(load: Incremental, column: ColumnMapping, now: datetime, zone: str) -> str | None:
    """Where the first run begins, None for everything. Raises BadInput for a future date, or a cursor without dates."""
    if load.backfill == "all":
        return None
    if column.warehouse_type not in TIME_TYPES:
        raise BadInput(
            f"The backfill of {load.backfill} needs a cursor of dates, and {load.cursor} is {column.warehouse_type}.",
            advice="Load everything, or choose a date or time column as the cursor.",
            field="backfill",
        )
    try:
        if isinstance(load.backfill, int):
            moment = now - timedelta(days=load.backfill)
        else:
            moment = datetime.combine(load.backfill, time.min, zone_of(zone))
        if moment > now:
            raise BadInput(
                f"The backfill begins on {load.backfill}, which is in the future, so nothing could be read.",
                advice="Choose an earlier date, or load everything.",
                field="backfill",
            )
        return present(moment, column, zone)
    except OverflowError:
        # So near to an end of the calendar that it lies beyond it in another zone: there is nothing before.
        return None


def sure(text: str, column: ColumnMapping, now: datetime, zone: str) -> bool:
    """Whether the next run may begin at a cursor: it is usable, and lies not in the future.

    A row dated in the future is loaded, but must not make the next run look only beyond it; nor must a row whose date
    the warehouse cannot hold.
    """
    value = parse(text, column)
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            return value <= now
        place = zone_of(zone)
        # In an hour that the clocks show twice, a time of the first is no time of the future in the second.
        shown = value.replace(tzinfo=place) <= now.astimezone(UTC)
        return shown or value <= now.astimezone(place).replace(tzinfo=None)
    if isinstance(value, date):
        return value <= now.astimezone(zone_of(zone)).date()
    return usable(text, column)


def later(first: str | None, second: str | None, column: ColumnMapping) -> str | None:
    """The larger of two cursor texts; the second when they cannot be compared."""
    if first is None or second is None:
        return second if first is None else first
    return first if before(parse(second, column), parse(first, column)) else second


def before(one: Any, other: Any) -> bool:
    """Whether a parsed cursor comes before another; False where the two cannot be compared."""
    if one is None or type(one) is not type(other):
        return False
    if isinstance(one, datetime) and (one.tzinfo is None) is not (other.tzinfo is None):
        return False
    return bool(one < other)


def parse(text: str, column: ColumnMapping) -> Any:
    """A cursor text as the kind its column becomes: date, datetime or Decimal.

    None for text cursors, and for what is no date, no number, or beyond what the warehouse holds.
    """
    try:
        if column.warehouse_type in TIME_TYPES:
            moment = datetime.fromisoformat(text.strip()) if text.strip()[4:5] == "-" else None
            return moment.date() if moment is not None and column.warehouse_type is WarehouseType.DATE else moment
        if column.warehouse_type in NUMBER_TYPES:
            number = Decimal(text)
            return number if number.is_finite() else None
    except (ValueError, InvalidOperation):
        return None
    return None


def usable(text: str, column: ColumnMapping) -> bool:
    """Whether a run can go on from a cursor text, which it cannot from a date or a number that is none.

    Text in a format of its own, and numbers that a source prints with a sign of money, are ordered by the source alone.
    """
    if column.format or parse(text, column) is not None:
        return True
    if column.warehouse_type in NUMBER_TYPES:
        try:
            return Decimal(text).is_finite()
        except InvalidOperation:
            return True
    return column.warehouse_type not in TIME_TYPES


def scalar(text: str, field: pa.Field, column: ColumnMapping) -> pa.Scalar | None:
    """A cursor text as a value of the warehouse column, None where the two do not surely order alike."""
    value = parse(text, column)
    if value is None:
        return None
    if isinstance(value, datetime):
        zoned = value.tzinfo is not None
        if not pa.types.is_timestamp(field.type) or zoned != (field.type.tz is not None):
            return None
    elif isinstance(value, date) and not pa.types.is_date(field.type):
        return None
    if isinstance(value, Decimal) and pa.types.is_integer(field.type):
        if value != value.to_integral_value():
            return None
        value = int(value)
    try:
        return pa.scalar(value, field.type)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        return None


def text_of(value: Any) -> str | None:
    """A value of an ordering column as a source reads it back; None for NULL and for types without a sure text."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value) if isinstance(value, int | str) else None


def present(moment: datetime, column: ColumnMapping, zone: str) -> str:
    """A moment as a cursor of the column's kind; a wall clock is that of the zone."""
    if column.warehouse_type is WarehouseType.DATE:
        return moment.astimezone(zone_of(zone)).date().isoformat()
    if column.warehouse_type is WarehouseType.DATETIME:
        return moment.astimezone(zone_of(zone)).replace(tzinfo=None).isoformat(sep=" ")
    return moment.astimezone(UTC).isoformat(sep=" ")


def zone_of(name: str) -> ZoneInfo:
    """The time zone of that name. Raises BadInput."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise BadInput(
            f"There is no time zone {name}.", advice="Use a name such as Europe/London.", field="time_zone"
        ) from None


def _clock_before(wall: datetime, lag: timedelta, now: datetime, zone: str) -> datetime:
    """The earliest time that the clocks of a zone can have shown from ``lag`` before they showed ``wall`` until now."""
    place = zone_of(zone)
    start = wall.replace(tzinfo=place).astimezone(UTC) - lag
    end = max(start, min(now.astimezone(UTC), start + _DAY))
    ahead = min(_ahead(start, place), _ahead(end, place))
    return min(start.replace(tzinfo=None) + ahead, wall - lag)


def _ahead(moment: datetime, place: ZoneInfo) -> timedelta:
    return moment.astimezone(place).utcoffset() or timedelta()


def _text(value: datetime, like: str) -> str:
    if value.tzinfo is not None:
        value = value.astimezone(UTC)
    return value.isoformat(sep="T" if "T" in like else " ")
