"""SQL that turns one source value into one warehouse value, and the conditions under which it cannot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.schema.arrow import DECIMAL128_DIGITS, checked_digits
from b2b_recs.engine.schema.formats import number_format, refuse_format
from b2b_recs.engine.schema.number_formats import LEADING_ZERO, LOSES_ZEROS, NUMBER_FORMATS, NumberFormat
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.sources.casting.choices import impossible
from b2b_recs.engine.sources.postgresql.encoding import ANY_BYTES, not_utf8, readable
from b2b_recs.engine.sources.postgresql.types import TELLS_JSON, Kind
from b2b_recs.engine.sources.quoting import quote_name, quote_text

_W = WarehouseType
_DECIMALS = (_W.NUMERIC, _W.BIGNUMERIC)
_WORDED = (Kind.TEXT, Kind.PADDED, Kind.JSON, Kind.STRUCTURE, Kind.PRINTED)

_YEARS = "lies outside the years 1 to 9999"
_DAY = r"([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?"
_ZONE = r"(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)"
_NUMBER = r"[+-]?([0-9]{1,100}(\.[0-9]{0,100})?|\.[0-9]{1,100})([eE][+-]?[0-9]{1,3})?"
# The ends of what the server's cast takes without an error; the smallest fraction is written 5e-324.
_LARGEST_FLOAT, _SMALLEST_FLOAT = "1.7976931348623157e308", "5e-324"


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition under which a value is refused, as SQL that is true, false or NULL, and the reason in words.

    ``shown``: the value that arrives tells it as well, so that the server need not test every row; see ``checks``.
    """

    condition: str
    reason: str
    shown: bool = False


@dataclass(frozen=True, slots=True)
class Converted:
    """SQL of a value and its guards, tested in order; ``unsafe`` when the SQL fails on a refused value."""

    value: str
    guards: tuple[Guard, ...] = ()
    unsafe: bool = False


@dataclass(frozen=True, slots=True)
class Given:
    """One column to convert: its quoted name, type family, target, and what else conversions ask for."""

    sql: str
    kind: Kind
    target: ColumnMapping
    precision: int | None
    scale: int | None
    base_type: str
    namespace: str
    time_zone: str
    server_version: int
    server_encoding: str = "UTF8"


def convert(given: Given) -> Converted:
    """The SQL for one column. Raises BadInput when its type cannot become the wanted one."""
    if _number_format(given) is None:
        refuse_format(given.target)
    converted = _convert(given)
    if given.server_encoding != ANY_BYTES or given.kind not in _WORDED:
        return converted
    guard = Guard(not_utf8(f"{given.sql}::text"), "is not text in UTF-8")
    # Unsafe, because the server does not send bytes that the client's encoding does not have.
    return Converted(converted.value, (guard, *converted.guards), unsafe=True)


def _convert(given: Given) -> Converted:
    wanted = given.target.warehouse_type
    if wanted is _W.STRING:
        return Converted(given.sql if _plain(given) else printed(given))
    found = _CONVERSIONS.get((given.kind, wanted))
    if found is not None:
        return found(given)
    if wanted in (*_DECIMALS, _W.INT64, _W.FLOAT64) and given.kind in _NUMBERS:
        return _from_number(given, *_NUMBERS[given.kind](given))
    if wanted is _W.JSON:
        return Converted(f"to_json({given.sql})::text")
    raise impossible(given.target, given.target.source_type or given.kind)


def printed(given: Given) -> str:
    """SQL of a value's text as the server prints it."""
    if given.kind in (Kind.SHOWN, Kind.PADDED):
        # The cast to text adds a netmask or drops blanks; concat prints the value as it is.
        return f"CASE WHEN {given.sql} IS NOT NULL THEN concat({given.sql}) END"
    return f"{given.sql}::text"


def raw(given: Given) -> str:
    """SQL of a value's text for a rejected row: always readable, whatever bytes it has."""
    text = printed(given)
    anything = given.server_encoding == ANY_BYTES and given.kind in _WORDED
    return readable(text) if anything else text


def _plain(given: Given) -> bool:
    """Whether the type arrives as it is, so that no cast to text is needed; a uuid is printed on this side."""
    return given.namespace == "pg_catalog" and given.base_type in ("text", "varchar", "bpchar", "uuid")


def _same(given: Given) -> Converted:
    return Converted(given.sql)


