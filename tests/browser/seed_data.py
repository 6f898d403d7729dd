"""Warehouse tables for the browser tests: order lines in three versions, products with faults, rejected rows."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa

from b2b_recs.engine.etl.rejected import SCHEMA as REJECTED
from b2b_recs.engine.schema.arrow import arrow_schema
from b2b_recs.engine.schema.types import ColumnMapping, Mode, WarehouseType
from b2b_recs.engine.warehouse.local import LocalTable, LocalWarehouse

W = WarehouseType
ORDER_LINES = arrow_schema(
    [
        ColumnMapping("order_id", "bigint", W.INT64, Mode.REQUIRED),
        ColumnMapping("line_no", "integer", W.INT64, Mode.REQUIRED),
        ColumnMapping("customer", "text", W.STRING),
        ColumnMapping("product", "text", W.STRING),
        ColumnMapping("quantity", "integer", W.INT64),
        ColumnMapping("price", "numeric(10,2)", W.NUMERIC, precision=10, scale=2),
        ColumnMapping("ordered_at", "timestamp with time zone", W.TIMESTAMP),
        ColumnMapping("comment", "text", W.STRING),
        ColumnMapping("gift", "boolean", W.BOOL),
    ]
)
PRODUCTS = arrow_schema(
    [
        ColumnMapping("product_id", "character varying(20)", W.STRING, Mode.REQUIRED),
        ColumnMapping("name", "text", W.STRING),
        ColumnMapping("category", "text", W.STRING),
        ColumnMapping("price", "numeric(10,2)", W.NUMERIC, precision=10, scale=2),
        ColumnMapping("launched_on", "date", W.DATE),
        ColumnMapping("attributes", "jsonb", W.JSON),
        ColumnMapping("old_code", "text", W.STRING),
    ]
)
NAMES = ("White hanging heart holder", "Red woolly hottie", "Glass star T-light holder", "Jumbo bag red retrospot",
         "Regency cakestand 3 tier", "Party bunting “Sommer”", "מנורה לבנה", "Set of 3 cake tins 🎂")  # fmt: skip
LONG = "Leave at the back door, between the two barrels, and ring twice; nobody hears the first one. " * 3


def fill_warehouse(root: Path, now: datetime, run_id: int) -> None:
    """Order lines and products as their jobs would have loaded them, and rejected customers."""
    warehouse = LocalWarehouse(root)
    lines = warehouse.table("raw_data", "bq_order_lines")
    for number, rows in enumerate((1_900, 40, 60)):
        lines.append(_order_lines(rows, number, now), app=f"copy:etl-run-{run_id if number == 2 else number + 900_000}")
    products = warehouse.table("raw_data", "bq_products")
    products.replace(_products(now, 120, "0"), app="copy:etl-run-900010")
    products.replace(_products(now, 124, "5"), app="copy:etl-run-900011")
    customers = warehouse.table("raw_data", "bq_customers")
    customers.append(pa.table({"customer": ["17850", "17851"], "town": ["Hull", "York"]}))
    _reject(customers, now, run_id)


def _order_lines(rows: int, batch: int, now: datetime) -> pa.Table:
    generator = np.random.default_rng(batch)
    first = (0, 1_900, 1_940)[batch]
    price = generator.lognormal(1.2, 0.9, rows).round(2)
    found = [
        {
            "order_id": 536_365 + (first + at) // 4,
            "line_no": at % 4 + 1,
            "customer": f"17{850 + int(generator.integers(40))}",
            "product": NAMES[int(generator.integers(len(NAMES)))],
            "quantity": int(generator.integers(1, 25)) * (-1 if generator.random() < 0.02 else 1),
            "price": Decimal(str(price[at])).quantize(Decimal("0.01")),
            "ordered_at": now.replace(microsecond=0) - timedelta(hours=8 * (2_000 - first - at)),
            "comment": LONG if at == 3 else "=2+5" if at == 4 else "" if at == 5 else None,
            "gift": bool(generator.random() < 0.1),
        }
        for at in range(rows)
    ]
    return pa.Table.from_pylist(found, ORDER_LINES)


def _products(now: datetime, rows: int, cents: str) -> pa.Table:
    towns = ("Home", "HOME", "Garden ", "Kitchen", "N/A")
    found = [
        {
            "product_id": f"85{100 + at}A",
            "name": f"{NAMES[at % len(NAMES)]} {at}",
            "category": towns[at % len(towns)],
            "price": Decimal(f"{at % 30}.2{cents if at % 40 == 0 else '0'}"),
            "launched_on": now.date() + timedelta(days=400) if at == 7 else now.date() - timedelta(days=at * 30),
            "attributes": json.dumps({"colour": "red", "weight": at}),
            "old_code": None,
        }
        for at in range(rows)
    ]
    return pa.Table.from_pylist(found, PRODUCTS)


def _reject(table: LocalTable, now: datetime, run_id: int) -> None:
    rows = [
        {
            "row": json.dumps(
                {"customer": str(17_900 + at), "joined_at": "0000-00-00" if at else "never", "town": "Leeds"}
            ),
            "column": "joined_at",
            "reason": "is not a date" if at else "is no time of this world",
            "run": f"etl-run-{run_id}",
            "rejected_at": now - timedelta(minutes=12),
            "fingerprint": str(at),
        }
        for at in range(12)
    ]
    table.rejected.append(pa.Table.from_pylist(rows, REJECTED))
