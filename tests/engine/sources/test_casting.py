# ruff: noqa: DTZ001 - times without a zone are what is tested
"""What becomes of batches: ways of packing, text that is none, formats of dates, empty columns, refusals in words."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.schema.types import ColumnMapping, Mode, WarehouseType
from b2b_recs.engine.sources.casting import cast_batch, cast_columns, numbers
from b2b_recs.engine.sources.contract import Batch

W = WarehouseType


def cast(values: pa.Array, target: WarehouseType, zone: str = "Europe/Rome", **changes: Any) -> Batch:
    return cast_batch(pa.record_batch([values], ["v"]), [ColumnMapping("v", str(values.type), target, **changes)], zone)


def taken(batch: Batch) -> list[Any]:
    assert batch.rejected == []
    return batch.rows.column(0).to_pylist()  # type: ignore[no-any-return]


def reasons(batch: Batch) -> list[str]:
    return [row.reason for row in batch.rejected]


def raw_text(*values: bytes) -> pa.Array:
    """Text as a careless driver hands it over, whatever bytes it is made of."""
    return pa.array(values, pa.binary()).view(pa.string())


@pytest.mark.parametrize(
    "values",
    [
        pa.array(["a", None, "a"], pa.dictionary(pa.int8(), pa.string())),
        pa.array(["a", None, "a"], pa.large_string()),
        pa.array(["a", None, "a"], pa.string_view()),
        pa.RunEndEncodedArray.from_arrays(pa.array([1, 2, 3], pa.int32()), pa.array(["a", None, "a"])),
        pa.ExtensionArray.from_storage(pa.opaque(pa.string(), "varchar", "vendor"), pa.array(["a", None, "a"])),
        pa.array(["-", "a", None, "a"])[1:],
    ],
    ids=["dictionary", "large", "view", "runs", "opaque", "slice"],
)
def test_text_is_the_same_however_it_is_packed(values: pa.Array) -> None:
    assert taken(cast(values, W.STRING)) == ["a", None, "a"]
    refused = cast(values, W.INT64)
    assert [(row.row, row.reason) for row in refused.rejected] == [({"v": "a"}, "v: a is not a number")] * 2
    assert refused.rows.column(0).to_pylist() == [None]


def test_extension_types_become_what_they_stand_for() -> None:
    number = bytes.fromhex("a0eebc999c0b4ef8bb6d6bb9bd380a11")
    identifiers = pa.ExtensionArray.from_storage(pa.uuid(), pa.array([number, None], pa.binary(16)))
    assert taken(cast(identifiers, W.STRING)) == ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", None]
    documents = pa.ExtensionArray.from_storage(pa.json_(), pa.array(['{"b" : 1.10}', None, "{"]))
    batch = cast(documents, W.JSON)
    assert (batch.rows.column(0).to_pylist(), reasons(batch)) == (['{"b" : 1.10}', None], ["v: { is not JSON"])
    assert taken(cast(documents, W.STRING)) == ['{"b" : 1.10}', None, "{"]
    flags = pa.ExtensionArray.from_storage(pa.bool8(), pa.array([0, 1, None, 7], pa.int8()))
    assert taken(cast(flags, W.BOOL)) == [False, True, None, True]


def test_dates_in_milliseconds_are_dates_only_at_midnight() -> None:
    values = pa.array([0, -86_400_000, 86_400_001], pa.int64()).view(pa.date64())
    assert taken(cast(values[:2], W.DATE)) == [date(1970, 1, 1), date(1969, 12, 31)]
    assert reasons(cast(values, W.DATE)) == ["v: 1970-01-02 00:00:00.001 has a time of day, which a date would lose"]


def test_unions_become_json_value_by_value() -> None:
    sparse = pa.UnionArray.from_sparse(
        pa.array([0, 0, 1, 0], pa.int8()), [pa.array([9, 1, 2, None]), pa.array(["w", "x", "y", "z"])]
    )
    dense = pa.UnionArray.from_dense(
        pa.array([0, 0, 1, 0], pa.int8()), pa.array([0, 1, 0, 2], pa.int32()), [pa.array([9, 1, None]), pa.array(["y"])]
    )
    for union in (sparse, dense):
        assert taken(cast(union, W.JSON)) == ["9", "1", '"y"', None]
        assert taken(cast(union[1:], W.JSON)) == ["1", '"y"', None]


def test_intervals_are_iso_8601_with_every_part_apart() -> None:
    kind = pa.month_day_nano_interval()
    values = pa.array([(14, 3, 14_706_700_000_000), (0, 0, 0), (-1, 40, -1), (0, 0, 86_400_000_000_000), None], kind)
    wanted = ["P1Y2M3DT4H5M6.7S", "PT0S", "P-1M40DT-0.000000001S", "PT24H", None]
    assert taken(cast(values, W.STRING)) == wanted


@pytest.mark.parametrize("target", [W.STRING, W.BYTES, W.INT64, W.DATE, W.JSON, W.BOOL, W.NUMERIC, W.TIME, W.GEOGRAPHY])
def test_text_that_is_not_utf8_is_rejected_and_shown(target: WarehouseType) -> None:
    batch = cast(raw_text(b"caf\xe9", b"\xed\xa0\x80"), target)
    assert [row.row["v"] for row in batch.rejected] == ["\\x636166e9", "\\xeda080"]
    assert all("is not text in UTF-8" in reason for reason in reasons(batch))


def test_text_that_is_not_utf8_inside_a_list_is_rejected() -> None:
    lists = pa.ListArray.from_arrays(pa.array([0, 1, 2], pa.int32()), raw_text(b"ok", b"\xff"))
    batch = cast(lists, W.JSON)
    assert batch.rows.column(0).to_pylist() == ['["ok"]']
    assert "UTF-8" in reasons(batch)[0]
    assert batch.rejected[0].row["v"] == '[["\ufffd"]]'


def test_bytes_are_text_only_when_they_are_utf8() -> None:
    values = pa.array(["é".encode(), b"\xff", None])
    assert taken(cast(values, W.BYTES)) == ["é".encode(), b"\xff", None]
    batch = cast(values, W.STRING)
    assert (batch.rows.column(0).to_pylist(), reasons(batch)) == (["é", None], ["v: \\xff is not text in UTF-8"])


def test_half_surrogates_in_json_are_json() -> None:
    assert taken(cast(pa.array(['"\\ud800"']), W.JSON)) == ['"\\ud800"']
    assert reasons(cast(pa.array(["NaN"]), W.JSON)) == ["v: NaN is not JSON"]


NUMBERS = [
    (
        "1.234,56",
        ["1.234,56", "1234,56", " -0,5", "+1.234.567", ",25", "7,", None],
        "1234.56 1234.56 -0.5 1234567 .25 7",
    ),
    ("1234,56", ["1234,56", "0", "1,5E+3", None], "1234.56 0 1500"),
    ("1 234,56", ["1 234,56", "1\u00a0234\u202f567,5", None], "1234.56 1234567.5"),
    ("1'234.56", ["1'234.56", "1\u2019234", None], "1234.56 1234"),
    ("1,234.56", ["1,234.56", "-1,234,567", "12.5", None], "1234.56 -1234567 12.5"),
]


@pytest.mark.parametrize(("form", "written", "meant"), NUMBERS, ids=[form for form, _, _ in NUMBERS])
@pytest.mark.parametrize("target", [W.NUMERIC, W.BIGNUMERIC, W.FLOAT64])
def test_numbers_are_read_in_their_format_digit_by_digit(
    form: str, written: list[str | None], meant: str, target: WarehouseType
) -> None:
    values = taken(cast(pa.array(written), target, format=form))
    assert [None if value is None else Decimal(str(value)) for value in values] == [*map(Decimal, meant.split()), None]


def test_a_number_of_many_digits_never_passes_through_a_binary_fraction() -> None:
    written = ["12.345.678.901.234.567.890.123.456,123456789"] * 3
    assert (
        taken(cast(pa.array(written), W.NUMERIC, format="1.234,56"))
        == [Decimal("12345678901234567890123456.123456789")] * 3
    )
    assert taken(cast(pa.array(["9.223.372.036.854.775.807"]), W.INT64, format="1.234,56")) == [2**63 - 1]


def test_rows_that_are_written_in_another_way_are_rejected_with_the_format() -> None:
    written = ["1.234,56", "1,234.56", "1.23,4", "0.123,4", "12.34", "1 234", "", "x", "1,5,5"]
    batch = cast(pa.array(written), W.NUMERIC, format="1.234,56")
    assert batch.rows.num_rows == 1
    assert reasons(batch) == [f"v: {text} is not a number written 1.234,56" for text in written[1:]]
    long = cast(pa.array(["9" * 101 + ",5", "1" + ".000" * 40]), W.FLOAT64, format="1.234,56")
    assert all("is not a number" in reason for reason in reasons(long))
    assert reasons(cast(pa.array(["1,5"]), W.INT64, format="1.234,56")) == [
        "v: 1,5 has digits after the point, which a whole number would lose"
    ]


def test_many_numbers_in_a_format_are_read_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(text: str) -> None:
        raise AssertionError(text)

    monkeypatch.setattr(numbers, "_read", never)
    written = [f"{at // 100:,}".replace(",", ".") + f",{at % 100:02}" for at in range(0, 10_000_000, 997)]
    values = taken(cast(pa.array(written), W.NUMERIC, format="1.234,56"))
    assert values == [Decimal(at).scaleb(-2) for at in range(0, 10_000_000, 997)]


def test_text_is_any_binary_fraction_that_can_be_held() -> None:
    written = ["1e-300", "5e-324", "-2.225073858507201E-308", "1.7976931348623157e+308", " 0.1", "1e22", "-0"]
    assert taken(cast(pa.array([*written, None]), W.FLOAT64)) == [*map(float, written), None]
    beyond = cast(pa.array(["1e309", "2e-324", "1e-400", "0.1000000000000000055"]), W.FLOAT64)
    assert reasons(beyond) == [
        "v: 1e309 is too large for FLOAT64",
        "v: 2e-324 is too small for FLOAT64",
        "v: 1e-400 is too small for FLOAT64",
        "v: 0.1000000000000000055 has more digits than FLOAT64 keeps",
    ]
    assert reasons(cast(pa.array(["1e999", "1e-999"]), W.INT64))[1].endswith("a whole number would lose")
    assert len(reasons(cast(pa.array(["1e999", "1e-999"]), W.NUMERIC))) == 2


def test_a_required_column_refuses_rows_without_a_value() -> None:
    batch = cast(pa.array([1, None]), W.INT64, mode=Mode.REQUIRED)
    assert batch.rows.column(0).to_pylist() == [1]
    assert reasons(batch) == ["v: NULL is empty, and the column is required"]
    nothing = cast(pa.nulls(2), W.DATE, mode=Mode.REQUIRED)
    assert (nothing.rows.num_rows, len(nothing.rejected)) == (0, 2)


@pytest.mark.parametrize("target", list(W))
def test_a_column_without_any_value_becomes_every_type(target: WarehouseType) -> None:
    batch = cast(pa.nulls(3), target)
    assert taken(batch) == [None, None, None]


def test_rejected_rows_keep_every_column_and_name_the_first_at_fault() -> None:
    raw = pa.record_batch(
        [pa.array([1, 2, 3]), pa.array(["x", "2", "y"]), pa.array([Decimal("1.50"), None, Decimal("-1.00")])],
        ["key", "whole", "amount"],
    )
    columns = [
        ColumnMapping("key", "int64", W.INT64),
        ColumnMapping("whole", "string", W.INT64),
        ColumnMapping("amount", "decimal", W.INT64),
    ]
    batch = cast_batch(raw, columns, "UTC")
    assert batch.rows.to_pylist() == [{"key": 2, "whole": 2, "amount": None}]
    assert [(row.row, row.column, row.reason) for row in batch.rejected] == [
        ({"key": "1", "whole": "x", "amount": "1.50"}, "whole", "whole: x is not a number"),
        ({"key": "3", "whole": "y", "amount": "-1.00"}, "whole", "whole: y is not a number"),
    ]


def test_a_fault_among_many_rows_takes_out_that_row_only() -> None:
    values = [str(at) for at in range(100_000)]
    values[70_001] = "seventy"
    batch = cast(pa.array(values), W.INT64)
    assert batch.rows.column(0).to_pylist() == [at for at in range(100_000) if at != 70_001]
    assert reasons(batch) == ["v: seventy is not a number"]


def test_a_long_value_is_shortened_in_its_reason() -> None:
    batch = cast(pa.array(["x" * 100]), W.INT64)
    assert reasons(batch) == [f"v: {'x' * 60}… is not a number"]
    assert batch.rejected[0].row["v"] == "x" * 100


@pytest.mark.parametrize(
    ("form", "text", "wanted"),
    [
        ("%d/%m/%Y", "31/12/2024", date(2024, 12, 31)),
        ("%d/%m/%Y", " 1/2/2024 ", date(2024, 2, 1)),
        ("%m/%d/%Y", "02/01/2024", date(2024, 2, 1)),
        ("%d.%m.%Y", "29.2.2024", date(2024, 2, 29)),
        ("%Y%m%d", "20240229", date(2024, 2, 29)),
        ("%Y/%m/%d", "2024/2/9", date(2024, 2, 9)),
        ("%d/%m/%Y %H:%M", "31/12/2024 9:05", datetime(2024, 12, 31, 9, 5)),
        ("%d.%m.%Y %H:%M:%S.%f", "01.02.2024 23:59:59.5", datetime(2024, 2, 1, 23, 59, 59, 500_000)),
        ("%m/%d/%Y %I:%M %p", "1/2/2024 12:05 am", datetime(2024, 1, 2, 0, 5)),
        ("%m/%d/%Y %I:%M:%S %p", "1/2/2024 12:00:01 PM", datetime(2024, 1, 2, 12, 0, 1)),
        ("%m/%d/%Y %I:%M:%S %p", "1/2/2024 3:00:01 PM", datetime(2024, 1, 2, 15, 0, 1)),
        ("%Y%m%d%H%M%S", "20240229235958", datetime(2024, 2, 29, 23, 59, 58)),
        ("%Y-%m-%d %H:%M", "2024-02-29 23:59", datetime(2024, 2, 29, 23, 59)),
        ("%d-%m-%Y", "1-2-0001", date(1, 2, 1)),
    ],
)
def test_text_is_read_in_its_format(form: str, text: str, wanted: date) -> None:
    target = W.DATETIME if isinstance(wanted, datetime) else W.DATE
    assert taken(cast(pa.array([text, None]), target, format=form)) == [wanted, None]
    batch = cast(pa.array([text, "x", "2024-01-01"]), target, format=form)
    assert batch.rows.column(0).to_pylist() == [wanted]
    assert len(batch.rejected) == 2
    if target is W.DATE:
        midnight = datetime(wanted.year, wanted.month, wanted.day)
        assert taken(cast(pa.array([text]), W.DATETIME, format=form)) == [midnight]


def test_a_date_that_does_not_exist_is_rejected_in_its_format() -> None:
    batch = cast(
        pa.array(["30/02/2024", "01/13/2024", "00/01/2024", "01/01/0000", "01/01/24"]), W.DATE, format="%d/%m/%Y"
    )
    assert reasons(batch) == [
        "v: 30/02/2024 names a day its month does not have",
        *[
            f"v: {text} is not a date written DD/MM/YYYY"
            for text in ("01/13/2024", "00/01/2024", "01/01/0000", "01/01/24")
        ],
    ]


@pytest.mark.parametrize(
    ("values", "target", "form", "words"),
    [
        (pa.array(["x"]), W.DATE, "%d %B %Y", "cannot be read in the format"),
        (pa.array(["x"]), W.DATE, "%d/%m/%Y %H:%M", "has a time of day"),
        (pa.array(["x"]), W.TIMESTAMP, "%d/%m/%Y", "for dates only"),
        (pa.array(["x"]), W.INT64, "%d/%m/%Y", "for dates only"),
        (pa.array([1]), W.DATE, "%d/%m/%Y", "cannot read"),
        (pa.array(["x"]), W.DATE, "1.234,56", "for numbers only"),
        (pa.array(["x"]), W.NUMERIC, "1_234", "cannot be read in the format"),
        (pa.array([1]), W.NUMERIC, "1.234,56", "cannot read"),
    ],
)
def test_a_format_that_does_not_apply_is_refused(
    values: pa.Array, target: WarehouseType, form: str, words: str
) -> None:
    with pytest.raises(BadInput, match=words) as refusal:
        cast(values, target, format=form)
    assert refusal.value.field == "v"


@pytest.mark.parametrize(
    ("values", "target"),
    [
        (pa.array([1.5]), W.BOOL),
        (pa.array([True]), W.NUMERIC),
        (pa.array([datetime(2024, 1, 1)]), W.INT64),
        (pa.array([date(2024, 1, 1)]), W.TIME),
        (pa.array([b"x"]), W.JSON),
        (pa.array([1]), W.GEOGRAPHY),
        (pa.array([[1]]), W.INT64),
    ],
)
def test_what_cannot_become_the_type_is_refused_with_advice(values: pa.Array, target: WarehouseType) -> None:
    with pytest.raises(BadInput, match=f"cannot become {target}") as refusal:
        cast(values, target)
    assert refusal.value.field == "v"
    assert "Choose STRING" in refusal.value.advice
    with pytest.raises(BadInput):
        cast_columns(pa.schema([("v", values.type)]), [ColumnMapping("v", "", target)])


def test_a_mapping_with_impossible_digits_is_refused() -> None:
    with pytest.raises(BadInput, match="39 digits"):
        cast(pa.array([1]), W.NUMERIC, precision=39, scale=0)


def test_the_zone_decides_about_clocks_long_after_2037() -> None:
    summer = pa.array([datetime(2050, 7, 1, 12), datetime(2050, 1, 1, 12)])
    assert taken(cast(summer, W.TIMESTAMP)) == [
        datetime(2050, 7, 1, 10, tzinfo=UTC),
        datetime(2050, 1, 1, 11, tzinfo=UTC),
    ]
    open_ended = pa.array([datetime(2024, 7, 1, 12), None, datetime(9999, 12, 30), datetime(2024, 1, 1, 12)])
    assert taken(cast(open_ended, W.TIMESTAMP)) == [
        datetime(2024, 7, 1, 10, tzinfo=UTC),
        None,
        datetime(9999, 12, 29, 23, tzinfo=UTC),
        datetime(2024, 1, 1, 11, tzinfo=UTC),
    ]
    skipped = cast(pa.array([datetime(2024, 3, 31, 2, 30)]), W.TIMESTAMP)
    assert reasons(skipped) == ["v: 2024-03-31 02:30:00.000000 does not exist in Europe/Rome: clocks jump over it"]
    twice = pa.array([datetime(2024, 10, 27, 0, 30, tzinfo=UTC), datetime(2024, 10, 27, 1, 30, tzinfo=UTC)])
    batch = cast(twice, W.DATETIME)
    assert batch.rows.column(0).to_pylist() == [datetime(2024, 10, 27, 2, 30)]
    assert reasons(batch) == ["v: 2024-10-27 00:30:00.000000Z happens twice in Europe/Rome: clocks go back"]


def test_the_first_hours_of_the_first_year_are_no_wall_clock_west_of_it() -> None:
    first = pa.array([-62_135_596_800 + 1_200], pa.int64()).view(pa.timestamp("s", "UTC"))
    assert taken(cast(first, W.DATETIME, "UTC")) == [datetime(1, 1, 1, 0, 20)]
    assert reasons(cast(first, W.DATETIME, "America/New_York")) == [
        "v: 0001-01-01 00:20:00Z lies outside the years 1 to 9999"
    ]


def test_json_keeps_every_digit_and_every_sign() -> None:
    record = {
        "n": Decimal("12345678901234567890.123456789"),
        "tiny": Decimal("0E-9"),
        "text": 'a "quoted"\n\\ line \x01 é 🙂',
        "none": None,
    }
    kind = pa.struct(
        [("n", pa.decimal128(38, 9)), ("tiny", pa.decimal128(38, 9)), ("text", pa.string()), ("none", pa.int64())]
    )
    (text,) = taken(cast(pa.array([record], kind), W.JSON))
    assert '"n":12345678901234567890.123456789' in text
    assert '"tiny":0.000000000' in text
    assert json.loads(text, parse_float=Decimal)["text"] == record["text"]


def test_a_batch_without_rows_has_the_wanted_types() -> None:
    batch = cast(pa.array([], pa.string()), W.DATE)
    assert batch.rows.schema.field("v").type == pa.date32()
    assert batch.rows.num_rows == 0
