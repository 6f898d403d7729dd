"""A file in a store, read by ranges: small ones after a jump, larger ones and ahead of the reader when it goes on."""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import BinaryIO, cast

FIRST_BYTES = 256 * 1024
MOST_BYTES = 8 * 1024 * 1024
_BUFFER = 64 * 1024

# The bytes from start up to, not including, stop.
Fetch = Callable[[int, int], bytes]


def range_file(size: int, fetch: Fetch, done: Callable[[], None] = lambda: None) -> BinaryIO:
    """A readable, seekable file of ``size`` bytes over ``fetch``, for one thread; holds at most two ranges.

    ``fetch`` may be called from another thread; ``done`` is called once the file is closed.
    """
    return cast(BinaryIO, io.BufferedReader(_Ranges(size, fetch, done), _BUFFER))


class _Ranges(io.RawIOBase):
    """One range in hand, the next on its way while the reader goes straight on."""

    def __init__(self, size: int, fetch: Fetch, done: Callable[[], None]) -> None:
        super().__init__()
        self._done = done
        self._size = size
        self._fetch = fetch
        self._at = 0
        self._start, self._held = 0, b""
        self._width = FIRST_BYTES
        self._ahead: tuple[int, Future[bytes]] | None = None
        self._thread: ThreadPoolExecutor | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("a position before the beginning of the file")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: object) -> int:
        """Fill as much of the buffer as one range gives; 0 at the end of the file."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        wanted = min(len(view), self._size - self._at)
        if wanted <= 0:
            return 0
        if not self._start <= self._at < self._start + len(self._held):
            self._move(wanted)
        begin = self._at - self._start
        piece = self._held[begin : begin + wanted]
        view[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def close(self) -> None:
        """Forget what is held and what is on its way."""
        if not self.closed:
            self._held, self._ahead = b"", None
            if self._thread is not None:
                self._thread.shutdown(wait=False, cancel_futures=True)
            self._done()
        super().close()

    def _move(self, wanted: int) -> None:
        """Hold the range that begins at the position."""
        straight_on = self._at == self._start + len(self._held) and self._at > 0
        ahead, self._ahead = self._ahead, None
        if straight_on and ahead is not None and ahead[0] == self._at:
            held = ahead[1].result()
        else:
            if ahead is not None:
                ahead[1].cancel()
            self._width = min(self._width * 2, MOST_BYTES) if straight_on else FIRST_BYTES
            held = self._fetch(self._at, min(self._size, self._at + max(wanted, self._width)))
        self._start, self._held = self._at, held
        following = self._start + len(held)
        if straight_on and following < self._size:
            self._width = min(self._width * 2, MOST_BYTES)
            if self._thread is None:
                self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="read ahead")
            stop = min(self._size, following + self._width)
            self._ahead = following, self._thread.submit(self._fetch, following, stop)
