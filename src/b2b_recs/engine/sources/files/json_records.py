"""JSON files cut into records, as they are written, without reading what is in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO, Literal

from b2b_recs.engine.errors import SourceRefused
from b2b_recs.engine.sources.contract import FileInfo
from b2b_recs.engine.sources.files.limits import LIMITS, too_much

_CHUNK = 1 << 20
# A whole string, or a sign that structures, or the beginning of a string that goes on in the next chunk.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{},]|"', re.DOTALL)
# A whole object without anything nested, which is most of them.
_FLAT = re.compile(rb'\s*+\{(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+\}', re.DOTALL)
_OPEN, _CLOSE = b"[{", b"]}"


def layout_of(head: bytes) -> Literal["lines", "array"]:
    """How a file that begins so is laid out."""
    return "array" if head.lstrip()[:1] == b"[" else "lines"


def lines(text: BinaryIO, file: FileInfo) -> Iterator[list[bytes]]:
    """The lines that are not blank, some at a time."""
    rest = b""
    while chunk := text.read(_CHUNK):
        *whole, rest = (rest + chunk).split(b"\n")
        if len(rest) > LIMITS.row_bytes:
            raise too_much(file.path, f"has a line of more than {LIMITS.row_bytes // 2**20} MB")
        yield [line for line in whole if line.strip()]
    if rest.strip():
        yield [rest]


def elements(text: BinaryIO, file: FileInfo) -> Iterator[list[bytes]]:
    """The elements of the array that is the whole file, some at a time. Raises SourceRefused for anything else."""
    cutter = _Cutter(file)
    while chunk := text.read(_CHUNK):
        yield cutter.cut(chunk)
    cutter.end()


class _Cutter:
    """Keeps the place inside the array from chunk to chunk."""

    def __init__(self, file: FileInfo) -> None:
        self._file = file
        self._buffer = b""
        self._scanned = 0
        self._depth = 0
        self._ended = False

    def cut(self, chunk: bytes) -> list[bytes]:
        """The elements that end in this chunk."""
        buffer = self._buffer + chunk
        found: list[bytes] = []
        start, at = 0, self._scanned
        while token := self._next(buffer, start, at):
            sign = token[0]
            if sign == b'"':
                break
            at = token.end()
            if len(sign) > 1:
                continue
            start = self._meet(sign, buffer, start, token.start(), found)
        else:
            at = len(buffer)
        if (self._ended and buffer[start:].strip()) or (self._depth == 0 and not self._ended and buffer.strip()):
            raise self._no_array()
        self._buffer, self._scanned = buffer[start:], at - start
        if len(self._buffer) > LIMITS.row_bytes:
            raise too_much(self._file.path, f"has an element of more than {LIMITS.row_bytes // 2**20} MB")
        return found

    def _next(self, buffer: bytes, start: int, at: int) -> re.Match[bytes] | None:
        """The next token; a flat object counts as one, as a string does."""
        flat = _FLAT.match(buffer, at) if self._depth == 1 and start == at else None
        return flat or _TOKEN.search(buffer, at)

    def end(self) -> None:
        """Raises SourceRefused unless the array has ended."""
        if not self._ended:
            raise SourceRefused(
                f"The file {self._file.path} ends in the middle of its array.",
                advice="Check that the file is complete.",
            )

    def _meet(self, sign: bytes, buffer: bytes, start: int, at: int, found: list[bytes]) -> int:
        """What a structuring sign means; returns where the current element starts."""
        if sign in _OPEN:
            if self._depth == 0 and (self._ended or sign != b"[" or buffer[start:at].strip()):
                raise self._no_array()
            self._depth += 1
            if self._depth > LIMITS.depth:
                raise too_much(self._file.path, f"is nested more than {LIMITS.depth} deep")
            return at + 1 if self._depth == 1 else start
        if self._depth == 0:
            raise self._no_array()
        if sign in _CLOSE:
            self._depth -= 1
            if self._depth:
                return start
            if sign != b"]":
                raise self._no_array()
            self._ended = True
        elif self._depth > 1:
            return start
        element = buffer[start:at].strip()
        if element or not self._ended:
            found.append(element)
        return at + 1

    def _no_array(self) -> SourceRefused:
        return SourceRefused(
            f"The file {self._file.path} is not one JSON array.",
            advice="Write one array of objects, or one object on each line.",
            field="layout",
        )
