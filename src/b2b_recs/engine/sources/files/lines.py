"""Counting the lines of a text without taking them apart."""

from __future__ import annotations

from typing import BinaryIO

from b2b_recs.engine.sources.contract import FileInfo
from b2b_recs.engine.sources.files.limits import LIMITS, too_much

_CHUNK = 4 << 20


def count_lines(text: BinaryIO, quote: str, file: FileInfo) -> int | None:
    """How many lines the text has; None where lines may be empty or may not be records, so that they must be parsed.

    That is when a quote, an empty line or an old line end (CR alone) is met.
    """
    mark = quote.encode()
    lines, rest = 0, b""
    while chunk := text.read(_CHUNK):
        block = rest + chunk
        end = block.rfind(b"\n") + 1
        if end == 0 and len(block) > LIMITS.row_bytes:
            raise too_much(file.path, f"has a line of more than {LIMITS.row_bytes // 2**20} MB")
        whole, rest = block[:end], block[end:]
        if (mark and mark in whole) or not _plain(whole):
            return None
        lines += whole.count(b"\n")
    if (mark and mark in rest) or not _plain(rest):
        return None
    return lines + bool(rest)


def _plain(block: bytes) -> bool:
    """Whether no line of a block that begins at a line is empty, and every CR stands before a line end."""
    if block.startswith((b"\n", b"\r")) or b"\n\n" in block or b"\n\r" in block:
        return False
    return b"\r" not in block or block.count(b"\r") == block.count(b"\r\n")
