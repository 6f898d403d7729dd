"""A list of texts as two arrays (UTF-8 bytes and offsets), readable without loading it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt


def pack_strings(name: str, texts: Iterable[str]) -> dict[str, npt.NDArray[Any]]:
    """Arrays ``{name}/bytes`` uint8 (total,) and ``{name}/offsets`` int64 (count + 1,)."""
    encoded = [str(text).encode("utf-8", "replace") for text in texts]
    offsets = np.zeros(len(encoded) + 1, dtype=np.int64)
    np.cumsum([len(text) for text in encoded], out=offsets[1:])
    return {f"{name}/bytes": np.frombuffer(b"".join(encoded), dtype=np.uint8), f"{name}/offsets": offsets}


class Strings(Sequence[str]):
    """The texts packed under ``name``. ValueError when the offsets do not fit the bytes."""

    def __init__(self, name: str, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self._bytes = arrays[f"{name}/bytes"]
        self._offsets = arrays[f"{name}/offsets"]
        offsets = self._offsets
        if (
            self._bytes.dtype != np.uint8
            or offsets.dtype != np.int64
            or offsets.ndim != 1
            or not len(offsets)
            or offsets[0] != 0
            or offsets[-1] != len(self._bytes)
            or (np.diff(offsets) < 0).any()
        ):
            raise ValueError(f"the texts of {name!r} do not fit their offsets")

    def __len__(self) -> int:
        return len(self._offsets) - 1

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        return self._raw(range(len(self))[index]).decode()

    def __iter__(self) -> Iterator[str]:
        return (self[position] for position in range(len(self)))

    def find(self, text: str) -> int:
        """The position of ``text`` in a sorted list, -1 when it is not there. About ten microseconds."""
        try:
            wanted = text.encode()
        except UnicodeEncodeError:  # a lone surrogate can be no id
            return -1
        low, high = 0, len(self)
        while low < high:  # UTF-8 keeps the order of code points, so bytes compare as the texts do
            middle = (low + high) // 2
            if self._raw(middle) < wanted:
                low = middle + 1
            else:
                high = middle
        return low if low < len(self) and self._raw(low) == wanted else -1

    def _raw(self, position: int) -> bytes:
        return self._bytes[self._offsets[position] : self._offsets[position + 1]].tobytes()
