"""Packed files as what is inside them, unpacked while reading and bounded against bombs."""

from __future__ import annotations

import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO

import pyarrow as pa

from b2b_recs.engine.errors import EngineError, SourceRefused
from b2b_recs.engine.sources.contract import FileInfo
from b2b_recs.engine.sources.files.limits import LIMITS, MEGABYTE, too_much
from b2b_recs.engine.sources.files.patterns import hidden

_MAGIC = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bz2",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\xfd7zXZ\x00": "xz",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
}
_LONGEST = max(map(len, _MAGIC))
_CHUNK = 1 * MEGABYTE
_XZ_MEMORY = 128 * MEGABYTE
_DAMAGED = (pa.ArrowException, OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile,
            RuntimeError, ValueError)  # fmt: skip


def packing(head: bytes) -> str:
    """How content that begins so is packed, "" when it is not."""
    return next((name for magic, name in _MAGIC.items() if head.startswith(magic)), "")


def unpacked(content: BinaryIO, file: FileInfo) -> BinaryIO:
    """The content from its beginning, unpacked when its first bytes say that it is packed.

    Reading raises SourceRefused for damaged content, for what unfolds into too much, and for what was packed twice.
    """
    content.seek(0)
    name = packing(content.read(_LONGEST))
    content.seek(0)
    if not name:
        return content
    try:
        inside = _OPENERS[name](content, file)
    except _DAMAGED as error:
        raise _damaged(file, error) from None
    return io.BufferedReader(_Bounded(inside, content, file), _CHUNK)


class _Bounded(io.RawIOBase):
    """Unpacked bytes, counted against the packed ones they came from."""

    def __init__(self, inside: Any, packed: BinaryIO, file: FileInfo) -> None:
        self._inside = inside
        self._packed = packed
        self._file = file
        self._total = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill the buffer; no more than one chunk at a time is unpacked."""
        try:
            found = self._inside.read(min(len(buffer), _CHUNK))
        except EngineError:
            raise
        except _DAMAGED as error:
            raise _damaged(self._file, error) from None
        if self._total == 0 and packing(found):
            raise SourceRefused(f"The file {self._file.path} was packed twice.", advice="Pack it once.")
        self._total += len(found)
        if self._total > LIMITS.total_bytes:
            raise too_much(self._file.path, f"unpacks to more than {LIMITS.total_bytes // 2**30} GB")
        if self._total > LIMITS.free_bytes and self._total > LIMITS.ratio * max(1, self._packed.tell()):
            raise too_much(self._file.path, f"unpacks to more than {LIMITS.ratio} times its size")
        buffer[: len(found)] = found
        return len(found)


class _Xz:
    """xz content, with a bound on the memory its dictionary may ask for."""

    def __init__(self, content: BinaryIO, file: FileInfo) -> None:
        self._content = content
        self._decoder = lzma.LZMADecompressor(memlimit=_XZ_MEMORY)
        self._rest = b""

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes; b"" at the end."""
        while True:
            if self._decoder.eof:
                self._rest = self._decoder.unused_data.lstrip(b"\x00") or self._content.read(_CHUNK).lstrip(b"\x00")
                if not self._rest:
                    return b""
                self._decoder = lzma.LZMADecompressor(memlimit=_XZ_MEMORY)
            if self._decoder.needs_input and not self._rest:
                self._rest = self._content.read(_CHUNK)
                if not self._rest:
                    raise EOFError("it ends in the middle")
            found = self._decoder.decompress(self._rest, size)
            self._rest = b""
            if found:
                return found


def _zip(content: BinaryIO, file: FileInfo) -> Any:
    """The only file inside a zip archive."""
    archive = zipfile.ZipFile(content)
    inside = [entry for entry in archive.infolist() if not entry.is_dir() and not hidden(entry.filename)]
    inside = [entry for entry in inside if not entry.filename.startswith("__MACOSX/")]
    if len(inside) != 1:
        raise SourceRefused(
            f"The archive {file.path} holds {len(inside):,} files.", advice="Put one file into each archive."
        )
    if inside[0].flag_bits & 1:
        raise SourceRefused(f"The archive {file.path} is locked with a password.", advice="Pack it without one.")
    return archive.open(inside[0])


class _Lent:
    """The packed content without a way to close it, which an unpacker would do when it is thrown away."""

    closed = False

    def __init__(self, content: BinaryIO) -> None:
        self.read = content.read
        self.tell = content.tell

    def close(self) -> None:
        """Left open."""


def _stream(codec: str) -> Callable[[BinaryIO, FileInfo], Any]:
    return lambda content, file: pa.CompressedInputStream(pa.PythonFile(_Lent(content), mode="r"), codec)


_OPENERS: dict[str, Callable[[BinaryIO, FileInfo], Any]] = {
    "gzip": _stream("gzip"),
    "bz2": _stream("bz2"),
    "zstd": _stream("zstd"),
    "xz": _Xz,
    "zip": _zip,
}


def _damaged(file: FileInfo, error: Exception) -> SourceRefused:
    said = str(error).splitlines()[0][:120] if str(error) else "it ends in the middle"
    return SourceRefused(
        f"The packed file {file.path} is damaged or incomplete: {said}.",
        advice="Pack and upload it again.",
    )
