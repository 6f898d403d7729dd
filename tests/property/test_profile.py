"""Statistics of a table against slow, obvious ones."""

from __future__ import annotations

import math
import tempfile
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from b2b_recs.engine.profile.counting import TOP
from b2b_recs.engine.profile.document import ColumnProfile
from b2b_recs.engine.profile.statistics import profile_table
from b2b_recs.engine.profile.values import plain
from b2b_recs.engine.warehouse.local import LocalWarehouse

NOW = datetime(2026, 6, 1, tzinfo=UTC)
TEXTS = st.one_of(st.sampled_from(["London", "LONDON", " Rome", "", "N/A", "naïve 🙂", "=1+1"]), st.text(max_size=4))
COLUMNS: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "whole": (pa.int64(), st.one_of(st.integers(-3, 3), st.integers(-(2**62), 2**62))),
    "real": (pa.float64(), st.floats(-1e9, 1e9).map(lambda value: value + 0.0)),  # no -0.0, which equals 0.0
    "money": (pa.decimal128(12, 2), st.integers(-(10**9), 10**9).map(lambda cents: Decimal(f"{cents}E-2"))),
    "text": (pa.string(), TEXTS.filter(lambda text: "\x00" not in text)),
    "flag": (pa.bool_(), st.booleans()),
    "day": (pa.date32(), st.dates(date(1950, 1, 1), date(2050, 1, 1))),
    "at": (
        pa.timestamp("us", tz="UTC"),
        st.datetimes(datetime(1960, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds
    ),
    "bytes": (pa.binary(), st.binary(max_size=3)),
}
rows = st.lists(
    st.fixed_dictionaries({name: st.none() | values for name, (_, values) in COLUMNS.items()}), min_size=1, max_size=40
)


@settings(max_examples=10, deadline=None)
@given(rows=rows)
def test_statistics_equal_those_of_plain_python(rows: list[dict[str, Any]]) -> None:
    schema = pa.schema([pa.field(name, kind) for name, (kind, _) in COLUMNS.items()])
    with tempfile.TemporaryDirectory() as folder:
        table = LocalWarehouse(Path(folder)).table("raw_data", "bq_rows")
        table.append(pa.Table.from_pylist(rows, schema))
        profile = profile_table(table, 0, NOW, key=("whole", "text"))
    assert (profile.rows, profile.stopped) == (len(rows), "")
    for column in profile.columns:
        values = [row[column.name] for row in rows if row[column.name] is not None]
        check(column, values, len(rows))
    keys = [(row["whole"], row["text"]) for row in rows]
    whole = Counter(key for key in keys if None not in key)
    assert profile.key is not None
    assert profile.key.repeated == sum(count for count in whole.values() if count > 1)
    assert profile.key.with_null == sum(None in key for key in keys)


def check(column: ColumnProfile, values: list[Any], rows: int) -> None:
    """Compare one column with what a loop over its values finds."""
    assert column.rows == rows
    assert column.nulls == rows - len(values)
    if column.kind == "bytes":
        sizes = [len(value) for value in values]
    else:
        assert column.distinct_exact
        assert column.distinct == len(set(values))
        counts = sorted(Counter(values).items(), key=lambda item: (-item[1], item[0]))[:TOP]
        assert [(one.value, one.rows) for one in column.top] == [(plain(value), count) for value, count in counts]
        sizes = [len(value) for value in values] if column.kind == "text" else []
    if sizes:
        assert column.lengths is not None
        assert (column.lengths.shortest, column.lengths.longest) == (min(sizes), max(sizes))
        assert math.isclose(column.lengths.mean, sum(sizes) / len(sizes))
    if column.kind in ("number", "moment", "text") and values:
        assert (column.minimum, column.maximum) == (plain(min(values)), plain(max(values)))
    if column.kind == "number" and values:
        exact = float(sum(Decimal(value) for value in values) / len(values))
        assert column.mean is not None
        assert math.isclose(column.mean, exact, rel_tol=1e-9, abs_tol=1e-6)
    if column.histogram is not None:
        bars = column.histogram
        assert len(bars.edges) == len(bars.rows) + 1
        assert sum(bars.rows) + bars.below + bars.above == len(values)
    elif column.kind in ("number", "moment"):
        assert len(set(values)) <= 1
    check_signs(column, values)


def check_signs(column: ColumnProfile, values: list[Any]) -> None:
    """Compare the signs of faults with what a loop finds."""
    signs = {sign.what: sign.count for sign in column.signs}
    expected: dict[str, int] = {}
    if column.kind == "text":
        edges = " \t\n\r\u00a0"
        words = {"n/a", "na", "nan", "null", "none", "-", "--", "?"}
        expected["empty"] = values.count("")
        expected["spaces"] = sum(bool(value) and (value[0] in edges or value[-1] in edges) for value in values)
        expected["placeholder"] = sum(value.lower() in words for value in values)
        expected["damaged"] = sum("\ufffd" in value for value in values)
    elif column.kind == "number":
        expected["negative"] = sum(value < 0 for value in values)
    elif column.name == "at":
        expected["future"] = sum(value > NOW for value in values)
        expected["before_1970"] = sum(value < datetime(1970, 1, 1, tzinfo=UTC) for value in values)
    elif column.name == "day":
        expected["future"] = sum(value > (NOW + timedelta(hours=26)).date() for value in values)
        expected["before_1970"] = sum(value < date(1970, 1, 1) for value in values)
    assert {name: signs.get(name, 0) for name in expected} == expected


@settings(max_examples=3, deadline=None)
@given(values=st.lists(st.integers(-(10**6), 10**6), min_size=30, max_size=60, unique=True))
def test_a_sample_is_counted_when_memory_is_short_and_says_so(values: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        table = LocalWarehouse(Path(folder)).table("raw_data", "bq_rows")
        table.append(pa.table({"n": values}))
        column = profile_table(table, 0, NOW, budget=640).columns[0]
    assert (column.rows, column.nulls, column.minimum, column.maximum) == (len(values), 0, min(values), max(values))
    assert column.counted_rows == 10 and column.sampled
    assert not column.distinct_exact
    assert abs(column.distinct - len(values)) <= 0.35 * len(values)
    assert {one.value for one in column.top} <= set(values)
