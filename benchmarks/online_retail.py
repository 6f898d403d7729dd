"""The sample orders as interactions, filtered as the quality protocol says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from b2b_recs.engine.datasets.interactions import Interactions

SAMPLE = Path(__file__).resolve().parent.parent / "sample_data" / "online_retail.parquet"
EXPECTED = {"rows": 396_337, "customers": 4_334, "products": 3_659, "orders": 18_402}


def load_interactions(path: Path = SAMPLE) -> Interactions:
    """Known customers, no cancellations, positive quantity and price, product codes only; in time order."""
    table = pq.read_table(path)
    code = pc.utf8_upper(table["stock_code"])
    table = table.set_column(table.schema.get_field_index("stock_code"), "stock_code", code)
    kept = pc.is_valid(table["customer_id"])
    for condition in (
        pc.invert(pc.starts_with(table["invoice_no"], "C")),
        pc.greater(table["quantity"], 0),
        pc.greater(table["unit_price"], pa.scalar(0, pa.decimal128(12, 3))),
        pc.match_substring_regex(code, "^[0-9]{5}"),
    ):
        kept = pc.and_(kept, condition)
    table = table.filter(kept)
    table = table.take(np.argsort(table["invoice_date"].to_numpy(), kind="stable"))
    customer_ids, customer = _indices(table["customer_id"])
    product_ids, product = _indices(table["stock_code"])
    _, order = _indices(table["invoice_no"])
    quantity = table["quantity"].to_numpy().astype(np.float64)
    names = np.full(len(product_ids), "", dtype=object)
    names[product] = pc.fill_null(table["description"], "").to_numpy()
    data = Interactions(
        customer=customer,
        product=product,
        order=order,
        time=table["invoice_date"].cast(pa.timestamp("us")).cast(pa.int64()).to_numpy(),
        revenue=quantity * table["unit_price"].cast(pa.float64()).to_numpy(),
        quantity=quantity,
        customer_ids=customer_ids,
        product_ids=product_ids,
        product_names=names.astype(np.str_),
        product_categories=np.full(len(product_ids), "", dtype=np.str_),
        customer_names=np.full(len(customer_ids), "", dtype=np.str_),
    )
    found = {
        "rows": len(data),
        "customers": data.customers,
        "products": data.products,
        "orders": int(order.max()) + 1,
    }
    if found != EXPECTED:
        raise SystemExit(f"The sample is not the one the protocol describes: {found}, expected {EXPECTED}.")
    return data


def _indices(column: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    values, index = np.unique(column.cast(pa.string()).to_numpy().astype(np.str_), return_inverse=True)
    return values, index.astype(np.int32)
