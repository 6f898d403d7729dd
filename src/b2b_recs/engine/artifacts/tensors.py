"""Arrays in one safetensors file: written by the library, read as read-only memory maps after a full check.

The reader here trusts nothing it has not checked: the header's length, its JSON, every type, shape and offset, and
that the arrays cover the file exactly. No object can be in such a file, so nothing in it can run.
"""

from __future__ import annotations

import hashlib
import json
import math
import mmap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file

HEADER_LIMIT = 64 * 1024 * 1024
DTYPES: dict[str, str] = {
    "BOOL": "bool",
    "U8": "uint8",
    "I8": "int8",
    "I16": "int16",
    "I32": "int32",
    "I64": "int64",
    "F32": "float32",
    "F64": "float64",
}
_NAMES = frozenset(DTYPES.values())


class TensorsRefused(ValueError):
    """The file is not a set of plain arrays; the message says why, without a full stop."""


def write_tensors(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write ``arrays`` to ``path``. TensorsRefused when one has a type outside the list (text, objects, …)."""
    plain: dict[str, npt.NDArray[Any]] = {}
    for name, array in arrays.items():
        if array.dtype.name not in _NAMES:
            raise TensorsRefused(f"array {name!r} has type {array.dtype.name}, which cannot be stored")
        plain[name] = np.ascontiguousarray(array).reshape(array.shape)
    save_file(plain, path)


def file_sha256(path: Path) -> str:
    """SHA-256, in hex, of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def map_tensors(path: Path) -> dict[str, npt.NDArray[Any]]:
    """The arrays of ``path`` by name, read-only, backed by the file. TensorsRefused when anything is off."""
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        if size < 8:
            raise TensorsRefused("its array file is shorter than a header")
        view = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    header_bytes = int.from_bytes(view[:8], "little")
    if header_bytes > min(HEADER_LIMIT, size - 8):
        raise TensorsRefused("its array file does not start with an array header")
    entries = _header(view[8 : 8 + header_bytes])
    start = 8 + header_bytes
    arrays: dict[str, npt.NDArray[Any]] = {}
    spans: list[tuple[int, int]] = []
    for name, entry in entries.items():
        dtype, shape, begin, end = _entry(name, entry, size - start)
        spans.append((begin, end))
        flat = np.frombuffer(view, dtype=dtype, count=math.prod(shape), offset=start + begin)
        arrays[name] = flat.reshape(shape)
    _cover(spans, size - start)
    return arrays


def _header(data: bytes) -> dict[str, Any]:
    try:
        document = json.loads(data, object_pairs_hook=_unique)
    except ValueError as error:  # also what a wrong encoding raises
        raise TensorsRefused("the header of its array file cannot be read") from error
    if not isinstance(document, dict):
        raise TensorsRefused("the header of its array file is not a table of arrays")
    document.pop("__metadata__", None)
    return document


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a name appears twice")
    return document


def _entry(name: str, entry: Any, room: int) -> tuple[np.dtype[Any], tuple[int, ...], int, int]:
    """Type, shape and byte span of one array, all checked against ``room`` bytes of data."""
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise TensorsRefused(f"the header entry of array {name!r} is malformed")
    if not isinstance(entry["dtype"], str) or entry["dtype"] not in DTYPES:
        raise TensorsRefused(f"array {name!r} has type {str(entry['dtype'])[:20]!r}, which is not allowed")
    dtype = np.dtype(DTYPES[entry["dtype"]]).newbyteorder("<")
    shape, offsets = entry["shape"], entry["data_offsets"]
    whole = isinstance(shape, list) and isinstance(offsets, list) and len(offsets) == 2 and len(shape) <= 8
    if not whole or not all(type(number) is int and number >= 0 for number in [*shape, *offsets]):
        raise TensorsRefused(f"array {name!r} has a malformed shape or position")
    begin, end = offsets
    if not begin <= end <= room or end - begin != math.prod(shape) * dtype.itemsize:
        raise TensorsRefused(f"array {name!r} reaches outside its file or disagrees with its shape")
    return dtype, tuple(shape), begin, end


def _cover(spans: list[tuple[int, int]], room: int) -> None:
    """Refuse gaps, overlaps and trailing bytes: every byte belongs to exactly one array."""
    position = 0
    for begin, end in sorted(spans):
        if begin != position:
            raise TensorsRefused("arrays overlap or leave a gap")
        position = end
    if position != room:
        raise TensorsRefused("its array file is cut short or has bytes after the last array")
