# ruff: noqa: DTZ001 - times without a zone are what is drawn
"""Arrow types with values that are ordinary, extreme, and just beside where something happens."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st
from property import casting_reference as reference

DAY = 86_400


def whole(low: int, high: int) -> st.SearchStrategy[int]:
    return st.integers(low, high) | st.integers(max(low, -2), 2)


def decimals(precision: int, scale: int) -> st.SearchStrategy[Decimal]:
    top = 10**precision - 1
    edges = [top, -top, 0, 10**scale if 0 < scale < precision else 1]

    def build(unscaled: int) -> Decimal:
        return Decimal((unscaled < 0, tuple(map(int, str(abs(unscaled)))), -scale))

    return st.builds(build, st.integers(-top, top) | st.integers(-1000, 1000) | st.sampled_from(edges))


def ticks(bits: int, *near: int) -> st.SearchStrategy[int]:
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    edges = st.builds(
        lambda edge, step: min(max(edge + step, low), high), st.sampled_from([0, *near]), st.integers(-3, 3)
    )
    return edges | st.integers(low, high)


def around(unit: str) -> list[int]:
    """Ticks near which something happens: the ends of the years, midnights, changes of clocks before and after 2037."""
    moments = [
        datetime(1, 1, 1), datetime(1, 1, 1, 12), datetime(9999, 12, 31, 23, 59, 59), datetime(1900, 1, 1),
        datetime(2024, 3, 31, 2, 30), datetime(2024, 10, 27, 2, 30), datetime(2024, 10, 27, 0, 30),
        datetime(2024, 3, 10, 2, 30), datetime(2024, 11, 3, 1, 30), datetime(2024, 11, 3, 6, 30),
        datetime(2045, 3, 26, 2, 30), datetime(2045, 10, 29, 2, 30), datetime(2037, 12, 31, 23),
    ]  # fmt: skip
    counts = [(at - datetime(1970, 1, 1)) // timedelta(seconds=1) * reference.PER_SECOND[unit] for at in moments]
    return [count for count in counts if abs(count) < 2**63]


TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
_BLANK = st.sampled_from(["", " ", "\t", "\r\n"])
_WRITTEN = st.one_of(
    TEXT,
    st.integers(-(2**70), 2**70).map(str),
    st.decimals(allow_nan=True, allow_infinity=True).map(str),
    st.floats().map(repr),
    st.from_regex(reference.NUMBER, fullmatch=True),
    st.dates().map(str),
    st.datetimes().map(str),
    st.datetimes(timezones=st.timezones()).map(lambda at: at.isoformat()),
    st.times().map(lambda at: at.isoformat()),
    st.sampled_from([
        "true", "F", "Yes", "0", "1", "on", "00", "0x1F", "1_000", "NaN", "-0", "-0.0", ".5", "5.", "1e3", "86",
        "0000-01-01", "2024-02-30", "2024-02-29", "2024-02-29T23:59:59.999999Z", "0001-01-01 00:00:00+14",
        "9999-12-31 23:59:59-14:00", "2024-01-01 10:00:00+15", "24:00:00", "{}", "[1,]", '{"a": [1e400, "\\ud800"]}',
        "POINT(1 2)", "LINESTRING EMPTY", "POINT(1 2", "２０２４-01-01", "٣", "1" * 101, "\x00",
    ]),
)  # fmt: skip
_TEXTS = st.builds("{}{}{}".format, _BLANK, _WRITTEN, _BLANK)
_BYTES = st.binary(max_size=8) | TEXT.map(str.encode)

# Dates and times are drawn as the counts behind them.
DRAWN: dict[pa.DataType, st.SearchStrategy[Any]] = {
    **{
        kind: whole(-(2 ** (kind.bit_width - 1)), 2 ** (kind.bit_width - 1) - 1)
        for kind in (pa.int8(), pa.int16(), pa.int32(), pa.int64())
    },
    **{kind: whole(0, 2**kind.bit_width - 1) for kind in (pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64())},
    **{
        kind: decimals(kind.precision, kind.scale)
        for kind in (
            pa.decimal32(7, 2), pa.decimal64(15, 4), pa.decimal128(12, 2), pa.decimal128(38, 9), pa.decimal128(38, 38),
            pa.decimal256(60, 10), pa.decimal256(76, 38), pa.decimal128(5, -2), pa.decimal128(20, 0),
            pa.decimal256(76, 0),
        )
    },
    pa.float16(): st.floats(width=16).map(np.float16),
    pa.float32(): st.floats(width=32),
    pa.float64(): st.floats() | st.integers(-(2**60), 2**60).map(float),
    pa.bool_(): st.booleans(),
    **dict.fromkeys((pa.string(), pa.large_string(), pa.string_view()), _TEXTS),
    **dict.fromkeys((pa.binary(), pa.large_binary(), pa.binary_view()), _BYTES),
    pa.binary(2): st.binary(min_size=2, max_size=2),
    pa.date32(): ticks(32, -719162, 2932896),
    **{
        kind: ticks(64, *around(kind.unit))
        for unit in ("s", "ms", "us", "ns")
        for kind in (pa.timestamp(unit), pa.timestamp(unit, "UTC"), pa.timestamp(unit, "America/New_York"))
    },
    pa.time32("s"): st.integers(0, DAY) | ticks(32),
    pa.time32("ms"): st.integers(0, DAY * 10**3) | ticks(32, DAY * 10**3),
    pa.time64("us"): st.integers(0, DAY * 10**6) | ticks(64, DAY * 10**6),
    pa.time64("ns"): st.integers(0, DAY * 10**6).map(lambda at: at * 1000) | ticks(64, DAY * 10**9),
    **{pa.duration(unit): ticks(64, DAY * reference.PER_SECOND[unit]) for unit in ("s", "ms", "us", "ns")},
}  # fmt: skip


def build(kind: pa.DataType, values: list[Any]) -> pa.Array:
    """An array of the values, which lies behind an offset."""
    padded = [None, *values]
    if pa.types.is_temporal(kind):
        return pa.array(padded, pa.int32() if kind.bit_width == 32 else pa.int64()).view(kind)[1:]
    return pa.array(padded, kind)[1:]
