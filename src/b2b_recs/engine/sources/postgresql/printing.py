"""Values that arrive as bytes and are kept as the text that the server prints for them."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_BYTES, _DIGITS, _CHARACTERS = 16, 32, 36
# The groups of hexadecimal digits of a uuid: their place among the digits, and in the text with dashes between them.
_GROUPS = {
    "a": ("<u8", 0, 0),
    "b": ("<u4", 8, 9),
    "c": ("<u4", 12, 14),
    "d": ("<u4", 16, 19),
    "e": ("<u8", 20, 24),
    "f": ("<u4", 28, 32),
}


def uuid_texts(values: pa.FixedSizeBinaryArray) -> pa.StringArray:
    """The texts of uuids, NULL where a value is."""
    count = len(values)
    stored = values.buffers()[1]
    if values.null_count == count or stored is None:
        return pa.nulls(count, pa.string())
    pairs = np.frombuffer(stored, "<u2", count * _BYTES // 2, values.offset * _BYTES)
    digits = _digits_of_pairs().take(pairs, mode="clip").view(_laid_out(1, _DIGITS))
    texts = np.full(count * _CHARACTERS, ord("-"), np.uint8).view(_laid_out(2, _CHARACTERS))
    for group in _GROUPS:
        texts[group] = digits[group]
    offsets = np.arange(0, (count + 1) * _CHARACTERS, _CHARACTERS, dtype=np.int32)
    validity = pc.is_valid(values).buffers()[1] if values.null_count else None
    buffers = [validity, pa.py_buffer(offsets), pa.py_buffer(texts)]
    return pa.Array.from_buffers(pa.string(), count, buffers, values.null_count)


@cache
def _digits_of_pairs() -> npt.NDArray[np.uint32]:
    """The four digits of every pair of bytes, by the number the pair makes with its first byte as the lower one."""
    texts = np.array([b"%02x" % byte for byte in range(256)], "S2").view("<u2").astype(np.uint32)
    first, second = texts[np.newaxis, :], texts[:, np.newaxis]
    return (first | second << 16).astype("<u4").ravel()


@cache
def _laid_out(place: int, size: int) -> Any:
    """One uuid as its groups, at the given of their two places: a type of NumPy."""
    layout: Any = {
        "names": list(_GROUPS),
        "formats": [group[0] for group in _GROUPS.values()],
        "offsets": [group[place] for group in _GROUPS.values()],
        "itemsize": size,
    }
    return np.dtype(layout)
