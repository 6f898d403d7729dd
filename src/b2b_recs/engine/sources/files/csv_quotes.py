"""Which lines of a text with delimiters have a quote that is not closed, or closed in the middle of a value.

A parser takes such a value for text up to some later quote, and every line in between with it. So the lines are taken
out of the bytes on their way to the parser.
"""

from __future__ import annotations

import io
import re
import threading
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from b2b_recs.engine.sources.files.limits import LIMITS

_PIECE = 1 << 18
_LF = 10
_LINE_END = re.compile(rb"\r\n?|\n")
# What a line that was taken out shows of its text, and holds in memory beside it, in bytes.
_SHOWN, _EACH = 100_000, 250


class TooManyFaults(Exception):
    """So many lines were taken out, and none or few left in, that they would fill the memory."""


@dataclass(frozen=True, slots=True)
class QuoteFault:
    """A line that was taken out: its text and why. ``first``: no record came before it."""

    text: bytes
    reason: str
    first: bool


class WithoutQuoteFaults(io.RawIOBase):
    """The UTF-8 ``text`` without the lines that are in ``faults`` once they were passed by.

    Holds one piece, or the one record that fills it, up to the size that a record may have.
    """

    def __init__(self, text: BinaryIO, delimiter: str, quote: str) -> None:
        self.faults: list[QuoteFault] = []
        self._waiting = 0
        # The parser reads ahead in a thread of its own.
        self._lock = threading.Lock()
        self._text = text
        self._quote = quote.encode()
        self._beside = np.zeros(256, dtype=bool)
        self._beside[[*delimiter.encode(), *self._quote, _LF, 13]] = True
        self._record, self._lead, self._body = _patterns(re.escape(self._quote), re.escape(delimiter.encode()))
        self._ready = memoryview(b"")
        self._rest = b""
        self._lines = 0
        self._ended = False
        self._begun = False

    def taken(self) -> list[QuoteFault]:
        """The faults met since this was asked before, which are then forgotten."""
        with self._lock:
            found, self.faults, self._waiting = self.faults, [], 0
        return found

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill the buffer. Raises TooManyFaults."""
        while not self._ready and not self._ended:
            # What is held twice as much each time: a record of many pieces is not looked through for each of them.
            more = self._text.read(max(_PIECE, len(self._rest)))
            self._ended = not more
            self._ready = memoryview(self._checked(self._rest + more))
        found, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        buffer[: len(found)] = found
        return len(found)

    def _checked(self, block: bytes) -> bytes:
        """What may go on of a block that begins at a record; the record that is not complete waits."""
        good: list[bytes] = []
        cut = self._cut(block)
        self._pass(good, block[:cut])
        self._rest = block[cut:]
        if not cut or self._ended:
            self._by_record(good, self._rest)
        return b"".join(good)

    def _cut(self, block: bytes) -> int:
        """Where the last record ends when every quote before is where it belongs, else 0.

        Every second quote then closes. It stands before a delimiter, a line end or, for a quote inside the value, the
        next one, and that next one, like each that opens, behind one of the same.
        """
        end = block.rfind(b"\n") + 1
        if self._quote not in block:
            return end
        values = np.frombuffer(block, dtype=np.uint8)
        at = np.flatnonzero(values == self._quote[0])
        return self._paired(block, values, at) or self._apart(block, values, at)

    def _paired(self, block: bytes, values: np.ndarray, at: np.ndarray) -> int:
        """Where the last record ends when the quotes at ``at`` open and close values by turns, else 0."""
        end = block.rfind(b"\n") + 1
        before = int(np.searchsorted(at, end))
        if before % 2:
            ends = np.flatnonzero(values[: int(at[before - 1])] == _LF) + 1
            outside = ends[np.searchsorted(at, ends) % 2 == 0]
            end = int(outside[-1]) if len(outside) else 0
            before = int(np.searchsorted(at, end))
        opening, closing = at[:before:2], at[1:before:2]
        if not end:
            return 0
        right = self._beside[values[:end].take(opening - 1, mode="wrap")].all()
        return end if right and self._beside[values[closing + 1]].all() else 0

    def _apart(self, block: bytes, values: np.ndarray, at: np.ndarray) -> int:
        """The same for a block in which other quotes are text of values without quotes around, such as 5" pipe."""
        behind = self._beside[values[at - 1]] | (at == 0)
        ahead = self._beside[values.take(at + 1, mode="clip")]
        plain = ~behind & ~ahead
        some = np.flatnonzero(~plain)
        # One that could only close, after another of those, has nothing to close. Two in a row stay together.
        closes = ~behind[some]
        alone = np.append(np.diff(at) > 1, True)[some]
        plain[some[closes & alone & np.concatenate(([True], closes[:-1]))]] = True
        marks, texts = at[~plain], at[plain]
        end = self._paired(block, values, marks)
        outside = np.searchsorted(marks, texts[texts < end]) % 2 == 0
        return end if outside.all() else 0

    def _by_record(self, good: list[bytes], block: bytes) -> None:
        at = 0
        while True:
            quote = block.find(self._quote, at)
            # A CR at the end may be the first half of a line end.
            last = quote if quote >= 0 else len(block) - (block.endswith(b"\r") and not self._ended)
            start = max(block.rfind(b"\n", at, last), block.rfind(b"\r", at, last)) + 1 or at
            if quote < 0:
                start = len(block) if self._ended or len(block) - start > LIMITS.row_bytes else start
                self._pass(good, block[at:start])
                break
            self._pass(good, block[at:start])
            at = start
            found = self._record.match(block, start)
            if found is not None:
                if not self._ended and found.end() == len(block) and not block.endswith(b"\n"):
                    break
                self._pass(good, found[0])
                at = found.end()
                continue
            end = self._fault(block, start)
            if end == start:
                break
            at = end
        self._rest = block[start:]

    def _fault(self, block: bytes, start: int) -> int:
        """Take out the faulty record at ``start``, up to the line its fault begins in; where the next line begins.

        ``start`` itself when the block ends before that can be told.
        """
        lead = self._lead.match(block, start)
        opened = lead.end() if lead is not None else start
        body = self._body.match(block, opened)
        closed = body.end() if body is not None else len(block)
        line = _LINE_END.search(block, opened)
        full = self._ended or len(block) - start > LIMITS.row_bytes
        if not full and (closed + 1 >= len(block) or line is None or line.end() == len(block)):
            return start
        number = self._lines + _lines(block[start:opened]) + 1
        why = "a quote is not closed" if closed >= len(block) else "a closing quote is followed by more text"
        text = block[start : min(line.start() if line is not None else len(block), start + _SHOWN)]
        self._keep(QuoteFault(text, f"Line {number:,}: {why}.", not self._begun))
        end = line.end() if line is not None else len(block)
        self._lines += _lines(block[start:end])
        self._begun = True
        return end

    def _keep(self, fault: QuoteFault) -> None:
        with self._lock:
            self.faults.append(fault)
            self._waiting += len(fault.text) + _EACH
            if self._waiting > 4 * LIMITS.row_bytes:
                raise TooManyFaults

    def _pass(self, good: list[bytes], some: bytes) -> None:
        if not some:
            return
        good.append(some)
        self._lines += _lines(some)
        self._begun = self._begun or bool(some.strip(b"\r\n"))


def _patterns(quote: bytes, delimiter: bytes) -> tuple[re.Pattern[bytes], re.Pattern[bytes], re.Pattern[bytes]]:
    """A whole record, the good values at its beginning, and what a quoted value is up to its closing quote."""
    body = rb"%b[^%b]*+(?:%b%b[^%b]*+)*+" % ((quote,) * 5)
    value = rb"(?:%b%b(?=[%b\r\n]|\Z)|(?:[^%b%b\r\n][^%b\r\n]*+)?+)" % (
        body, quote, delimiter, quote, delimiter, delimiter,
    )  # fmt: skip
    record = rb"%b(?:%b%b)*+(?:\r\n?|\n|\Z)" % (value, delimiter, value)
    return re.compile(record), re.compile(rb"(?:%b%b)*+" % (value, delimiter)), re.compile(body)


def _lines(some: bytes) -> int:
    """How many line ends there are: LF, CR LF or CR alone."""
    ends = some.count(b"\n")
    return ends + some.count(b"\r") - some.count(b"\r\n") if b"\r" in some else ends
