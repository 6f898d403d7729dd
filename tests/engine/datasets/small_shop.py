"""A warehouse with a handful of orders, small enough to work out every answer by hand."""
# ruff: noqa: DTZ001 - these clocks have no zone, as in the databases they stand for

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from b2b_recs.engine.datasets.build import build_dataset
from b2b_recs.engine.datasets.interactions import DatasetBuild
from b2b_recs.engine.datasets.spec import DatasetSpec
from b2b_recs.engine.warehouse.local import LocalWarehouse

ROLES = {"customer": "customer_id", "product": "product_id", "time": "ordered_at"}
MONEY = {"revenue": "line_total", "quantity": "quantity", "order": "order_id"}

# order, customer, product, time, quantity, line total
LINES: list[tuple[Any, ...]] = [
    ("A1", 7, "nail-5", datetime(2024, 1, 2, 9, 0), 10, Decimal("20.00")),
    ("A1", 7, "bolt", datetime(2024, 1, 2, 9, 0), 1, Decimal("70.00")),
    ("A2", 7, "NAIL-5", datetime(2024, 7, 1, 12, 0), 20, Decimal("40.00")),
    ("B1", 8, "bolt", datetime(2024, 7, 2, 12, 0), 1, Decimal("70.00")),
    ("B1", 8, "tape", datetime(2024, 7, 2, 12, 0), 3, Decimal("10.00")),
    ("CB1", 8, "tape", datetime(2024, 7, 3, 12, 0), -3, Decimal("-10.00")),
    ("D1", None, "bolt", datetime(2024, 7, 4, 12, 0), 1, Decimal("70.00")),
    ("E1", 9, "glue", None, 1, Decimal("5.00")),
]
SCHEMA = pa.schema(
    [
        ("order_id", pa.string()),
        ("customer_id", pa.int64()),
        ("product_id", pa.string()),
        ("ordered_at", pa.timestamp("us")),
        ("quantity", pa.int64()),
        ("line_total", pa.decimal128(12, 2)),
    ]
)


def lines_table(lines: list[tuple[Any, ...]] = LINES, schema: pa.Schema = SCHEMA) -> pa.Table:
    columns = list(zip(*lines, strict=True)) if lines else [() for _ in schema]
    return pa.table([pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema)


def warehouse_of(folder: Path, **tables: pa.Table) -> LocalWarehouse:
    """A warehouse whose ``raw_data`` holds the tables; ``lines`` is the small shop unless given."""
    warehouse = LocalWarehouse(folder / "warehouse")
    for name, table in {"lines": lines_table(), **tables}.items():
        warehouse.table("raw_data", name).append(table)
    return warehouse


def spec_of(base: str = "lines", **changes: Any) -> DatasetSpec:
    return DatasetSpec.model_validate({"base": base, "roles": {**ROLES, **MONEY}, **changes})


def built(warehouse: LocalWarehouse, **changes: Any) -> DatasetBuild:
    return build_dataset(spec_of(**changes), warehouse)


def kept(build: DatasetBuild) -> list[tuple[str, str, float]]:
    """Customer, product and quantity of every line, in the order of the build."""
    lines = build.interactions
    return [
        (str(lines.customer_ids[customer]), str(lines.product_ids[product]), float(quantity))
        for customer, product, quantity in zip(lines.customer, lines.product, lines.quantity, strict=True)
    ]
