"""Times that travelled as text with nine digits, as the texts or types that casting takes exactly."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from b2b_recs.engine.sources.snowflake.types import Form

_ZONE = "+00:00"
# What is left of nine digits when the last three are zero; casting takes up to six.
_ZEROS = r"(\.\d{6})000(\+00:00)?$"
_FINER = r"\.\d{7,9}(\+00:00)?$"
_TYPES = {
    Form.TIME: pa.time64("ns"),
    Form.WALL: pa.timestamp("ns"),
    Form.MOMENT: pa.timestamp("ns", "UTC"),
}


def with_exact_times(batch: pa.RecordBatch, forms: Sequence[Form]) -> pa.RecordBatch:
    """The batch with each column of times made ready; nothing is cut: what is finer than a microsecond stays finer."""
    for at, form in enumerate(forms):
        if form in _TYPES:
            batch = batch.set_column(at, batch.schema.field(at).name, _exact(batch.column(at), form))
    return batch


def _exact(texts: pa.Array, form: Form) -> pa.Array:
    short = pc.replace_substring_regex(texts, _ZEROS, r"\1\2")
    if not pc.any(pc.match_substring_regex(short, _FINER)).as_py():
        return short
    plain = pc.replace_substring(texts, _ZONE, "")
    if form is Form.TIME:
        plain = pc.binary_join_element_wise(pa.scalar("1970-01-01"), plain, " ")
    try:
        # As numbers, so that casting can say why a value is refused.
        return pc.cast(pc.cast(plain, pa.timestamp("ns")), _TYPES[form])
    except pa.ArrowInvalid:
        return short
