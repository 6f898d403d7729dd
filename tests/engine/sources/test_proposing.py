"""What a source's rules and its sampled values propose."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pytest

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.schema.types import ColumnMapping, Confidence, Mode, WarehouseType
from b2b_recs.engine.sources.arrow_rules import ARROW_RULES
from b2b_recs.engine.sources.arrow_types import arrow_name, arrow_rule
from b2b_recs.engine.sources.casting import cast_batch, cast_columns
from b2b_recs.engine.sources.contract import ColumnInfo
from b2b_recs.engine.sources.decimals import sampled_decimal_rule
from b2b_recs.engine.sources.postgresql.conversions import Given, convert
from b2b_recs.engine.sources.postgresql.types import Kind
from b2b_recs.engine.sources.proposing import TypeRule, propose_columns

W = WarehouseType
TEXT = TypeRule(W.STRING, "Text stays text.", family="text")
DECIMAL = TypeRule(W.NUMERIC, "Exact decimals.", family="decimal")


def proposed(rule: TypeRule, samples: list[str | None], *, text_only: bool = False, **changes: int) -> ColumnMapping:
    column = ColumnInfo("c", "its type", True, **changes)
    return propose_columns([column], {"c": samples}, lambda _: rule, text_only=text_only)[0]


def test_a_rule_without_a_family_is_taken_as_it_is() -> None:
    rule = TypeRule(W.NUMERIC, "Because.", Confidence.LOW, "Careful.", (20, 0))
    wanted = ColumnMapping("c", "its type", W.NUMERIC, Mode.NULLABLE, 20, 0, Confidence.LOW, "Because.", "Careful.")
    assert proposed(rule, ["2024-01-01"] * 500) == wanted
    (required,) = propose_columns([ColumnInfo("c", "its type", False)], {}, lambda _: rule)
    assert required.mode is Mode.REQUIRED


@pytest.mark.parametrize(
    ("precision", "scale", "kind", "digits"),
    [
        (12, 2, W.NUMERIC, (12, 2)),
        (38, 9, W.NUMERIC, (38, 9)),
        (38, 0, W.BIGNUMERIC, (38, 0)),
        (5, -2, W.NUMERIC, (7, 0)),
        (3, 5, W.NUMERIC, (5, 5)),
        (76, 38, W.BIGNUMERIC, (76, 38)),
        (76, 0, W.STRING, (None, None)),
    ],
)
def test_declared_digits_are_kept(
    precision: int, scale: int, kind: WarehouseType, digits: tuple[int | None, int | None]
) -> None:
    mapping = proposed(DECIMAL, [], precision=precision, scale=scale)
    assert (mapping.warehouse_type, (mapping.precision, mapping.scale)) == (kind, digits)


def test_numbers_in_text_get_the_digits_they_need() -> None:
    small = proposed(TEXT, ["1.5", "2"] * 100, text_only=True)
    assert (small.warehouse_type, small.precision, small.scale) == (W.NUMERIC, 38, 9)
    long = proposed(TEXT, ["0.12345678901"] * 200, text_only=True)
    assert (long.warehouse_type, long.precision) == (W.BIGNUMERIC, None)
    endless = proposed(TEXT, ["9" * 50] * 200, text_only=True)
    assert endless.warehouse_type is W.STRING
    typed = proposed(TEXT, ["1.5", "2"] * 100)
    assert (typed.warehouse_type, typed.precision, typed.confidence) == (W.NUMERIC, 38, Confidence.MEDIUM)
    assert proposed(TEXT, ["1.5", "2"]).warehouse_type is W.STRING
    assert proposed(TEXT, ["1", "2"] * 100, key_position=1).warehouse_type is W.STRING


def test_numbers_in_another_format_come_with_it_and_are_read_by_it() -> None:
    samples: list[str | None] = ["1.234,56", "-0,5", "7"] * 100
    mapping = proposed(TEXT, samples, text_only=True)
    assert (mapping.warehouse_type, mapping.precision, mapping.scale, mapping.format) == (W.NUMERIC, 38, 9, "1.234,56")
    batch = cast_batch(pa.record_batch([pa.array(samples)], ["c"]), [mapping], "UTC")
    assert batch.rejected == [] and batch.rows["c"].to_pylist()[:2] == [Decimal("1234.56"), Decimal("-0.5")]
    long = proposed(TEXT, ["0,12345678901"] * 200, text_only=True)
    assert (long.warehouse_type, long.format) == (W.BIGNUMERIC, "1234,56")
    endless = proposed(TEXT, ["9" * 50 + ",5"] * 200, text_only=True)
    assert (endless.warehouse_type, endless.format) == (W.STRING, "")
    typed = proposed(TEXT, samples)
    assert (typed.warehouse_type, typed.format) == (W.NUMERIC, "1.234,56")
    kept = proposed(TEXT, samples, key_position=1)
    assert (kept.warehouse_type, kept.format) == (W.STRING, "") and "1.234,56" in kept.reason


def test_the_name_of_a_column_says_whether_it_holds_codes() -> None:
    columns = [ColumnInfo(name, "text", True) for name in ("customer_no", "quantity", "document")]
    samples = {"customer_no": ["10"] * 300, "quantity": ["10"] * 300, "document": ["{}"] * 300}
    found = propose_columns(columns, samples, lambda _: TEXT)
    assert [one.warehouse_type for one in found] == [W.STRING, W.INT64, W.JSON]
    (kept,) = propose_columns([ColumnInfo("document", "text", True, tells_json=False)], samples, lambda _: TEXT)
    assert kept.warehouse_type is W.STRING


def test_dates_in_another_order_come_with_their_format_and_are_read_by_it() -> None:
    samples: list[str | None] = ["31/12/2024"] * 300
    mapping = proposed(TEXT, samples)
    assert (mapping.warehouse_type, mapping.format) == (W.DATE, "%d/%m/%Y")
    batch = cast_batch(pa.record_batch([pa.array(samples)], ["c"]), [mapping], "UTC")
    assert batch.rejected == []
    column = ColumnInfo("c", "text", True)
    (kept,) = propose_columns([column], {"c": samples}, lambda _: TEXT, formats=False)
    assert (kept.warehouse_type, kept.format) == (W.STRING, "")
    assert "DD/MM/YYYY" in kept.reason


def test_a_server_that_casts_refuses_a_format() -> None:
    target = ColumnMapping("c", "text", W.DATE, format="%d/%m/%Y")
    given = Given('"c"', Kind.TEXT, target, None, None, "text", "pg_catalog", "UTC", 180000)
    with pytest.raises(BadInput, match="has the format") as refusal:
        convert(given)
    assert refusal.value.field == "c"


def test_large_text_is_warned_of() -> None:
    assert "leave the column out" in proposed(TEXT, ["x" * 100_000]).warning
    assert proposed(TEXT, ["x" * 99_999]).warning == ""


ARROW_TYPES = [
    (pa.int8(), "int8", W.INT64),
    (pa.uint64(), "uint64", W.NUMERIC),
    (pa.float16(), "halffloat", W.FLOAT64),
    (pa.decimal128(12, 2), "decimal128(12, 2)", W.NUMERIC),
    (pa.decimal128(38, 0), "decimal128(38, 0)", W.BIGNUMERIC),
    (pa.decimal256(76, 0), "decimal256(76, 0)", W.STRING),
    (pa.bool_(), "bool", W.BOOL),
    (pa.bool8(), "bool8", W.BOOL),
    (pa.string(), "string", W.STRING),
    (pa.large_string(), "large_string", W.STRING),
    (pa.string_view(), "string_view", W.STRING),
    (pa.dictionary(pa.int8(), pa.string()), "string", W.STRING),
    (pa.run_end_encoded(pa.int32(), pa.date32()), "date32[day]", W.DATE),
    (pa.binary(), "binary", W.BYTES),
    (pa.binary(4), "fixed_size_binary[4]", W.BYTES),
    (pa.date64(), "date64[ms]", W.DATE),
    (pa.timestamp("ns"), "timestamp[ns]", W.DATETIME),
    (pa.timestamp("ms", "Europe/Rome"), "timestamp[ms, tz=Europe/Rome]", W.TIMESTAMP),
    (pa.time32("s"), "time32[s]", W.TIME),
    (pa.time64("ns"), "time64[ns]", W.TIME),
    (pa.duration("us"), "duration[us]", W.STRING),
    (pa.month_day_nano_interval(), "month_day_nano_interval", W.STRING),
    (pa.uuid(), "uuid", W.STRING),
    (pa.json_(), "json", W.JSON),
    (pa.opaque(pa.binary(), "geometry", "vendor"), "opaque", W.BYTES),
    (pa.list_(pa.int8()), "list<item: int8>", W.JSON),
    (pa.list_view(pa.int8()), "list_view<item: int8>", W.JSON),
    (pa.list_(pa.int8(), 2), "fixed_size_list<item: int8>[2]", W.JSON),
    (pa.struct([("a", pa.int8())]), "struct<a: int8>", W.JSON),
    (pa.map_(pa.string(), pa.int8()), "map<string, int8>", W.JSON),
    (pa.dense_union([pa.field("a", pa.int8())]), "dense_union<a: int8=0>", W.JSON),
    (pa.null(), "null", W.STRING),
]


@pytest.mark.parametrize(("kind", "name", "warehouse"), ARROW_TYPES, ids=[name for _, name, _ in ARROW_TYPES])
def test_every_arrow_type_has_a_name_and_a_rule_that_can_be_followed(
    kind: pa.DataType, name: str, warehouse: WarehouseType
) -> None:
    rule = arrow_rule(kind)
    assert (arrow_name(kind), rule.warehouse) == (name, warehouse)
    (mapping,) = propose_columns([ColumnInfo("c", arrow_name(kind), True)], {}, lambda _: rule)
    cast_columns(pa.schema([("c", kind)]), [mapping])


def test_long_names_of_types_are_shortened() -> None:
    wide = pa.struct([(f"field_{at}", pa.int8()) for at in range(100)])
    assert len(arrow_name(wide)) == 120
    assert arrow_name(wide).endswith("…")


def test_finer_times_say_what_is_rejected() -> None:
    assert "finer than a microsecond" in ARROW_RULES["timestamp[ns]"].rejected
    assert arrow_rule(pa.timestamp("ns")).rejected == ARROW_RULES["timestamp[ns]"].rejected


def test_how_many_values_were_sampled_is_written_with_its_thousands_apart() -> None:
    rule = TypeRule(WarehouseType.NUMERIC, "Decimals.", family="decimal")
    assert "the 1,000 sampled values fit" in sampled_decimal_rule(rule, ["1.5"] * 1_000).reason
