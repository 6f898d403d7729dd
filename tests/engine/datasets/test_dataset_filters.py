# ruff: noqa: DTZ001 - these clocks have no zone, as in the databases they stand for
from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import ibis
import pyarrow as pa
import pytest
from small_shop import LINES, SCHEMA, built, kept, lines_table, spec_of, warehouse_of

from b2b_recs.engine.datasets.expressions import final, with_roles
from b2b_recs.engine.datasets.interactions import FilterStep
from b2b_recs.engine.errors import BadInput, EmptyDataset
from b2b_recs.engine.warehouse.local import LocalWarehouse

KINDS = pa.schema(
    [
        ("who", pa.int64()),
        ("what", pa.string()),
        ("at", pa.timestamp("us", "UTC")),
        ("day", pa.date32()),
        ("price", pa.decimal128(12, 3)),
        ("weight", pa.float64()),
        ("paid", pa.bool_()),
        ("note", pa.string()),
    ]
)
KIND_ROWS: list[tuple[Any, ...]] = [
    (1, "a", datetime(2024, 1, 1, tzinfo=UTC), date(2024, 1, 1), Decimal("0.100"), 1.5, True, "x-1"),
    (2, "b", datetime(2024, 6, 1, 12, tzinfo=UTC), date(2024, 6, 1), Decimal("2.000"), 2.5, False, ""),
    (3, "c", datetime(2024, 12, 1, tzinfo=UTC), date(2024, 12, 1), None, None, None, None),
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> LocalWarehouse:
    return warehouse_of(tmp_path_factory.mktemp("filters"))


@pytest.fixture(scope="module")
def kinds() -> Iterator[Any]:
    backend = ibis.duckdb.connect()
    backend.con.execute("SET TimeZone = 'UTC'")
    backend.con.register("kinds", lines_table(KIND_ROWS, KINDS))
    yield backend.table("kinds")
    backend.disconnect()


def customers_where(kinds: Any, column: str, op: str, value: Any = None) -> str:
    spec = spec_of(
        "kinds",
        roles={"customer": "who", "product": "what", "time": "at"},
        filters={"where": [{"column": column, "op": op, "value": value}]},
    )
    rows = final(spec, with_roles(spec, kinds), ZoneInfo("Europe/Paris"))
    return "".join(sorted(rows.role_customer.to_pyarrow().to_pylist()))


@pytest.mark.parametrize(
    ("column", "op", "value", "customers"),
    [
        ("who", "=", 2, "2"),
        ("who", "=", "2", "2"),
        ("who", "!=", 2, "13"),
        ("who", "in", [1, 3], "13"),
        ("who", "not in", ["1"], "23"),
        ("who", "starts", 1, "1"),
        ("what", ">=", "b", "23"),
        ("what", "in", ["a", "c"], "13"),
        ("price", "=", 0.1, "1"),
        ("price", "<", 2, "1"),
        ("price", "<=", 2, "12"),
        ("price", "in", ["0.100", 2], "12"),
        ("price", "unknown", None, "3"),
        ("weight", ">", 1.5, "2"),
        ("weight", "!=", 1.5, "2"),
        ("paid", "=", True, "1"),
        ("paid", "=", "false", "2"),
        ("paid", "known", None, "12"),
        ("day", ">=", "2024-06-01", "23"),
        ("day", "<", "2024-06-01", "1"),
        # noon in UTC is 14:00 in Paris, the zone a time without one is read in
        ("at", "<=", "2024-06-01T14:00:00", "12"),
        ("at", "<", "2024-06-01T14:00:00", "1"),
        ("at", ">=", "2024-06-01T12:00:00+00:00", "23"),
        ("note", "known", None, "1"),
        ("note", "unknown", None, "23"),
        ("note", "matches", "^x-[0-9]$", "1"),
        ("note", "not starts", "x", ""),
        ("note", "not matches", "^x-[0-9]$", ""),
        ("what", "not matches", "a|b", "3"),
        ("note", "!=", "x-1", "2"),
    ],
)
def test_a_condition_keeps_the_rows_for_which_it_is_true(
    kinds: Any, column: str, op: str, value: Any, customers: str
) -> None:
    assert customers_where(kinds, column, op, value) == customers


@pytest.mark.parametrize(
    ("column", "op", "value", "words"),
    [
        ("who", "=", "seven", "number column who"),
        ("who", ">", None, "one value"),
        ("who", "in", "7", "list of values"),
        ("who", "in", [], "list of values"),
        ("price", ">", "nan", "number column price"),
        ("at", ">", "yesterday", "time column at"),
        ("day", "=", 5, "date column day"),
        ("paid", "=", "maybe", "yes/no column paid"),
        ("what", "=", True, "string column what"),
        ("what", "starts", "", "a text"),
        ("what", "matches", "(", "RE2 syntax"),
        ("what", "not matches", "(", "RE2 syntax"),
        ("what", "matches", "(?=a)b", "RE2 syntax"),
    ],
)
def test_a_value_that_cannot_be_compared_is_refused_by_name(
    kinds: Any, column: str, op: str, value: Any, words: str
) -> None:
    with pytest.raises(BadInput) as refusal:
        customers_where(kinds, column, op, value)
    assert refusal.value.field == "filters.where[0].value"
    assert f"{column} {op}" in refusal.value.message
    assert words in refusal.value.advice


def test_a_condition_on_a_missing_column_names_it_and_those_there_are(shop: LocalWarehouse) -> None:
    with pytest.raises(BadInput, match="“nowhere” does not exist") as refusal:
        built(shop, filters={"where": [{"column": "nowhere", "op": "known"}]})
    assert refusal.value.field == "filters.where[0].column"
    assert "order_id, customer_id, product_id" in refusal.value.advice


def test_every_row_left_out_is_counted_under_the_filter_that_did_it(shop: LocalWarehouse) -> None:
    build = built(
        shop,
        filters={"where": [{"column": "order_id", "op": "not starts", "value": "C"}], "min_orders_per_customer": 2},
    )
    assert build.steps == (
        FilterStep("customer known", 8, 7),
        FilterStep("product known", 7, 7),
        FilterStep("time known", 7, 6),
        FilterStep("order_id does not start with C", 6, 5),
        FilterStep("customers with 2 orders or more", 5, 3),
    )
    assert build.rows == 3


def test_history_is_counted_back_from_the_newest_row_that_is_left(shop: LocalWarehouse) -> None:
    # the newest row of all is 4 July, but it has no customer; from 3 July two days reach back to 1 July, 12:00
    assert {product for _, product, _ in kept(built(shop, filters={"history_days": 2}))} == {"bolt", "tape"}
    assert {product for _, product, _ in kept(built(shop, filters={"history_days": 3}))} == {"NAIL-5", "bolt", "tape"}


def test_orders_are_counted_not_lines(shop: LocalWarehouse) -> None:
    # customer 7 has three lines in two orders, customer 8 three lines in two, one of them a cancellation
    assert {who for who, _, _ in kept(built(shop, filters={"min_orders_per_customer": 2}))} == {"7", "8"}
    with pytest.raises(EmptyDataset, match="customers with 3 orders or more”, which 6 rows"):
        built(shop, filters={"min_orders_per_customer": 3})


def test_without_an_order_column_a_moment_is_an_order(shop: LocalWarehouse) -> None:
    roles = {"customer": "customer_id", "product": "product_id", "time": "ordered_at"}
    build = built(shop, roles=roles, filters={"min_orders_per_customer": 2})
    assert len(set(build.interactions.order.tolist())) == 4


def test_the_top_of_revenue_ends_with_the_product_that_reaches_the_share(shop: LocalWarehouse) -> None:
    # bolt 140, nails 20 and 40 under two spellings, tape 0: of 200 the first makes 70 %
    assert {product for _, product, _ in kept(built(shop, filters={"top_revenue_share": 0.7}))} == {"bolt"}
    assert {product for _, product, _ in kept(built(shop, filters={"top_revenue_share": 0.71}))} == {"bolt", "NAIL-5"}


def test_equal_revenue_is_cut_by_product_id(tmp_path: Path) -> None:
    lines = [
        (f"o{number}", number, product, datetime(2024, 1, 1), 1, Decimal("10.00"))
        for number, product in enumerate("dbca")
    ]
    shop = warehouse_of(tmp_path, lines=lines_table(lines))
    chosen = {product for _, product, _ in kept(built(shop, filters={"top_revenue_share": 0.5}))}
    assert chosen == {"a", "b"}


def test_revenue_that_is_not_a_number_makes_no_product_the_best(tmp_path: Path) -> None:
    schema = SCHEMA.set(5, pa.field("line_total", pa.float64()))
    lines = [
        ("o1", 1, "odd", datetime(2024, 1, 1), 1, float("nan")),
        ("o2", 1, "odd", datetime(2024, 1, 2), 1, float("inf")),
        ("o3", 1, "fine", datetime(2024, 1, 3), 1, 5.0),
    ]
    shop = warehouse_of(tmp_path, lines=lines_table(lines, schema))
    build = built(shop, filters={"top_revenue_share": 0.9})
    assert kept(build) == [("1", "fine", 1.0)]
    assert built(shop).interactions.revenue.tolist() == [0.0, 0.0, 5.0]


def test_a_filter_that_leaves_nothing_is_named(shop: LocalWarehouse) -> None:
    with pytest.raises(EmptyDataset, match="“quantity > 100”, which 6 rows had reached"):
        built(shop, filters={"where": [{"column": "quantity", "op": ">", "value": 100}]})


def test_an_empty_table_says_so(tmp_path: Path) -> None:
    shop = warehouse_of(tmp_path, lines=lines_table([]))
    with pytest.raises(EmptyDataset, match="The table lines has no rows"):
        built(shop)


def test_a_role_column_of_nothing_but_unknown_values_is_named(tmp_path: Path) -> None:
    nobody = [(order, None, *rest) for order, _, *rest in LINES]
    shop = warehouse_of(tmp_path, lines=lines_table(nobody))
    with pytest.raises(EmptyDataset, match="“customer known”") as refusal:
        built(shop)
    assert "role" in refusal.value.advice
