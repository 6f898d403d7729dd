from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from postgres_support import PostgresServer
from ruamel.yaml import YAML

from b2b_recs.engine.datasets.build import build_dataset
from b2b_recs.engine.datasets.interactions import DatasetBuild
from b2b_recs.engine.datasets.spec import DatasetSpec
from b2b_recs.engine.warehouse.local import LocalWarehouse
from b2b_recs.runtime import sample_source
from b2b_recs.runtime.errors import RuntimeRefused
from b2b_recs.runtime.sample_source import DATABASE, READER, load, sample_file

PASSWORD = "a reader's own 'password'"
PROJECT = sample_file().with_name("project.yaml")


@pytest.fixture(scope="module")
def shop_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The shop, loaded after a load that was cut off before its end."""
    server, shop = postgres_server.url(), postgres_server.url(DATABASE)
    with pytest.MonkeyPatch.context() as patch:

        def cut_off(connection: psycopg.Connection) -> None:
            raise RuntimeRefused("cut off")

        patch.setattr(sample_source, "_check", cut_off)
        with pytest.raises(RuntimeRefused, match="cut off"):
            load(server, shop, PASSWORD)
    assert load(server, shop, PASSWORD) is True
    yield shop
    postgres_server.drop_database(DATABASE)
    postgres_server.execute(f"DROP ROLE {READER}")


@pytest.fixture(scope="module")
def parquet() -> pa.Table:
    return pq.read_table(sample_file())


def answer(url: str, query: str) -> tuple[object, ...]:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row


def test_every_line_of_the_file_is_in_the_shop(shop_url: str) -> None:
    counts = answer(
        shop_url,
        "SELECT count(*), count(DISTINCT order_id), count(DISTINCT product_id), count(DISTINCT customer_id),"
        " count(*) - count(customer_id), sum(line_total), count(*) FILTER (WHERE order_id LIKE 'C%')"
        " FROM order_lines",
    )
    assert counts == (541_909, 25_900, 4_070, 4_372, 135_080, Decimal("9747747.934"), 9_288)
    counts = answer(
        shop_url,
        "SELECT (SELECT count(*) FROM customers), (SELECT count(*) FROM products), (SELECT count(*) FROM orders),"
        " (SELECT count(DISTINCT country) FROM orders), (SELECT count(*) FROM orders WHERE customer_id IS NULL)",
    )
    assert counts == (4_372, 4_070, 25_900, 38, 3_710)


def test_the_lines_are_the_files_own_value_for_value(shop_url: str, parquet: pa.Table) -> None:
    with psycopg.connect(shop_url) as connection:
        rows = connection.execute(
            "SELECT order_id, line_no, product_id, description, quantity, ordered_at, unit_price, customer_id"
            " FROM order_lines WHERE order_id IN ('536365', 'C536379', '536414', '548203', '581587')"
            " ORDER BY order_id, line_no"
        ).fetchall()
    wanted = []
    for order in ("536365", "536414", "548203", "581587", "C536379"):
        lines = parquet.filter(pc.equal(parquet["invoice_no"], order)).to_pylist()
        wanted += [
            (
                order,
                number,
                *(line[name] for name in ("stock_code", "description", "quantity", "invoice_date", "unit_price")),
                line["customer_id"],
            )
            for number, line in enumerate(lines, start=1)
        ]
    assert rows == wanted


def test_an_unknown_description_stays_unknown(shop_url: str, parquet: pa.Table) -> None:
    missing = answer(shop_url, "SELECT count(*) FROM order_lines WHERE description IS NULL")
    assert missing == (parquet["description"].null_count,)


def test_a_product_is_named_as_it_is_named_most_often(shop_url: str) -> None:
    assert answer(shop_url, "SELECT name FROM products WHERE product_id = '85123A'") == (
        "WHITE HANGING HEART T-LIGHT HOLDER",
    )


def test_a_second_load_finds_the_shop_complete(postgres_server: PostgresServer, shop_url: str) -> None:
    assert load(postgres_server.url(), shop_url, PASSWORD) is False


def test_the_reader_reads_and_can_do_nothing_else(postgres_server: PostgresServer, shop_url: str) -> None:
    reader = postgres_server.url(DATABASE, READER, PASSWORD)
    assert answer(reader, "SELECT count(*) FROM products") == (4_070,)
    with psycopg.connect(reader, autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        for statement in (
            "DELETE FROM order_lines",
            "UPDATE products SET name = ''",
            "CREATE TABLE mine (a int)",
            "TRUNCATE orders",
            "CREATE ROLE other",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())


def test_a_new_password_of_the_reader_replaces_the_old_one(postgres_server: PostgresServer, shop_url: str) -> None:
    load(postgres_server.url(), shop_url, "another")
    assert answer(postgres_server.url(DATABASE, READER, "another"), "SELECT 1") == (1,)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(postgres_server.url(DATABASE, READER, PASSWORD))
    load(postgres_server.url(), shop_url, PASSWORD)


@pytest.fixture(scope="module")
def purchases(tmp_path_factory: pytest.TempPathFactory, parquet: pa.Table) -> DatasetBuild:
    """The demo's dataset over the file's lines, under the names the jobs give them."""
    warehouse = LocalWarehouse(tmp_path_factory.mktemp("demo"))
    lines = parquet.rename_columns(
        ["order_id", "product_id", "description", "quantity", "ordered_at", "unit_price", "customer_id", "country"]
    )
    total = pc.multiply(lines["unit_price"], lines["quantity"].cast(pa.decimal128(10, 0)))
    products = lines.group_by("product_id").aggregate([("description", "max")])
    customers = lines.filter(pc.is_valid(lines["customer_id"])).group_by("customer_id").aggregate([("country", "max")])
    tables = {
        "bq_order_lines": lines.append_column("line_total", total),
        "bq_products": products.rename_columns(["product_id", "name"]),
        "bq_customers": customers.rename_columns(["customer_id", "country"]),
    }
    for name, table in tables.items():
        warehouse.table("raw_data", name).append(table)
    project = YAML(typ="safe").load(PROJECT)
    spec = DatasetSpec.model_validate(project["datasets"]["purchases"])
    return build_dataset(spec, warehouse, time_zone=project["model"]["time_zone"])


def test_the_demo_learns_from_the_rows_its_filters_name(purchases: DatasetBuild) -> None:
    lines = purchases.interactions
    assert (purchases.rows, lines.customers, lines.products) == (396_337, 4_334, 3_659)
    assert purchases.quality["orders"] == 18_402
    assert [(step.name, step.rows_before - step.rows_after) for step in purchases.steps] == [
        ("customer known", 135_080),
        ("product known", 0),
        ("time known", 0),
        ("order_id does not start with C", 8_905),
        ("quantity > 0", 0),
        ("unit_price > 0", 40),
        ("product_id matches ^[0-9]{5}", 1_547),
    ]


def test_the_demos_products_have_names(purchases: DatasetBuild) -> None:
    names = dict(zip(purchases.interactions.product_ids, purchases.interactions.product_names, strict=True))
    assert names["85123A"]
    assert sum(name == "" for name in names.values()) == 0


def test_the_sample_file_is_needed_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sample_source, "__file__", str(tmp_path / "a" / "b" / "c" / "d.py"))
    with pytest.raises(RuntimeRefused, match=r"online_retail\.parquet is missing"):
        sample_file()
