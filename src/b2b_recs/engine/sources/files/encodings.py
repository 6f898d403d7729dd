"""How the characters of a text file are stored, and the same text as UTF-8."""

from __future__ import annotations

import codecs
import io
import re
from typing import BinaryIO

from b2b_recs.engine.errors import SourceRefused
from b2b_recs.engine.sources.contract import FileInfo

_CHUNK = 1 << 20
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NAMES = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "cp1252": "Windows-1252",
    "latin-1": "Latin-1",
}
# Stands for bytes that are no text where a reader would otherwise give up; no text holds it.
NO_TEXT = "\U0010ffff"
_ESCAPED = re.compile("[\udc80-\udcff]+")
_CHOSEN = {"windows-1252": "cp1252"}


def encoding_of(sample: bytes, chosen: str = "auto") -> tuple[str, int]:
    """The codec of a text that begins so, and how many bytes at the start only mark it."""
    for mark, codec in _BOMS:
        if sample.startswith(mark) and chosen in ("auto", codec, codec[:6]):
            return codec, len(mark)
    if chosen == "utf-16":
        return _half_of(sample) or "utf-16-le", 0
    if chosen != "auto":
        return _CHOSEN.get(chosen, chosen), 0
    halves = _half_of(sample)
    if halves:
        return halves, 0
    for codec in ("utf-8", "cp1252"):
        try:
            # The sample may end in the middle of a character.
            codecs.getincrementaldecoder(codec)().decode(sample)
        except UnicodeDecodeError:
            continue
        return codec, 0
    return "latin-1", 0


def as_utf8(content: BinaryIO, codec: str, skip: int, file: FileInfo, *, marked: bool = False) -> BinaryIO:
    """The text after its first ``skip`` bytes, as UTF-8.

    UTF-8 itself is passed on as it is, valid or not; with ``marked`` what is not valid becomes ``NO_TEXT``.
    """
    content.read(skip)
    if codec == "utf-8" and not marked:
        return content
    return io.BufferedReader(_Transcoded(content, codec, file), _CHUNK)


class _Transcoded(io.RawIOBase):
    """Text of another encoding as UTF-8, a chunk at a time."""

    def __init__(self, content: BinaryIO, codec: str, file: FileInfo) -> None:
        self._content = content
        self._codec = codec
        self._decoder = codecs.getincrementaldecoder(codec)("surrogateescape" if codec == "utf-8" else "strict")
        self._file = file
        self._ready = b""
        self._ended = False

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill the buffer. Raises SourceRefused for bytes that are no character."""
        while not self._ready and not self._ended:
            chunk = self._content.read(_CHUNK)
            self._ended = not chunk
            try:
                text = self._decoder.decode(chunk, final=self._ended)
                self._ready = (_ESCAPED.sub(NO_TEXT, text) if self._codec == "utf-8" else text).encode()
            except (UnicodeDecodeError, UnicodeEncodeError):
                raise SourceRefused(
                    f"The file {self._file.path} holds bytes that are no {_NAMES[self._codec]} character.",
                    advice="Choose the encoding of the file in the connection.",
                    field="encoding",
                ) from None
        found, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        buffer[: len(found)] = found
        return len(found)


def _half_of(sample: bytes) -> str:
    """The UTF-16 codec when every other byte of mostly western text is zero, else ""."""
    some = sample[: len(sample) // 2 * 2]
    if len(some) < 4 or b"\x00" not in some:
        return ""
    even, odd = some[0::2].count(0) / (len(some) // 2), some[1::2].count(0) / (len(some) // 2)
    if odd > 0.4 and even < 0.1:
        return "utf-16-le"
    return "utf-16-be" if even > 0.4 and odd < 0.1 else ""
