"""Turns selected rows into arrays with dense, stable indices."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from b2b_recs.engine.datasets.interactions import Interactions
from b2b_recs.engine.datasets.local_time import utc_microseconds, zone_named
from b2b_recs.engine.errors import BadInput

LONGEST_ID = 500


def with_dictionaries(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> pa.Table:
    """The batches as one table whose texts are dictionaries, so that a repeated text costs four bytes."""
    narrow = pa.schema([_dictionary_field(field) for field in schema])
    kept = [
        pa.RecordBatch.from_arrays(
            [
                column.dictionary_encode() if pa.types.is_dictionary(field.type) else column
                for column, field in zip(batch.columns, narrow, strict=True)
            ],
            schema=narrow,
        )
        for batch in batches
        if batch.num_rows
    ]
    return pa.Table.from_batches(kept, narrow).unify_dictionaries()


def encode(rows: pa.Table, time_zone: str) -> Interactions:
    """Interactions of a table with ``role_…`` columns, the same for the same rows in any order.

    Without a quantity role every row counts as one piece, without a revenue role revenue is the quantity; an unknown
    or not finite number is 0. A product's or customer's text is its newest one. Raises BadInput for the time zone, and
    for ids too long to be any.
    """
    customer, customer_ids = _codes(rows["role_customer"], "customer")
    product, product_ids = _codes(rows["role_product"], "product")
    time = _microseconds(rows["role_time"], time_zone)
    order = _orders(rows, customer, time)
    quantity = _numbers(rows, "role_quantity", np.ones(len(time)))
    revenue = _numbers(rows, "role_revenue", quantity)
    sequence = np.lexsort((revenue, quantity, order, product, customer, time))
    return Interactions(
        customer=customer[sequence],
        product=product[sequence],
        order=order[sequence],
        time=time[sequence],
        revenue=revenue[sequence],
        quantity=quantity[sequence],
        customer_ids=customer_ids,
        product_ids=product_ids,
        product_names=_newest(rows, "role_product_name", product, time, len(product_ids)),
        product_categories=_newest(rows, "role_category", product, time, len(product_ids)),
        customer_names=_newest(rows, "role_customer_name", customer, time, len(customer_ids)),
    )


def _dictionary_field(field: pa.Field) -> pa.Field:
    if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
        return pa.field(field.name, pa.dictionary(pa.int32(), field.type))
    return field


def _codes(column: pa.ChunkedArray, role: str = "") -> tuple[npt.NDArray[np.int32], npt.NDArray[np.str_]]:
    """Index of every value among the sorted distinct values (-1 for NULL), and those values."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    encoded = column.unify_dictionaries().combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):  # no chunk at all
        encoded = pa.array([], pa.string()).dictionary_encode()
    if role:
        _refuse_long(encoded.dictionary, role)
    values = np.asarray(encoded.dictionary.to_pylist(), dtype=np.str_)
    order = np.argsort(values, kind="stable")
    rank = np.full(len(order) + 1, -1, dtype=np.int32)  # the last place is what -1 finds
    rank[order] = np.arange(len(order), dtype=np.int32)
    indices = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
    return rank[indices], values[order]


def _refuse_long(ids: pa.Array, role: str) -> None:
    """Every id takes the room of the longest one, so one essay among them would take the memory of the machine."""
    longest = pc.max(pc.utf8_length(ids)).as_py() or 0
    if longest > LONGEST_ID:
        raise BadInput(
            f"A {role} id has {longest:,} characters; at most {LONGEST_ID:,} are possible.",
            field=f"roles.{role}",
            advice="Choose the column that holds the number or code, not a text about it.",
        )


def _microseconds(column: pa.ChunkedArray, time_zone: str) -> npt.NDArray[np.int64]:
    """Moments in UTC; a column without a zone shows the wall clock of ``time_zone``."""
    zone = zone_named(time_zone)
    plain = column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64()).to_numpy()
    moments = np.asarray(plain, dtype=np.int64)
    return moments if column.type.tz else utc_microseconds(moments, zone)


def _orders(rows: pa.Table, customer: npt.NDArray[np.int32], time: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    """An index per order of a customer; what has no order number is one order per customer and moment."""
    moments, number = np.unique(time, return_inverse=True)
    numbers = len(moments)
    if "role_order" in rows.column_names:
        codes, ids = _codes(rows["role_order"])
        number = np.where(codes >= 0, codes, len(ids) + number)
        numbers += len(ids)
    together = customer.astype(np.int64) * numbers + number
    return np.asarray(np.unique(together, return_inverse=True)[1], dtype=np.int32)


def _numbers(rows: pa.Table, name: str, default: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    if name not in rows.column_names:
        return default.astype(np.float64)
    values = pc.fill_null(rows[name].cast(pa.float64()), 0.0).to_numpy()
    return np.asarray(np.where(np.isfinite(values), values, 0.0), dtype=np.float64)


def _newest(
    rows: pa.Table, name: str, owner: npt.NDArray[np.int32], time: npt.NDArray[np.int64], count: int
) -> npt.NDArray[np.str_]:
    """The newest known text of every owner, the last by letter among equally new ones, "" where there is none."""
    if name not in rows.column_names:
        return np.full(count, "", dtype=np.str_)
    codes, texts = _codes(rows[name])
    known = np.flatnonzero(codes >= 0)
    known = known[np.lexsort((codes[known], time[known]))]
    newest = np.full(count, -1, dtype=np.int64)
    newest[owner[known]] = codes[known]  # in time order, so the last one wins
    return np.append(texts, "")[newest].astype(np.str_)
