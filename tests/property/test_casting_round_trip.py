"""Whatever Arrow hands over, each value becomes the same value in the warehouse's type, or its row is rejected."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from property import casting_reference as reference
from property.arrow_values import DAY, DRAWN, TEXT, build
from property.casting_reference import Bad, Never

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.schema.arrow import arrow_schema
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType, digits
from b2b_recs.engine.sources.casting import cast_batch

W = WarehouseType
ZONES = st.sampled_from(["UTC", "Europe/Rome", "America/New_York", "Asia/Kathmandu", "Africa/Monrovia", "Asia/Manila"])
DIGITS: dict[WarehouseType, list[tuple[int | None, int | None]]] = {
    W.NUMERIC: [(None, None), (12, 2), (38, 0), (9, 9), (1, 0)],
    W.BIGNUMERIC: [(None, None), (38, 38), (40, 10), (76, 0), (39, 38)],
}
OTHERS = [target for target in W if target not in (W.STRING, W.JSON)]
THOROUGH = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
each_type = pytest.mark.parametrize("kind", DRAWN, ids=str)


@st.composite
def columns(draw: st.DrawFn, targets: Sequence[WarehouseType]) -> ColumnMapping:
    """A mapping to one of the types, with some of the digits it can have."""
    target = draw(st.sampled_from(targets))
    precision, scale = draw(st.sampled_from(DIGITS.get(target, [(None, None)])))
    return ColumnMapping("v", "", target, precision=precision, scale=scale)


@each_type
def test_every_value_becomes_the_same_value_or_its_row_is_rejected(kind: pa.DataType) -> None:
    @given(st.lists(st.none() | DRAWN[kind], min_size=1, max_size=12), columns(OTHERS), ZONES)
    @THOROUGH
    def check(drawn: list[Any], column: ColumnMapping, zone: str) -> None:
        compare(kind, drawn, column, zone, wanted, same)

    check()


@each_type
def test_every_value_has_a_text_that_says_all_of_it(kind: pa.DataType) -> None:
    @given(st.lists(st.none() | DRAWN[kind], min_size=1, max_size=12))
    @THOROUGH
    def check(drawn: list[Any]) -> None:
        compare(kind, drawn, ColumnMapping("v", "", W.STRING), "UTC", as_text, reads_as(kind))

    check()


@each_type
def test_every_value_inside_a_record_is_in_its_json(kind: pa.DataType) -> None:
    @given(st.lists(st.none() | DRAWN[kind], min_size=1, max_size=12))
    @THOROUGH
    def check(drawn: list[Any]) -> None:
        values = build(kind, drawn)
        lists = pa.ListArray.from_arrays(pa.array(range(len(drawn) + 1), pa.int32()), values)
        raw = pa.record_batch([pa.StructArray.from_arrays([lists, values], ['a "list"', "value"])], ["v"])
        batch = cast_batch(raw, [ColumnMapping("v", "", W.JSON)], "UTC")
        assert batch.rejected == []
        for got, value in zip(batch.rows.column(0).to_pylist(), drawn, strict=True):
            read = json.loads(got, parse_float=Decimal, parse_int=Decimal)
            assert list(read) == ['a "list"', "value"]
            assert read['a "list"'] == [read["value"]]
            assert in_json(kind, read["value"], value), (got, value)

    check()


LEAVES = {
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.string(): TEXT,
    pa.bool_(): st.booleans(),
    pa.decimal128(38, 9): st.decimals(-(10**20), 10**20, places=9),
}


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Types with what draws their values: lists of every kind, records and maps of ``inner``."""
    lists = [pa.list_, pa.large_list, pa.list_view, pa.large_list_view]

    def a_list(make: Any, item: Any) -> Any:
        return make(item[0]), st.lists(st.none() | item[1], max_size=3)

    def a_fixed(item: Any) -> Any:
        return pa.list_(item[0], 2), st.lists(st.none() | item[1], min_size=2, max_size=2)

    def a_record(items: Any) -> Any:
        names = [f'"{at}é' for at in range(len(items))]
        drawn = {name: st.none() | item[1] for name, item in zip(names, items, strict=True)}
        return pa.struct(list(zip(names, [item[0] for item in items], strict=True))), st.fixed_dictionaries(drawn)

    def a_map(item: Any) -> Any:
        pairs = st.dictionaries(TEXT, st.none() | item[1], max_size=3).map(lambda found: list(found.items()))
        return pa.map_(pa.string(), item[0]), pairs

    return st.one_of(
        st.builds(a_list, st.sampled_from(lists), inner),
        st.builds(a_fixed, inner),
        st.builds(a_record, st.lists(inner, max_size=3)),
        st.builds(a_map, inner),
    )


NESTED = nested(st.recursive(st.sampled_from(list(LEAVES.items())), nested, max_leaves=4))


def plain(kind: pa.DataType, value: Any) -> Any:
    """A nested value as JSON reads it."""
    if value is None:
        return None
    if pa.types.is_map(kind):
        return {key: plain(kind.item_type, item) for key, item in value}
    if pa.types.is_struct(kind):
        return {field.name: plain(field.type, value[field.name]) for field in kind}
    if pa.types.is_nested(kind):
        return [plain(kind.value_type, item) for item in value]
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


