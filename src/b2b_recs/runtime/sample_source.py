"""Plays the seller's own system in the demo: Online Retail as four tables of a shop, behind a read-only login.

Not one line of the file is left out; what a recommender should not learn from is for the dataset's filters to say.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from psycopg import sql

from b2b_recs.runtime.errors import RuntimeRefused

DATABASE = "shop"
READER = "shop_reader"
LINES = 541_909
DONE = "Online Retail, complete"

_TABLES = """
CREATE TABLE customers (
    customer_id integer NOT NULL,
    country     text NOT NULL,
    first_order timestamp NOT NULL
);
CREATE TABLE products (
    product_id  text NOT NULL,
    name        text NOT NULL
);
CREATE TABLE orders (
    order_id     text NOT NULL,
    customer_id  integer,
    ordered_at   timestamp NOT NULL,
    country      text NOT NULL,
    is_cancelled boolean NOT NULL GENERATED ALWAYS AS (starts_with(order_id, 'C')) STORED
);
CREATE TABLE order_lines (
    order_id    text NOT NULL,
    line_no     integer NOT NULL,
    product_id  text NOT NULL,
    description text,
    quantity    integer NOT NULL,
    unit_price  numeric(12, 3) NOT NULL,
    line_total  numeric(16, 3) NOT NULL GENERATED ALWAYS AS (quantity * unit_price) STORED,
    ordered_at  timestamp NOT NULL,
    customer_id integer
);
"""

_COPY_LINES = """
COPY order_lines (order_id, product_id, description, quantity, ordered_at, unit_price, customer_id, line_no)
FROM STDIN (FORMAT csv)
"""

_COPY_ORDERS = "COPY orders (order_id, ordered_at, customer_id, country) FROM STDIN (FORMAT csv)"

_DERIVE = """
INSERT INTO customers
SELECT customer_id, mode() WITHIN GROUP (ORDER BY country), min(ordered_at)
FROM orders WHERE customer_id IS NOT NULL GROUP BY customer_id;

INSERT INTO products
SELECT DISTINCT ON (product_id) product_id, coalesce(description, product_id)
FROM (SELECT product_id, description, count(*) AS lines FROM order_lines GROUP BY 1, 2) AS written
ORDER BY product_id, description IS NULL, lines DESC, description;
"""

# After the rows: one look at each table is cheaper than one per row.
_KEYS = """
ALTER TABLE customers ADD PRIMARY KEY (customer_id);
ALTER TABLE products ADD PRIMARY KEY (product_id);
ALTER TABLE orders ADD PRIMARY KEY (order_id), ADD FOREIGN KEY (customer_id) REFERENCES customers;
ALTER TABLE order_lines ADD PRIMARY KEY (order_id, line_no);
ALTER TABLE order_lines
    ADD FOREIGN KEY (order_id) REFERENCES orders,
    ADD FOREIGN KEY (product_id) REFERENCES products,
    ADD FOREIGN KEY (customer_id) REFERENCES customers;
CREATE INDEX ON order_lines (ordered_at);
"""


def sample_file() -> Path:
    """The project's own copy of Online Retail (CC BY 4.0; see sample_data/README.md)."""
    for folder in (Path(__file__).parents[1] / "sample_data", Path(__file__).parents[3] / "sample_data"):
        if (folder / "online_retail.parquet").exists():
            return folder / "online_retail.parquet"
    raise RuntimeRefused(
        "The sample data online_retail.parquet is missing.", advice="Take the whole repository, with sample_data/."
    )


def load(server_url: str, shop_url: str, reader_password: str) -> bool:
    """Make the shop on a PostgreSQL server unless it is there; returns whether it was loaded now.

    ``server_url`` opens any database of the server as its superuser, ``shop_url`` the database "shop" the same way.
    Everything is one transaction: a load that was killed leaves nothing behind and is done again.
    """
    with psycopg.connect(server_url, autocommit=True) as server:
        if not server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        verb = "ALTER" if server.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [READER]).fetchone() else "CREATE"
        server.execute(
            sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(
                sql.SQL(verb), sql.Identifier(READER), sql.Literal(reader_password)
            )
        )
    with psycopg.connect(shop_url) as shop:
        if shop.execute("SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s",
                        [DATABASE]).fetchone() == (DONE,):  # fmt: skip
            return False
        table = pq.read_table(sample_file())
        shop.execute(_TABLES)  # type: ignore[arg-type]
        _copy(shop, _COPY_LINES, _lines(table))
        _copy(shop, _COPY_ORDERS, _orders(table))
        shop.execute(_DERIVE)  # type: ignore[arg-type]
        shop.execute(_KEYS)  # type: ignore[arg-type]
        _check(shop)
        shop.execute(sql.SQL("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC").format(sql.Identifier(DATABASE)))
        shop.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(sql.Identifier(READER)))
        shop.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}").format(sql.Identifier(READER)))
        shop.execute(sql.SQL("ALTER ROLE {} SET default_transaction_read_only = on").format(sql.Identifier(READER)))
        shop.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(DATABASE), sql.Literal(DONE)))
    with psycopg.connect(shop_url, autocommit=True) as shop:
        shop.execute("ANALYZE")
    return True


def _lines(table: pa.Table) -> pa.Table:
    """The file's lines with their number within the invoice, counted in the order of the file."""
    invoices = np.asarray(table["invoice_no"].combine_chunks().dictionary_encode().indices)
    order = np.argsort(invoices, kind="stable")
    starts = np.r_[True, invoices[order][1:] != invoices[order][:-1]]
    first = np.maximum.accumulate(np.where(starts, np.arange(len(order)), 0))
    number = np.empty(len(order), dtype=np.int32)
    number[order] = np.arange(len(order)) - first + 1
    return table.drop_columns(["country"]).append_column("line_no", pa.array(number))


def _orders(table: pa.Table) -> pa.Table:
    """One row per invoice; a few invoices were entered over two minutes, and the first one counts."""
    grouped = table.group_by("invoice_no", use_threads=False)
    found = grouped.aggregate([("invoice_date", "min"), ("customer_id", "min"), ("country", "min")])
    return found.select(["invoice_no", "invoice_date_min", "customer_id_min", "country_min"])


def _copy(shop: psycopg.Connection[tuple[object, ...]], statement: str, table: pa.Table) -> None:
    with shop.cursor() as cursor, cursor.copy(statement) as copy:  # type: ignore[arg-type]
        for piece in table.to_batches(max_chunksize=100_000):
            sink = io.BytesIO()
            pa.csv.write_csv(piece, sink, pa.csv.WriteOptions(include_header=False))
            copy.write(sink.getbuffer())


def _check(shop: psycopg.Connection[tuple[object, ...]]) -> None:
    row = shop.execute("SELECT count(*) FROM order_lines").fetchone()
    if row != (LINES,):
        raise RuntimeRefused(
            f"The sample shop has {row[0] if row else 'no'} order lines instead of {LINES:,}.",
            advice="Take sample_data/online_retail.parquet again; it is damaged.",
        )