def _years(sql: str, kind: str, zone: str = "") -> Guard:
    return Guard(f"({sql} < {kind} '0001-01-01{zone}' OR {sql} >= {kind} '10000-01-01{zone}')", _YEARS)


def _date(given: Given) -> Converted:
    return Converted(given.sql, (replace(_years(given.sql, "date"), shown=True),))


def _timestamp(given: Given) -> Converted:
    return Converted(given.sql, (replace(_years(given.sql, "timestamp"), shown=True),))


def _timestamptz(given: Given) -> Converted:
    return Converted(given.sql, (replace(_years(given.sql, "timestamptz", " 00:00:00+00"), shown=True),))


def _time(given: Given) -> Converted:
    return Converted(given.sql, (Guard(f"{given.sql} = time '24:00'", "is 24:00, which is no time of day"),))


def _date_to_timestamp(given: Given) -> Converted:
    return Converted(f"{given.sql}::timestamp", (_years(given.sql, "date"),), unsafe=True)


def _wall_to_moment(given: Given) -> Converted:
    zone = quote_text(given.time_zone)
    wall = f"{given.sql}::timestamp"
    moment = f"({wall} AT TIME ZONE {zone})"
    before = _years(given.sql, "date" if given.kind is Kind.DATE else "timestamp")
    gap = Guard(f"{moment} AT TIME ZONE {zone} <> {wall}", f"does not exist in {given.time_zone}: clocks jump over it")
    return Converted(moment, (before, gap, _years(moment, "timestamptz", " 00:00:00+00")), unsafe=True)


def _moment_to_wall(given: Given) -> Converted:
    zone = quote_text(given.time_zone)
    wall = f"({given.sql} AT TIME ZONE {zone})"
    twice = Guard(f"{wall} AT TIME ZONE {zone} <> {given.sql}", f"happens twice in {given.time_zone}: clocks go back")
    guards = (_years(given.sql, "timestamptz", " 00:00:00+00"), _years(wall, "timestamp"), twice)
    return Converted(wall, guards, unsafe=True)


def _to_day(given: Given) -> Converted:
    wall = _moment_to_wall(given) if given.kind is Kind.TIMESTAMPTZ else _timestamp(given)
    clock = Guard(f"{wall.value} <> date_trunc('day', {wall.value})", "has a time of day, which a date would lose")
    return Converted(f"{wall.value}::date", (*wall.guards[:2], clock), unsafe=True)


def _bool_to_int(given: Given) -> Converted:
    return Converted(f"{given.sql}::int")


def _int_to_bool(given: Given) -> Converted:
    return Converted(f"{given.sql} <> 0", (Guard(f"{given.sql} NOT IN (0, 1)", "is neither 0 nor 1"),))


def _unsigned(given: Given) -> Converted:
    return Converted(f"{given.sql}::text::bigint")


def _numeric(given: Given) -> Converted:
    """A numeric column as decimals; only its declared digits decide which guards are needed."""
    precision, scale = checked_digits(given.target)
    if given.precision is not None:
        declared = max(given.scale or 0, 0)
        if given.precision - (given.scale or 0) <= precision - scale and declared <= scale:
            # As text: the driver needs three times as long to print a decimal as the server does.
            guard = Guard(f"{given.sql} = 'NaN'::numeric", "is not a number", shown=True)
            return Converted(f"{given.sql}::text", (guard,))
    return Converted(_rescaled(given.sql, precision, scale), _fits(given.sql, precision, scale))


def _rescaled(number: str, precision: int, scale: int) -> str:
    """A decimal without more zeros after the point than Arrow's parser takes; longer decimals stay as they are."""
    return f"round({number}, {scale})" if precision <= DECIMAL128_DIGITS else number


def _fits(number: str, precision: int, scale: int) -> tuple[Guard, ...]:
    """Guards of an arbitrary decimal; NaN and infinity count as larger than every number."""
    return (
        Guard(
            f"(abs({number}) >= 1e{precision - scale}::numeric OR {number} = 'NaN'::numeric)",
            f"is not a number of at most {precision - scale} digits before the point",
        ),
        Guard(f"round({number}, {scale}) <> {number}", f"has more than {scale} digits after the point"),
    )


