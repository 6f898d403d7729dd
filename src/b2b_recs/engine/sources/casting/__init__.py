"""Casting on this side: what a driver hands over becomes the warehouse's types, value by value exact or rejected.

How a source uses it: it reads batches whose columns come in the order of the request's mapping, in the most exact
Arrow types its driver has (text where the driver would damage a value), and yields ``cast_batch(batch,
request.columns, request.time_zone)`` for each. Any Arrow type may come; a batch may have another type for the same
column than the one before. It may ask ``cast_columns(schema, request.columns)`` before it reads: BadInput names the
first column that cannot become what the mapping says.
"""

from b2b_recs.engine.sources.casting.batch import cast_batch, cast_columns

__all__ = ["cast_batch", "cast_columns"]
