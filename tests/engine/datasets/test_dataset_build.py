# ruff: noqa: DTZ001 - these clocks have no zone, as in the databases they stand for
from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import ibis
import numpy as np
import pyarrow as pa
import pytest
from small_shop import LINES, ROLES, SCHEMA, built, kept, lines_table, spec_of, warehouse_of

from b2b_recs.engine.datasets.build import build_dataset
from b2b_recs.engine.datasets.expressions import final, with_roles
from b2b_recs.engine.datasets.joins import joined
from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.warehouse.local import LocalWarehouse
from b2b_recs.engine.warehouse.query import Limits


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> LocalWarehouse:
    return warehouse_of(tmp_path_factory.mktemp("build"))


def one_table(folder: Path, **columns: Any) -> LocalWarehouse:
    return warehouse_of(folder, lines=pa.table(columns))


def test_lines_come_in_time_order_with_sorted_ids(shop: LocalWarehouse) -> None:
    lines = built(shop).interactions
    assert lines.customer_ids.tolist() == ["7", "8"]
    assert lines.product_ids.tolist() == ["NAIL-5", "bolt", "nail-5", "tape"]
    assert lines.time.tolist() == sorted(lines.time.tolist())
    assert lines.revenue.tolist() == [70.0, 20.0, 40.0, 70.0, 10.0, -10.0]
    assert lines.quantity.tolist() == [1.0, 10.0, 20.0, 1.0, 3.0, -3.0]
    assert [array.dtype.str for array in (lines.customer, lines.time, lines.revenue)] == ["<i4", "<i8", "<f8"]


def test_the_same_rows_in_another_order_are_the_same_dataset(tmp_path: Path) -> None:
    first = built(warehouse_of(tmp_path / "a")).interactions
    second = built(warehouse_of(tmp_path / "b", lines=lines_table(LINES[::-1]))).interactions
    for name in ("customer", "product", "order", "time", "revenue", "quantity", "customer_ids", "product_ids"):
        assert getattr(first, name).tolist() == getattr(second, name).tolist(), name


@pytest.mark.parametrize("role", ["customer", "product", "time", "revenue", "category"])
def test_a_role_with_a_missing_column_is_named_with_the_columns_there_are(shop: LocalWarehouse, role: str) -> None:
    with pytest.raises(BadInput) as refusal:
        built(shop, roles={**ROLES, role: "nowhere"})
    assert refusal.value.field == f"roles.{role}"
    assert f"role {role}, “nowhere” does not exist" in refusal.value.message
    assert refusal.value.advice == (
        "The columns are: order_id, customer_id, product_id, ordered_at, quantity, line_total."
    )


@pytest.mark.parametrize(
    ("role", "column", "words"),
    [("time", "order_id", "not a time"), ("revenue", "order_id", "not a number"), ("quantity", "ordered_at", "number")],
)
def test_a_role_with_a_column_of_the_wrong_kind_is_refused(
    shop: LocalWarehouse, role: str, column: str, words: str
) -> None:
    with pytest.raises(BadInput, match=words) as refusal:
        built(shop, roles={**ROLES, role: column})
    assert refusal.value.field == f"roles.{role}"


@pytest.mark.parametrize(
    ("values", "ids"),
    [
        (pa.array([1, 20, 3]), ["1", "20", "3"]),
        (pa.array(["00012", " x ", "Ünï-ß"]), [" x ", "00012", "Ünï-ß"]),
        (pa.array([Decimal(12), Decimal(5), Decimal("1.5")], pa.decimal128(20, 9)), ["1.500000000", "12", "5"]),
        (pa.array([12.0, 3.5, float("nan")]), ["12", "3.5"]),
        (pa.array(["", None, "a"]), ["a"]),
        (pa.array([2**62, -5, 0]), ["-5", "0", "4611686018427387904"]),
    ],
)  # fmt: skip
def test_ids_are_the_text_that_was_stored(tmp_path: Path, values: pa.Array, ids: list[str]) -> None:
    shop = one_table(tmp_path, customer_id=values, product_id=["p"] * 3, ordered_at=[datetime(2024, 1, 1)] * 3)
    assert built(shop, roles=ROLES).interactions.customer_ids.tolist() == ids