def _number_of_text(given: Given) -> tuple[str, tuple[Guard, ...]]:
    text = _trimmed(given.sql)
    form = _number_format(given)
    zeros = Guard(f"{text} ~ '^{LEADING_ZERO.pattern}$'", LOSES_ZEROS)
    if form is None:
        # Zeros in front may also come with an exponent.
        more = Guard(f"{text} ~ '^[+-]?0[0-9]'", LOSES_ZEROS)
        return f"{text}::numeric", (Guard(f"{text} !~ '^{_NUMBER}$'", "is not a number"), more)
    # Servers of another encoding may not have the blanks beyond ASCII.
    signs = form.thousands if given.server_encoding == "UTF8" else form.thousands.encode("ascii", "ignore").decode()
    pattern = quote_text(f"^{form.pattern(signs)}$")
    # What has no place in the second text is taken out.
    plain = f"translate({text}, {quote_text(form.decimal + signs)}, '.')"
    guards = (
        Guard(f"{text} !~ {pattern}", f"is not a number written {form.name}"),
        Guard(f"{plain} !~ '^{_NUMBER}$'", "is not a number"),
    )
    return f"{plain}::numeric", guards if form.zeros else (zeros, *guards)


def _number_format(given: Given) -> NumberFormat | None:
    """The format in which text becomes a number, None where there is none."""
    written = given.kind in (Kind.TEXT, Kind.PADDED) and given.target.format in NUMBER_FORMATS
    return number_format(given.target) if written else None


def _number_of_float(given: Given) -> tuple[str, tuple[Guard, ...]]:
    # Through text: the direct cast keeps 15 digits only.
    sql = given.sql
    return f"{sql}::text::numeric", (Guard(f"{sql}::text IN ('NaN', 'Infinity', '-Infinity')", "is not a number"),)


def _number_of_numeric(given: Given) -> tuple[str, tuple[Guard, ...]]:
    sql = given.sql
    return sql, (Guard(f"{sql}::text IN ('NaN', 'Infinity', '-Infinity')", "is not a number"),)


_NUMBERS: dict[Kind, Callable[[Given], tuple[str, tuple[Guard, ...]]]] = {
    Kind.INTEGER: lambda given: (f"{given.sql}::numeric", ()),
    Kind.UNSIGNED: lambda given: (f"{given.sql}::text::numeric", ()),
    Kind.WIDE_UNSIGNED: lambda given: (f"{given.sql}::text::numeric", ()),
    Kind.MONEY: lambda given: (f"{given.sql}::numeric", ()),
    Kind.NUMERIC: _number_of_numeric,
    Kind.FLOAT: _number_of_float,
    Kind.TEXT: _number_of_text,
    Kind.PADDED: _number_of_text,
}


def _from_number(given: Given, number: str, before: tuple[Guard, ...]) -> Converted:
    """A value that reads as a decimal, as whole number, decimals or binary fraction."""
    wanted = given.target.warehouse_type
    if wanted in _DECIMALS:
        held = checked_digits(given.target)
        return Converted(_rescaled(number, *held), (*before, *_fits(number, *held)), unsafe=True)
    if wanted is _W.INT64:
        whole = Guard(f"{number} <> trunc({number})", "has digits after the point, which a whole number would lose")
        bounds = f"({number} < -9223372036854775808 OR {number} > 9223372036854775807)"
        return Converted(f"({number})::bigint", (*before, whole, Guard(bounds, "needs more than 64 bits")), unsafe=True)
    guards = (
        *before,
        Guard(f"abs({number}) > {_LARGEST_FLOAT}::numeric", "is too large for FLOAT64"),
        Guard(f"({number} <> 0 AND abs({number}) < {_SMALLEST_FLOAT}::numeric)", "is too small for FLOAT64"),
        Guard(f"({number})::float8::text::numeric <> {number}", "has more digits than FLOAT64 keeps"),
    )
    return Converted(f"({number})::float8", guards, unsafe=True)


def _trimmed(sql: str) -> str:
    return f"btrim({sql}::text, E' \\t\\r\\n')"


def _text_to_date(given: Given) -> Converted:
    text = _trimmed(given.sql)
    return Converted(f"{text}::date", _calendar(text, f"^{_DAY}$", "a date written YYYY-MM-DD"), unsafe=True)


def _text_to_datetime(given: Given) -> Converted:
    text = _trimmed(given.sql)
    guards = _calendar(text, f"^{_DAY}([ T]{_CLOCK})?$", "a date with a time and no zone")
    return Converted(f"{text}::timestamp", guards, unsafe=True)


