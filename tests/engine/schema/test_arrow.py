"""How warehouse types are held in Arrow, and the page that says so."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from b2b_recs.engine.etl.drift import stored_mapping
from b2b_recs.engine.schema.arrow import WAREHOUSE_TYPE, arrow_schema, arrow_type, convert
from b2b_recs.engine.schema.types import ColumnMapping, Mode, WarehouseType, digits
from b2b_recs.engine.sources.types_page import page

ROOT = Path(__file__).parents[3]


def test_every_warehouse_type_is_held_and_says_its_name() -> None:
    columns = [ColumnMapping(kind.value, "x", kind) for kind in WarehouseType]
    schema = arrow_schema(columns)
    assert [field.metadata[WAREHOUSE_TYPE].decode() for field in schema] == [kind.value for kind in WarehouseType]


def test_every_warehouse_type_can_be_stored_by_a_delta_table(tmp_path: Path) -> None:
    schema = arrow_schema([ColumnMapping(kind.value, "x", kind) for kind in WarehouseType])
    write_deltalake(tmp_path / "t", pa.Table.from_batches([], schema))
    stored = pa.schema(DeltaTable(tmp_path / "t").schema().to_arrow())
    assert stored.names == schema.names


def test_decimals_keep_their_digits_up_to_38_and_are_text_beyond() -> None:
    def held(kind: WarehouseType, precision: int | None, scale: int | None) -> pa.DataType:
        return arrow_type(ColumnMapping("c", "numeric", kind, precision=precision, scale=scale))

    assert held(WarehouseType.NUMERIC, 12, 2) == pa.decimal128(12, 2)
    assert held(WarehouseType.NUMERIC, None, None) == pa.decimal128(38, 9)
    assert held(WarehouseType.BIGNUMERIC, 38, 38) == pa.decimal128(38, 38)
    assert held(WarehouseType.BIGNUMERIC, 39, 1) == pa.string()
    assert held(WarehouseType.BIGNUMERIC, None, None) == pa.string()
    assert digits(ColumnMapping("c", "numeric", WarehouseType.NUMERIC, precision=5)) == (5, 0)


@pytest.mark.parametrize(
    "column",
    [
        ColumnMapping("c", "text", WarehouseType.DATE, format="%d/%m/%Y"),
        ColumnMapping("c", "text", WarehouseType.DATETIME, Mode.REQUIRED, format="%d/%m/%Y %H:%M"),
        ColumnMapping("c", "numeric(12,2)", WarehouseType.NUMERIC, precision=12, scale=2),
        ColumnMapping("c", "bigint", WarehouseType.INT64, Mode.REQUIRED),
    ],
    ids=str,
)
def test_a_stored_column_remembers_how_it_is_read(tmp_path: Path, column: ColumnMapping) -> None:
    write_deltalake(tmp_path / "t", pa.Table.from_batches([], arrow_schema([column])))
    stored = pa.schema(DeltaTable(tmp_path / "t").schema().to_arrow())
    assert stored_mapping(stored.field("c")) == column


def test_a_required_column_is_not_nullable() -> None:
    schema = arrow_schema([ColumnMapping("c", "x", WarehouseType.INT64, Mode.REQUIRED)])
    assert not schema.field("c").nullable


@pytest.mark.parametrize(
    ("values", "column"),
    [
        (pa.array([2**40]), ColumnMapping("c", "x", WarehouseType.NUMERIC, precision=5, scale=0)),
        (pa.array(["1.234"]), ColumnMapping("c", "x", WarehouseType.NUMERIC, precision=5, scale=2)),
        (pa.array([1.5]), ColumnMapping("c", "x", WarehouseType.INT64)),
    ],
    ids=["digits", "scale", "fraction"],
)
def test_a_conversion_that_would_change_a_value_fails(values: pa.Array, column: ColumnMapping) -> None:
    with pytest.raises(pa.ArrowInvalid):
        convert(values, column)


def test_the_page_about_types_is_current() -> None:
    assert (ROOT / "docs" / "types.md").read_text() == page()
