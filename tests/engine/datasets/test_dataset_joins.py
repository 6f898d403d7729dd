from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from small_shop import ROLES, built, kept, spec_of, warehouse_of

from b2b_recs.engine.datasets.joins import joined
from b2b_recs.engine.errors import BadInput, WarehouseTableMissing
from b2b_recs.engine.warehouse.local import LocalWarehouse
from b2b_recs.engine.warehouse.query import ibis_connection

PRODUCTS = pa.table(
    {
        "product_id": ["nail-5", "NAIL-5", "bolt", "tape", "rope"],
        "Quantity": [1, 2, 3, 4, 5],
        "name": ["Nail", "Nail, galvanised", "Bolt M8", "Tape", "Rope"],
        "group": ["iron", "iron", "iron", "soft", "soft"],
    }
)
CUSTOMERS = pa.table({"id": ["7", "8", "10"], "name": ["Seven Ltd", "Eight plc", "Ten"], "name2": ["a", "b", "c"]})
TWICE = pa.table({"product_id": ["bolt", "bolt", "tape", None, None], "group": ["x", "y", "z", "n", "n"]})


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> LocalWarehouse:
    return warehouse_of(tmp_path_factory.mktemp("joins"), products=PRODUCTS, customers=CUSTOMERS, twice=TWICE)


def columns_of(shop: LocalWarehouse, **changes: object) -> list[str]:
    spec = spec_of(**changes)
    views = {table.name: (table, None) for table in shop.tables("raw_data")}
    with ibis_connection(views) as backend:
        return list(joined(spec, backend.table).columns)


def on_product(kind: str = "left", table: str = "products") -> dict[str, object]:
    return {"table": table, "on": {"product_id": "product_id"}, "kind": kind}


def test_a_left_join_keeps_every_line_and_brings_the_names(shop: LocalWarehouse) -> None:
    build = built(
        shop,
        joins=[on_product(), {"table": "customers", "on": {"customer_id": "id"}}],
        roles={**ROLES, "product_name": "name", "category": "group", "customer_name": "customers__name"},
    )
    lines = build.interactions
    assert build.rows == 6
    assert dict(zip(lines.product_ids.tolist(), lines.product_names.tolist(), strict=True)) == {
        "NAIL-5": "Nail, galvanised",
        "bolt": "Bolt M8",
        "nail-5": "Nail",
        "tape": "Tape",
    }
    assert lines.product_categories.tolist() == ["iron", "iron", "iron", "soft"]
    assert lines.customer_names.tolist() == ["Seven Ltd", "Eight plc"]


def test_an_inner_join_keeps_only_lines_that_match(shop: LocalWarehouse) -> None:
    build = built(shop, joins=[{"table": "customers", "on": {"customer_id": "id"}, "kind": "inner"}])
    assert build.steps[0].rows_before == 6  # customer 9 and the line without a customer match nobody
    assert {who for who, _, _ in kept(build)} == {"7", "8"}


def test_a_right_join_adds_rows_that_no_line_matches_and_they_are_counted_as_unknown(shop: LocalWarehouse) -> None:
    build = built(shop, joins=[on_product("right")])
    assert build.steps[0].rows_before == 8  # seven lines of known products, and the rope nobody bought
    assert build.rows == 6


def test_names_that_differ_only_in_capitals_are_kept_apart(shop: LocalWarehouse) -> None:
    assert columns_of(shop, joins=[on_product()])[-3:] == ["products__Quantity", "name", "group"]


def test_a_table_joined_twice_keeps_all_its_columns(shop: LocalWarehouse) -> None:
    by_name = {"table": "customers", "on": {"order_id": "id"}}
    names = columns_of(shop, joins=[{"table": "customers", "on": {"customer_id": "id"}}, by_name, by_name])
    assert names[6:] == [
        *("id", "name", "name2"),
        *("customers__id", "customers__name", "customers__name2"),
        *("customers__id_2", "customers__name_2", "customers__name2_2"),
    ]


def test_a_join_that_would_count_lines_twice_is_refused_with_an_example(shop: LocalWarehouse) -> None:
    with pytest.raises(BadInput) as refusal:
        built(shop, joins=[on_product(), on_product(table="twice")])
    assert "twice has 1 value of product_id in more than one row (“bolt” in 2)" in refusal.value.message
    assert refusal.value.field == "joins[1].on"


def test_unknown_keys_match_nothing_and_so_multiply_nothing(tmp_path: Path) -> None:
    shop = warehouse_of(tmp_path, twice=TWICE.slice(2))
    assert built(shop, joins=[on_product(table="twice")]).rows == 6


def test_numbers_and_text_are_joined_by_what_is_written(shop: LocalWarehouse) -> None:
    build = built(
        shop,
        joins=[{"table": "customers", "on": {"customer_id": "id"}}],
        roles={**ROLES, "customer_name": "name"},
    )
    assert build.interactions.customer_names.tolist() == ["Seven Ltd", "Eight plc"]


@pytest.mark.parametrize(
    ("join", "words"),
    [
        ({"table": "products", "on": {"sku": "product_id"}}, "“sku” does not exist"),
        ({"table": "products", "on": {"product_id": "sku"}}, "The key column of products “sku” does not exist"),
        ({"table": "products", "on": {}}, "names no columns"),
        ({"table": "customers", "on": {"ordered_at": "id"}}, "compares timestamp"),
    ],
)
def test_a_join_that_cannot_be_made_names_its_columns(
    shop: LocalWarehouse, join: dict[str, object], words: str
) -> None:
    with pytest.raises(BadInput, match=words) as refusal:
        built(shop, joins=[join])
    assert refusal.value.field == "joins[0].on"


def test_a_table_that_was_never_loaded_is_named(shop: LocalWarehouse) -> None:
    with pytest.raises(WarehouseTableMissing, match="no table stores yet"):
        built(shop, joins=[{"table": "stores", "on": {"customer_id": "id"}}])


def test_capitals_are_folded_after_the_joins(shop: LocalWarehouse) -> None:
    build = built(shop, joins=[on_product()], upper_case=["product_id"], roles={**ROLES, "product_name": "name"})
    lines = build.interactions
    # both spellings found their own row of the catalogue; the newest line's name stays
    assert lines.product_ids.tolist() == ["BOLT", "NAIL-5", "TAPE"]
    assert lines.product_names.tolist() == ["Bolt M8", "Nail, galvanised", "Tape"]


def test_a_column_without_letters_cannot_be_folded(shop: LocalWarehouse) -> None:
    with pytest.raises(BadInput, match="“customer_id” is int64, not text"):
        built(shop, upper_case=["customer_id"])