def _text_to_timestamp(given: Given) -> Converted:
    text = _trimmed(given.sql)
    value = f"{text}::timestamptz"
    guards = _calendar(text, f"^{_DAY}[ T]{_CLOCK}{_ZONE}$", "a date with a time and a zone")
    return Converted(value, (*guards, _years(value, "timestamptz", " 00:00:00+00")), unsafe=True)


def _text_to_time(given: Given) -> Converted:
    text = _trimmed(given.sql)
    return Converted(
        f"{text}::time", (Guard(f"{text} !~ '^{_CLOCK}$'", "is not a time written HH:MM:SS"),), unsafe=True
    )


def _calendar(text: str, pattern: str, what: str) -> tuple[Guard, ...]:
    month = f"(left({text}, 7) || '-01')::date"
    return (
        Guard(f"({text} !~ '{pattern}' OR left({text}, 4) = '0000')", f"is not {what}"),
        Guard(
            f"substr({text}, 9, 2)::int > extract(day FROM ({month} + interval '1 month' - interval '1 day'))",
            "names a day its month does not have",
        ),
    )


def _text_to_bool(given: Given) -> Converted:
    text = f"lower({_trimmed(given.sql)})"
    known = "'true', 't', 'yes', 'y', 'on', '1', 'false', 'f', 'no', 'n', 'off', '0'"
    guard = Guard(f"{text} NOT IN ({known})", "is neither true nor false")
    return Converted(f"{text} IN ('true', 't', 'yes', 'y', 'on', '1')", (guard,))


def _text_to_bytes(given: Given) -> Converted:
    return Converted(f"convert_to({given.sql}::text, 'UTF8')")


def _text_to_json(given: Given) -> Converted:
    if given.server_version < TELLS_JSON:
        raise BadInput(
            f"Column {given.target.name} cannot become JSON: this server cannot test text for JSON before release 16.",
            advice="Choose STRING.",
            field=given.target.name,
        )
    text = f"{given.sql}::text"
    return Converted(text, (Guard(f"{text} IS NOT JSON", "is not JSON"),))


def _geography(given: Given) -> Converted:
    schema = quote_name(given.namespace)
    shape = given.sql if given.base_type == "geometry" else f"{given.sql}::{schema}.geometry"
    guard = Guard(f"{schema}.ST_SRID({shape}) NOT IN (0, 4326)", "is not in WGS 84 (SRID 4326)")
    return Converted(f"{schema}.ST_AsText({given.sql}, 17)", (guard,))


_CONVERSIONS: dict[tuple[Kind, WarehouseType], Callable[[Given], Converted]] = {
    (Kind.INTEGER, _W.INT64): _same,
    (Kind.INTEGER, _W.BOOL): _int_to_bool,
    (Kind.UNSIGNED, _W.INT64): _unsigned,
    (Kind.NUMERIC, _W.NUMERIC): _numeric,
    (Kind.NUMERIC, _W.BIGNUMERIC): _numeric,
    (Kind.FLOAT, _W.FLOAT64): _same,
    (Kind.BOOL, _W.BOOL): _same,
    (Kind.BOOL, _W.INT64): _bool_to_int,
    (Kind.BYTES, _W.BYTES): _same,
    (Kind.DATE, _W.DATE): _date,
    (Kind.DATE, _W.DATETIME): _date_to_timestamp,
    (Kind.DATE, _W.TIMESTAMP): _wall_to_moment,
    (Kind.TIMESTAMP, _W.DATETIME): _timestamp,
    (Kind.TIMESTAMP, _W.TIMESTAMP): _wall_to_moment,
    (Kind.TIMESTAMP, _W.DATE): _to_day,
    (Kind.TIMESTAMPTZ, _W.TIMESTAMP): _timestamptz,
    (Kind.TIMESTAMPTZ, _W.DATETIME): _moment_to_wall,
    (Kind.TIMESTAMPTZ, _W.DATE): _to_day,
    (Kind.TIME, _W.TIME): _time,
    (Kind.JSON, _W.JSON): _same,
    (Kind.GEOGRAPHY, _W.GEOGRAPHY): _geography,
    **{
        (kind, wanted): conversion
        for kind in (Kind.TEXT, Kind.PADDED)
        for wanted, conversion in {
            _W.DATE: _text_to_date,
            _W.DATETIME: _text_to_datetime,
            _W.TIMESTAMP: _text_to_timestamp,
            _W.TIME: _text_to_time,
            _W.BOOL: _text_to_bool,
            _W.BYTES: _text_to_bytes,
            _W.JSON: _text_to_json,
        }.items()
    },
}
