"""Turns selected rows into arrays with dense, stable indices."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from b2b_recs.engine.datasets.interactions import Interactions


def encode(rows: pa.Table, time_zone: str) -> Interactions:
    """Interactions of a table with ``role_…`` columns, in an order that depends on the rows alone."""
    customer, customer_ids = _codes(rows["role_customer"])
    product, product_ids = _codes(rows["role_product"])
    time = _microseconds(rows["role_time"], time_zone)
    order = _orders(rows, customer, time)
    quantity = _numbers(rows, "role_quantity", np.ones(len(time)))
    revenue = _numbers(rows, "role_revenue", quantity)
    sequence = np.lexsort((revenue, quantity, order, product, customer, time))
    customer, product, order, time = customer[sequence], product[sequence], order[sequence], time[sequence]
    return Interactions(
        customer=customer,
        product=product,
        order=order,
        time=time,
        revenue=revenue[sequence],
        quantity=quantity[sequence],
        customer_ids=customer_ids,
        product_ids=product_ids,
        product_names=_newest(rows, "role_product_name", sequence, product, len(product_ids)),
        product_categories=_newest(rows, "role_category", sequence, product, len(product_ids)),
        customer_names=_newest(rows, "role_customer_name", sequence, customer, len(customer_ids)),
    )


def _codes(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.str_]]:
    """Index of every value among the sorted distinct values, and those values."""
    encoded = column.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    values = np.asarray(encoded.dictionary.to_pylist(), dtype=np.str_)
    order = np.argsort(values, kind="stable")
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    return rank[np.asarray(encoded.indices)], values[order]


def _microseconds(column: pa.ChunkedArray, time_zone: str) -> npt.NDArray[np.int64]:
    kind = column.type
    if kind.tz is None:
        column = pc.assume_timezone(
            column.cast(pa.timestamp("us")), timezone=time_zone, ambiguous="earliest", nonexistent="latest"
        )
    else:
        column = column.cast(pa.timestamp("us", "UTC"))
    return np.asarray(column.cast(pa.int64()).to_numpy(), dtype=np.int64)


def _orders(rows: pa.Table, customer: npt.NDArray[np.int32], time: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    """An index per order; without an order column, what a customer bought at one moment is an order."""
    moments, moment = np.unique(time, return_inverse=True)
    together = customer.astype(np.int64) * len(moments) + moment
    if "role_order" not in rows.column_names:
        return np.asarray(np.unique(together, return_inverse=True)[1], dtype=np.int32)
    filled = pc.fill_null(rows["role_order"], "")
    codes, ids = _codes(filled)
    if len(ids) and ids[0] == "":  # lines without an order number are orders by customer and moment
        mixed = np.where(codes == 0, len(ids) + np.unique(together, return_inverse=True)[1], codes)
        return np.asarray(np.unique(mixed, return_inverse=True)[1], dtype=np.int32)
    return codes


def _numbers(rows: pa.Table, name: str, default: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    if name not in rows.column_names:
        return default.astype(np.float64)
    values: npt.NDArray[Any] = pc.fill_null(rows[name].cast(pa.float64()), 0.0).to_numpy()
    return np.where(np.isfinite(values), values, 0.0)


def _newest(
    rows: pa.Table, name: str, sequence: npt.NDArray[np.intp], owner: npt.NDArray[np.int32], count: int
) -> npt.NDArray[np.str_]:
    """The newest known text of every customer or product, "" where there is none."""
    if name not in rows.column_names:
        return np.full(count, "", dtype=np.str_)
    encoded = pc.fill_null(rows[name], "").combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    texts = np.asarray(encoded.dictionary.to_pylist() or [""], dtype=np.str_)
    codes = np.asarray(encoded.indices)[sequence]
    known = texts[codes] != ""
    newest = np.full(count, -1, dtype=np.int64)
    newest[owner[known]] = codes[known]  # rows are in time order, so the last one wins
    return np.where(newest >= 0, texts[newest], "").astype(np.str_)
