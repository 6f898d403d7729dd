"""A file that is downloaded while it is read: kept in a temporary file, as far as anybody has asked."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Callable, Iterator
from typing import BinaryIO

from b2b_recs.engine.errors import ConnectionLost
from b2b_recs.engine.sources.contract import FileInfo

_ALL = 1 << 62


class Download:
    """The bytes that have come so far, and the rest when it is asked for. Several readers, one after the other.

    ``finish`` is called once, when no more bytes are wanted.
    """

    def __init__(self, chunks: Iterator[bytes], file: FileInfo, finish: Callable[[], None]) -> None:
        self.mark = file.mark
        self._file = file
        self._chunks = chunks
        self._finish = finish
        self._kept = tempfile.TemporaryFile(prefix="b2b-recs-")  # noqa: SIM115 - lives as long as this does
        self._length = 0
        self._complete = False

    def reader(self) -> BinaryIO:
        """A file over the bytes, from the beginning."""
        return io.BufferedReader(_Reader(self), 1 << 20)

    def read_at(self, offset: int, size: int) -> bytes:
        """Up to ``size`` bytes from ``offset``. Raises ConnectionLost when fewer came than were announced."""
        self.reach(offset + size)
        return os.pread(self._kept.fileno(), min(size, max(0, self._length - offset)), offset)

    def whole_length(self) -> int:
        """The length of the file; asks for all of it when the server did not say."""
        if not self._complete and self._file.size > 0:
            return self._file.size
        self.reach(_ALL)
        return self._length

    def reach(self, wanted: int) -> None:
        """Download until ``wanted`` bytes are here, or the end."""
        self._kept.seek(0, os.SEEK_END)
        while not self._complete and self._length < wanted:
            chunk = next(self._chunks, None)
            if chunk is None:
                self._complete = True
                self._finish()
                if self._file.size and self._length != self._file.size:
                    raise ConnectionLost(
                        f"{self._length:,} of {self._file.size:,} bytes of {self._file.path} arrived.",
                        advice="Run the job again.",
                    )
                break
            self._kept.write(chunk)
            self._kept.flush()
            self._length += len(chunk)

    def close(self) -> None:
        """Stop downloading and remove what is kept; safe to call twice."""
        if not self._kept.closed:
            if not self._complete:
                self._finish()
            self._kept.close()


class _Reader(io.RawIOBase):
    """One reader's place in a download."""

    def __init__(self, download: Download) -> None:
        self._download = download
        self._at = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to another place."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at}.get(whence)
        self._at = max(0, offset + (self._download.whole_length() if start is None else start))
        return self._at

    def tell(self) -> int:
        """The place."""
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill the buffer from the place on."""
        found = self._download.read_at(self._at, len(buffer))
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)
