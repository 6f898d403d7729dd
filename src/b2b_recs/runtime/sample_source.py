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

_SCHEMA = """
CREATE TABLE customers (
    customer_id integer PRIMARY KEY,
    country     text NOT NULL,
    first_order timestamp NOT NULL
);
CREATE TABLE products (
    product_id  text PRIMARY KEY,
    name        text NOT NULL
);
CREATE TABLE orders (
    order_id     text PRIMARY KEY,
    customer_id  integer REFERENCES customers,
    ordered_at   timestamp NOT NULL,
    country      text NOT NULL,
    is_cancelled boolean NOT NULL
);
CREATE TABLE order_lines (
    order_id    text NOT NULL REFERENCES orders,
    line_no     integer NOT NULL,
    product_id  text NOT NULL REFERENCES products,
    description text,
    quantity    integer NOT NULL,
    unit_price  numeric(12, 3) NOT NULL,
    line_total  numeric(16, 3) GENERATED ALWAYS AS (quantity * unit_price) STORED,
    ordered_at  timestamp NOT NULL,
    customer_id integer REFERENCES customers,
    PRIMARY KEY (order_id, line_no)
);
CREATE TEMPORARY TABLE file (
    invoice_no text, stock_code text, description text, quantity integer, invoice_date timestamp,
    unit_price numeric(12, 3), customer_id integer, country text, line_no integer
) ON COMMIT DROP;
"""

_FILL = """
INSERT INTO customers
SELECT customer_id, mode() WITHIN GROUP (ORDER BY country), min(invoice_date)
FROM file WHERE customer_id IS NOT NULL GROUP BY customer_id;

INSERT INTO products
SELECT stock_code, coalesce(mode() WITHIN GROUP (ORDER BY description), stock_code) FROM file GROUP BY stock_code;

INSERT INTO orders
SELECT invoice_no, min(customer_id), min(invoice_date), min(country), invoice_no LIKE 'C%'
FROM file GROUP BY invoice_no;

INSERT INTO order_lines
    (order_id, line_no, product_id, description, quantity, unit_price, ordered_at, customer_id)
SELECT invoice_no, line_no, stock_code, description, quantity, unit_price, invoice_date, customer_id FROM file;

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
        shop.execute(_SCHEMA)  # type: ignore[arg-type]
        with shop.cursor() as cursor, cursor.copy("COPY file FROM STDIN (FORMAT csv)") as copy:
            for chunk in _chunks(sample_file()):
                copy.write(chunk)
        shop.execute(_FILL)  # type: ignore[arg-type]
        _check(shop)
        shop.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(sql.Identifier(READER)))
        shop.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}").format(sql.Identifier(READER)))
        shop.execute(sql.SQL("ALTER ROLE {} SET default_transaction_read_only = on").format(sql.Identifier(READER)))
        shop.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(DATABASE), sql.Literal(DONE)))
    with psycopg.connect(shop_url, autocommit=True) as shop:
        shop.execute("ANALYZE")
    return True


def _chunks(path: Path) -> list[memoryview]:
    """The file's lines as CSV, with their number within the invoice, in pieces of about a megabyte or more."""
    table = pq.read_table(path)
    invoices = np.asarray(table["invoice_no"].combine_chunks().dictionary_encode().indices)
    order = np.argsort(invoices, kind="stable")
    starts = np.r_[True, invoices[order][1:] != invoices[order][:-1]]
    first = np.maximum.accumulate(np.where(starts, np.arange(len(order)), 0))
    number = np.empty(len(order), dtype=np.int32)
    number[order] = np.arange(len(order)) - first + 1
    table = table.append_column("line_no", pa.array(number))
    pieces = []
    for piece in table.to_batches(max_chunksize=100_000):
        sink = io.BytesIO()
        pa.csv.write_csv(piece, sink, pa.csv.WriteOptions(include_header=False))
        pieces.append(sink.getbuffer())
    return pieces


def _check(shop: psycopg.Connection[tuple[object, ...]]) -> None:
    row = shop.execute("SELECT count(*) FROM order_lines").fetchone()
    if row != (LINES,):
        raise RuntimeRefused(
            f"The sample shop has {row[0] if row else 'no'} order lines instead of {LINES:,}.",
            advice="Take sample_data/online_retail.parquet again; it is damaged.",
        )
