"""Rows as the server sends them, turned into Arrow columns without a Python object for any value.

A row of the text protocol is a packet: four bytes of length and number, then one text a column, each after its own
length. The starts of rows are found one by one; within all rows of a block, one column after the other is found by
arithmetic over arrays, and its bytes are gathered at once.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from b2b_recs.engine.sources.mysql.errors import BrokenAnswer, TooMuch

_LENGTH = struct.Struct("<I").unpack_from
_WHOLE_PACKET = 0xFFFFFF
_NULL, _END, _ERROR = 0xFB, 0xFE, 0xFF
# Lengths from 251 on follow in this many bytes after the mark.
_WIDE = ((0xFC, 2), (0xFD, 3), (0xFE, 8))
LARGEST_ROW_BYTES = 512 * 1024 * 1024
# Rows of few bytes grow when they become typed columns; so many are enough for a block.
_BLOCK_ROWS = 128 * 1024


class RowStream:
    """The rows of one answer; ``last`` is the payload of the packet that ended it, once it has ended."""

    def __init__(self, stream: Any, columns: int, block_bytes: int) -> None:
        self._stream = stream
        self._columns = columns
        self._buffer = bytearray(max(block_bytes, 4096) + 64 * 1024)
        self._view = memoryview(self._buffer)
        self._at = self._end = 0
        self._block = max(block_bytes, 4096)
        self._fresh = True
        self.last: bytes | None = None

    def blocks(self) -> Iterator[list[pa.Array]]:
        """Arrays of bytes, one a column, for about ``block_bytes`` of rows at a time.

        Raises BrokenAnswer where the bytes are not the protocol or end too soon, TooMuch for a row over 512 MB.
        """
        starts: list[int] = []
        ends: list[int] = []
        while self.last is None:
            coming = self._scan(starts, ends)
            no_room = coming > len(self._buffer) - self._at
            if self.last is None and not no_room and self._at < self._block:
                self._fill()
                continue
            if starts:
                yield decode(self._buffer, starts, ends, self._columns)
                starts, ends = [], []
            if self.last is None and coming > len(self._buffer):
                row = self._large_row()
                yield decode(row, [0], [len(row)], self._columns)
            elif self.last is None:
                self._move_to_front()

    def _scan(self, starts: list[int], ends: list[int]) -> int:
        """Note every whole row in the buffer; the bytes that what comes after them needs, as far as is known."""
        buffer, at, end = self._buffer, self._at, self._end
        found, past = starts.append, ends.append
        try:
            for _ in range(_BLOCK_ROWS - len(starts)):
                if end - at < 5:
                    return 5
                size: int = _LENGTH(buffer, at)[0] & _WHOLE_PACKET
                following = at + 4 + size
                if size == _WHOLE_PACKET:
                    return LARGEST_ROW_BYTES
                if following > end:
                    return size + 4
                first = buffer[at + 4]
                if first == _ERROR or (first == _END and size < 9):
                    self.last = bytes(buffer[at + 4 : following])
                    return 0
                found(at + 4)
                past(following)
                at = following
            return len(buffer)
        finally:
            self._at = at

    def _fill(self) -> None:
        self._end += self._receive(self._view[self._end :])

    def _move_to_front(self) -> None:
        rest = self._end - self._at
        self._view[:rest] = bytes(self._view[self._at : self._end])
        self._at, self._end = 0, rest

    def _receive(self, into: memoryview) -> int:
        if self._fresh:
            # What the driver has buffered comes first; peek waits for the server only when nothing is.
            self._fresh = False
            held = self._stream.read(min(len(self._stream.peek()), len(into)))
            into[: len(held)] = held
            count = len(held)
        else:
            count = self._stream.raw.readinto(into)
        if not count:
            raise BrokenAnswer("the server closed the connection in the middle of its answer")
        return int(count)

    def _large_row(self) -> bytearray:
        """The payload of a row larger than the buffer, put together from all its packets."""
        row = bytearray()
        while True:
            size = _LENGTH(self._take(4))[0] & _WHOLE_PACKET
            if len(row) + size > LARGEST_ROW_BYTES:
                raise TooMuch
            row += self._take(size)
            if size < _WHOLE_PACKET:
                return row

    def _take(self, count: int) -> bytearray:
        """The next ``count`` bytes, from the buffer and then from the server."""
        held = min(count, self._end - self._at)
        taken = bytearray(count)
        taken[:held] = self._view[self._at : self._at + held]
        self._at += held
        view = memoryview(taken)
        while held < count:
            held += self._receive(view[held:])
        return taken


def decode(buffer: bytearray, starts: list[int], ends: list[int], columns: int) -> list[pa.Array]:
    """Binary arrays, one a column, of the rows that lie between ``starts`` and ``ends``; raises BrokenAnswer."""
    data, shared = np.frombuffer(buffer, np.uint8), pa.py_buffer(buffer)
    at, stop = np.array(starts, np.int64), np.array(ends, np.int64)
    values = np.arange(0, 2 * len(at), 2, dtype=np.int32)
    arrays = []
    for _ in range(columns):
        if (at >= stop).any():
            raise BrokenAnswer("a row has fewer values than columns")
        begin, end, missing = _places(data, at, stop)
        # Values and the bytes between them are the elements of one array over the whole block; the values are taken.
        offsets = np.empty(2 * len(at), np.int32)
        offsets[0::2], offsets[1::2] = begin, end
        around = pa.Array.from_buffers(pa.binary(), 2 * len(at) - 1, [None, pa.py_buffer(offsets), shared])
        arrays.append(around.take(pa.array(values, mask=missing)))
        at = end
    if (at != stop).any():
        raise BrokenAnswer("a row has more values than columns")
    return arrays


def _places(data: Any, at: Any, stop: Any) -> tuple[Any, Any, Any]:
    """Where the value begins and ends whose length is written at ``at``, and which are NULL (None for none)."""
    first = data[at]
    length, begin, missing = first.astype(np.int64), at + 1, None
    if first.max() >= _NULL:
        missing = first == _NULL
        length[missing] = 0
        for mark, width in _WIDE:
            wide = np.flatnonzero(first == mark)
            if wide.size:
                if (begin[wide] + width > stop[wide]).any():
                    raise BrokenAnswer("a length is cut off")
                value = np.zeros(wide.size, np.int64)
                for byte in range(width):
                    value |= data[begin[wide] + byte].astype(np.int64) << (8 * byte)
                length[wide] = value
                begin[wide] += width
    end = begin + length
    if (length < 0).any() or (end > stop).any():
        raise BrokenAnswer("a value is longer than its row")
    return begin, end, missing
