from __future__ import annotations

import io
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from postgres_support import PostgresServer

from b2b_recs.runtime import sample_source
from b2b_recs.runtime.errors import RuntimeRefused
from b2b_recs.runtime.sample_source import DATABASE, READER, load, sample_file

PASSWORD = "a reader's own 'password'"


@pytest.fixture(scope="module")
def shop_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The shop, loaded after a load that was cut off before its end."""
    server, shop = postgres_server.url(), postgres_server.url(DATABASE)
    with pytest.MonkeyPatch.context() as patch:

        def cut_off(connection: psycopg.Connection) -> None:
            connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")

        patch.setattr(sample_source, "_check", cut_off)
        with pytest.raises(psycopg.OperationalError, match="terminat"):
            load(server, shop, PASSWORD)
    assert answer(shop, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == (0,)
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
    sink = io.BytesIO()
    with psycopg.connect(shop_url) as connection, connection.cursor() as cursor:
        select = """COPY (
            SELECT order_id, product_id, description, quantity, ordered_at, unit_price, customer_id, country
            FROM order_lines JOIN (SELECT order_id, country FROM orders) AS heads USING (order_id)
            ORDER BY order_id COLLATE "C", line_no) TO STDOUT (FORMAT csv)"""
        with cursor.copy(select) as copy:
            for chunk in copy:
                sink.write(chunk)
    sink.seek(0)
    # within an invoice the lines keep the order they have in the file
    invoices = parquet["invoice_no"].to_numpy(zero_copy_only=False)
    wanted = parquet.take(pa.array(np.argsort(invoices, kind="stable")))
    found = pa.csv.read_csv(
        sink,
        pa.csv.ReadOptions(column_names=wanted.column_names),
        pa.csv.ParseOptions(newlines_in_values=True),
        pa.csv.ConvertOptions(
            column_types=wanted.schema, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
        ),
    )
    assert found.num_rows == 541_909
    for name in wanted.column_names:
        assert found[name].combine_chunks().equals(wanted[name].combine_chunks()), name


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
            "CREATE TEMPORARY TABLE mine (a int)",
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


def test_the_sample_file_is_needed_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sample_source, "__file__", str(tmp_path / "a" / "b" / "c" / "d.py"))
    with pytest.raises(RuntimeRefused, match=r"online_retail\.parquet is missing"):
        sample_file()