@given(NESTED.flatmap(lambda kind: st.tuples(st.just(kind[0]), st.lists(st.none() | kind[1], min_size=1, max_size=5))))
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_lists_records_and_maps_become_json_with_every_value(drawn: tuple[pa.DataType, list[Any]]) -> None:
    kind, values = drawn
    raw = pa.record_batch([pa.array([None, *values], kind)[1:]], ["v"])
    for target in (W.JSON, W.STRING):
        batch = cast_batch(raw, [ColumnMapping("v", "", target)], "UTC")
        assert batch.rejected == []
        for got, value in zip(batch.rows.column(0).to_pylist(), values, strict=True):
            read = None if got is None else json.loads(got, parse_float=Decimal, parse_int=Decimal)
            assert read == plain(kind, value), (got, value)


def compare(
    kind: pa.DataType,
    values: list[Any],
    column: ColumnMapping,
    zone: str,
    expects: Callable[[pa.DataType, Any, ColumnMapping, str], Any],
    equal: Callable[[Any, Any], bool],
) -> None:
    """Casts the values and compares every one with what the reference says."""
    raw = pa.record_batch([pa.array(range(len(values))), build(kind, values)], ["at", "v"])
    mapping = [ColumnMapping("at", "int64", W.INT64), column]
    good: dict[int, Any] = {}
    bad: set[int] = set()
    never = False
    for at, value in enumerate(values):
        try:
            good[at] = None if value is None else expects(kind, value, column, zone)
        except Bad:
            bad.add(at)
        except Never:
            never = True
    try:
        batch = cast_batch(raw, mapping, zone)
    except BadInput as refusal:
        assert never or not any(value is not None for value in values), refusal
        return
    assert not never
    batch.rows.validate(full=True)
    assert batch.rows.schema.equals(arrow_schema(mapping), check_metadata=True)
    got = dict(zip(batch.rows.column(0).to_pylist(), batch.rows.column(1).to_pylist(), strict=True))
    assert {row.row["at"]: row.column for row in batch.rejected} == {str(at): "v" for at in bad}
    assert all(row.reason.startswith("v: ") and row.row["v"] is not None for row in batch.rejected)
    assert set(got) == set(good)
    for at, expected in good.items():
        assert got[at] is None if expected is None else equal(got[at], expected), (values[at], got[at], expected)


def wanted(kind: pa.DataType, value: Any, column: ColumnMapping, zone: str) -> Any:
    """What the reference says the value becomes."""
    target, size = column.warehouse_type, digits(column)
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        return reference.from_number(Decimal(value), True, target, size)
    if pa.types.is_floating(kind):
        return reference.from_float(value, target, size, single=kind == pa.float32())
    if pa.types.is_boolean(kind) and target in (W.BOOL, W.INT64):
        return value if target is W.BOOL else int(value)
    if isinstance(value, str):
        return reference.from_text(value, target, size)
    if isinstance(value, bytes) and target is W.BYTES:
        return value
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return reference.from_calendar(kind, value, target, zone)
    if (pa.types.is_time(kind) or pa.types.is_duration(kind)) and target is W.TIME:
        return reference.time_of_day(value, kind.unit)
    raise Never


def same(got: Any, expected: Any) -> bool:
    if isinstance(expected, float):
        return (math.isnan(expected) and math.isnan(got)) or got == expected
    if isinstance(expected, Decimal):
        return "E" not in str(got) and Decimal(got) == expected if isinstance(got, str) else bool(got == expected)
    return type(got) is type(expected) and bool(got == expected)


def as_text(kind: pa.DataType, value: Any, column: ColumnMapping, zone: str) -> Any:
    """The text wanted, or the value itself where the text is read back."""
    if pa.types.is_floating(kind) or pa.types.is_duration(kind):
        return value
    return reference.printed(kind, value)


def reads_as(kind: pa.DataType) -> Callable[[Any, Any], bool]:
    """Whether a text is the wanted one, or reads back as the value."""
    if pa.types.is_floating(kind):
        read = np.float32 if kind == pa.float32() else np.float64
        return lambda got, expected: bool(np.array_equal(read(got), read(expected), equal_nan=True))
    if pa.types.is_duration(kind):
        return lambda got, expected: reference.span(got, kind.unit) == expected
    return lambda got, expected: bool(got == expected)


def in_json(kind: pa.DataType, read: Any, value: Any) -> bool:
    """Whether what JSON holds is the value."""
    if value is None:
        return read is None
    if isinstance(value, bytes):
        return base64.b64decode(read) == value
    if pa.types.is_floating(kind):
        return isinstance(read, str) is not bool(np.isfinite(value)) and reads_as(kind)(str(read), value)
    if pa.types.is_duration(kind):
        return reads_as(kind)(read, value)
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        return bool(read == value)
    return bool(read == (value if pa.types.is_boolean(kind) else reference.printed(kind, value)))


def test_the_reference_can_refuse() -> None:
    assert DAY == 86_400
    for text, target in (("x", W.DATE), ("1e30", W.INT64), ("2024-02-30", W.DATETIME), ("maybe", W.BOOL)):
        with pytest.raises(Bad):
            reference.from_text(text, target, (38, 9))