def test_bytes_recognise_nobody(tmp_path: Path) -> None:
    shop = one_table(tmp_path, customer_id=[b"x"], product_id=["p"], ordered_at=[datetime(2024, 1, 1)])
    with pytest.raises(BadInput, match="“customer_id” is binary"):
        built(shop, roles=ROLES)


@pytest.mark.parametrize(
    ("stored", "moment"),
    [
        (datetime(2024, 7, 1, 9, 0), datetime(2024, 7, 1, 8, 0, tzinfo=UTC)),
        (datetime(2024, 1, 1, 9, 0), datetime(2024, 1, 1, 9, 0, tzinfo=UTC)),
        (datetime(2024, 7, 1, 9, 0, tzinfo=UTC), datetime(2024, 7, 1, 9, 0, tzinfo=UTC)),
        (date(2024, 7, 1), datetime(2024, 6, 30, 23, 0, tzinfo=UTC)),
    ],
)
def test_a_time_without_a_zone_is_read_on_the_clock_of_the_model(tmp_path: Path, stored: Any, moment: datetime) -> None:
    shop = one_table(tmp_path, customer_id=[1], product_id=["p"], ordered_at=pa.array([stored]))
    build = build_dataset(spec_of(roles=ROLES), shop, time_zone="Europe/London")
    assert build.interactions.time.tolist() == [
        (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    ]


def test_a_time_zone_that_does_not_exist_is_refused(shop: LocalWarehouse) -> None:
    with pytest.raises(BadInput, match="no time zone “Europe/Atlantis”"):
        build_dataset(spec_of(), shop, time_zone="Europe/Atlantis")


def test_without_numbers_every_line_is_one_piece(shop: LocalWarehouse) -> None:
    lines = built(shop, roles=ROLES).interactions
    assert lines.quantity.tolist() == [1.0] * 6
    assert lines.revenue.tolist() == [1.0] * 6
    assert built(shop, roles={**ROLES, "quantity": "quantity"}).interactions.revenue.sum() == 32.0


def test_one_order_number_used_by_two_customers_is_two_orders(tmp_path: Path) -> None:
    when = datetime(2024, 1, 1)
    lines = [("1", who, "p", when, 1, Decimal(1)) for who in (1, 2)] + [(None, 1, "p", when, 1, Decimal(1))] * 2
    orders = built(warehouse_of(tmp_path, lines=lines_table(lines, SCHEMA))).interactions.order
    assert len(set(orders.tolist())) == 3


def test_the_newest_name_wins_whatever_order_rows_are_read_in(tmp_path: Path) -> None:
    days = [datetime(2024, 1, 3), datetime(2024, 1, 1), datetime(2024, 1, 3), datetime(2024, 1, 4)]
    shop = one_table(tmp_path, customer_id=[1] * 4, product_id=["p"] * 4, ordered_at=days, name=["b", "old", "c", None])
    assert built(shop, roles={**ROLES, "product_name": "name"}).interactions.product_names.tolist() == ["c"]


def test_names_that_nobody_knows_are_empty(tmp_path: Path) -> None:
    shop = one_table(
        tmp_path,
        customer_id=[1],
        product_id=["p"],
        ordered_at=[datetime(2024, 1, 1)],
        name=pa.array([None], pa.string()),
    )
    assert built(shop, roles={**ROLES, "product_name": "name"}).interactions.product_names.tolist() == [""]


def test_a_pinned_version_is_read_again_after_the_table_grew(tmp_path: Path) -> None:
    shop = warehouse_of(tmp_path)
    first = built(shop)
    shop.table("raw_data", "lines").append(lines_table([("F1", 5, "saw", datetime(2024, 8, 1), 1, Decimal(9))]))
    again = build_dataset(spec_of(), shop, first.table_versions)
    newer = built(shop)
    assert (again.rows, newer.rows) == (6, 7)
    assert again.fingerprint == first.fingerprint
    assert newer.fingerprint != first.fingerprint
    assert kept(again) == kept(first)


def test_another_definition_or_time_zone_is_another_fingerprint(shop: LocalWarehouse) -> None:
    prints = {
        built(shop).fingerprint,
        built(shop, filters={"history_days": 900}).fingerprint,
        build_dataset(spec_of(), shop, time_zone="Asia/Tokyo").fingerprint,
    }
    assert len(prints) == 3


def test_odd_column_names_are_only_names(tmp_path: Path) -> None:
    odd = 'role_customer"; DROP TABLE lines; --'
    shop = one_table(tmp_path, **{odd: ["x"], "where_0": ["p"], "role_time": [datetime(2024, 1, 1)]})
    build = built(
        shop,
        roles={"customer": odd, "product": "where_0", "time": "role_time"},
        filters={"where": [{"column": "role_time", "op": "known"}, {"column": odd, "op": "=", "value": "x"}]},
    )
    assert kept(build) == [("x", "p", 1.0)]


def test_the_sql_that_is_shown_selects_the_same_rows(shop: LocalWarehouse) -> None:
    filters = {
        "where": [{"column": "quantity", "op": ">", "value": 0}],
        "history_days": 365,
        "min_orders_per_customer": 1,
        "top_revenue_share": 0.9,
    }
    build = built(shop, filters=filters)
    with duckdb.connect() as connection:
        connection.register("lines", lines_table())
        rows = connection.sql(build.sql).to_arrow_table()
    assert sorted(rows["role_product"].to_pylist()) == sorted(product for _, product, _ in kept(build))


def test_the_same_definition_compiles_to_bigquery() -> None:
    spec = spec_of(
        joins=[{"table": "products", "on": {"product_id": "product_id"}}],
        upper_case=["product_id"],
        roles={**ROLES, "revenue": "line_total", "order": "order_id", "product_name": "name"},
        filters={
            "where": [
                {"column": "product_id", "op": "matches", "value": "^[0-9]{5}"},
                {"column": "order_id", "op": "not starts", "value": "C"},
                {"column": "ordered_at", "op": ">=", "value": "2024-01-01"},
                {"column": "customer_id", "op": "in", "value": [7, 8]},
            ],
            "history_days": 365,
            "min_orders_per_customer": 2,
            "top_revenue_share": 0.8,
        },
    )
    tables = {
        "lines": ibis.table(ibis.Schema.from_pyarrow(SCHEMA), name="lines"),
        "products": ibis.table({"product_id": "string", "name": "string"}, name="products"),
    }
    sql = str(ibis.to_sql(final(spec, with_roles(spec, joined(spec, tables.__getitem__))), dialect="bigquery"))
    assert "REGEXP_CONTAINS(" in sql
    assert "INTERVAL 365 DAY" in sql.upper().replace("'", "")
    assert "`role_customer`" in sql


def test_a_dataset_beyond_its_memory_spills_to_the_scratch_folder_and_leaves_nothing(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    count = 200_000
    shop = one_table(
        tmp_path,
        customer_id=rng.integers(0, 5_000, count),
        product_id=pa.array([f"product number {number}" for number in rng.integers(0, 9_000, count)]),
        ordered_at=pa.array(rng.integers(0, 10**15, count), pa.timestamp("us")),
    )
    limits = Limits(memory_bytes=64 * 1024 * 1024, threads=1)
    build = build_dataset(spec_of(roles=ROLES), shop, limits=limits, scratch=tmp_path / "scratch")
    assert build.rows == count
    assert list((tmp_path / "scratch").iterdir()) == []


def test_quality_says_what_lowers_it(shop: LocalWarehouse) -> None:
    quality = built(shop).quality
    assert quality["rows_read"] == 8
    assert quality["rows_without"] == {"customer": 1, "product": 0, "time": 1}
    assert quality["span_days"] == 184
    assert quality["longest_gap_days"] == 181
    assert quality["products_sold_once"] == 2
    assert quality["customers_with_one_order"] == 0
    assert quality["orders"] == 4
    assert "There is a gap of 181 days without any order." in quality["notes"]
    assert 0 < quality["score"] < 100


def test_exact_duplicates_are_counted_not_dropped(tmp_path: Path) -> None:
    line = LINES[0]
    build = built(warehouse_of(tmp_path, lines=lines_table([line, line, line, LINES[1]])))
    assert build.rows == 4
    assert build.quality["repeated_lines"] == 2
