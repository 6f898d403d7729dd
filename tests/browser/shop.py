"""The seller's database that the seeded connection reads: products, prices, customers and order lines."""

from __future__ import annotations

from postgres_support import PostgresServer

TABLES = """
CREATE TABLE products (product_id varchar(20) PRIMARY KEY, name text NOT NULL, category text, price numeric(10, 2),
    launched_on date, attributes jsonb, old_code text);
INSERT INTO products SELECT '85' || (100 + i) || 'A', 'Glass star T-light holder ' || i, 'Home', i % 30 + 0.25,
    current_date - i * 30, '{"colour": "red"}', NULL FROM generate_series(1, 124) i;
CREATE TABLE customers (customer_id text PRIMARY KEY, name text, town text, joined_at text);
INSERT INTO customers SELECT '17' || (850 + i), 'Ash Trading ' || i, 'Leeds',
    CASE WHEN i % 9 = 0 THEN '0000-00-00' ELSE '2011-01-04' END FROM generate_series(1, 40) i;
CREATE TABLE order_lines (order_id bigint, line_no integer, customer text, product text, quantity integer,
    price numeric(10, 2), ordered_at timestamp with time zone NOT NULL, comment text, gift boolean,
    PRIMARY KEY (order_id, line_no));
INSERT INTO order_lines SELECT 536365 + i / 4, i % 4 + 1, '17' || (850 + i % 40), '85' || (100 + i % 124) || 'A',
    1 + i % 12, i % 30 + 0.25, now() - i * interval '8 hours', NULL, i % 9 = 0 FROM generate_series(0, 1999) i;
CREATE TABLE price_list (product_id varchar(20), valid_from date, unit_price numeric(14, 4), discount text,
    changed_at timestamp NOT NULL, PRIMARY KEY (product_id, valid_from));
INSERT INTO price_list SELECT '85' || (100 + i) || 'A', current_date - i, i % 30 + 0.2575,
    CASE WHEN i % 9 = 0 THEN 'n/a' ELSE (i % 20)::text END, now() - i * interval '1 hour'
    FROM generate_series(1, 400) i;
ANALYZE;
"""


def open_shop(server: PostgresServer) -> str:
    """The address of a freshly filled shop on that server."""
    server.create_database("browser_shop")
    server.execute(TABLES, "browser_shop")
    return server.url("browser_shop")
