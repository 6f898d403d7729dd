"""How the characters of a text file are stored, and the same text as UTF-8."""

from __future__ import annotations

import codecs
import io
from typing import BinaryIO

_CHUNK = 1 << 20
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"\x84\x31\x95\x33", "gb18030"),
)
# What connections call an encoding, where Python's codec has another name. Programs that write shift_jis, big5 and
# euc-kr mean Microsoft's code pages, which hold every character of those and more.
_CODECS = {
    "latin-1": "iso8859-1",
    "shift_jis": "cp932",
    "big5": "cp950",
    "euc-kr": "cp949",
    **{f"windows-{page}": f"cp{page}" for page in range(1250, 1258)},
}
# What stands for UTF-8 when a file says nothing and is not: the encoding of Western Europe, and one without gaps.
_GUESSES = ("cp1252", "iso8859-1")
# Stands for bytes that are no text where a reader would otherwise give up; no text holds it.
NO_TEXT = "\U0010ffff"
NO_TEXT_BYTES = NO_TEXT.encode()
# A byte that no UTF-8 has.
_NO_UTF8 = b"\xff"
_MARKED = "mark-what-is-no-text"
codecs.register_error(_MARKED, lambda error: (NO_TEXT, _end(error)))


def codec_of(chosen: str) -> str:
    """Python's codec for an encoding that was chosen."""
    return _CODECS.get(chosen, chosen)


def name_of(codec: str) -> str:
    """How messages call what a codec reads: the name it is chosen by."""
    if codec.startswith("utf-"):
        return codec[:6].upper()
    return next((name for name, known in _CODECS.items() if known == codec), codec)


def assumed(codec: str, chosen: str) -> str:
    """The name of the encoding a file was taken to be in for want of a better one, "" when it was seen or chosen."""
    return name_of(codec) if chosen == "auto" and codec in _GUESSES else ""


def against(codec: str, sample: bytes) -> str:
    """The name of the chosen encoding where a text that begins so is UTF-8 with letters beyond ASCII, else "".

    Such letters are made of several bytes each, which text of another encoding hardly ever has in a row.
    """
    if codec.startswith("utf-") or sample.isascii():
        return ""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return ""
    return name_of(codec)


def encoding_of(sample: bytes, chosen: str = "auto") -> tuple[str, int]:
    """The codec of a text that begins so, and how many bytes at the start only mark it.

    Such a mark goes before what was chosen: no text begins with its bytes by chance.
    """
    for mark, codec in _BOMS:
        if sample.startswith(mark):
            return codec, len(mark)
    if chosen == "utf-16":
        return _half_of(sample) or "utf-16-le", 0
    if chosen != "auto":
        return codec_of(chosen), 0
    halves = _half_of(sample)
    if halves:
        return halves, 0
    for codec in ("utf-8", _GUESSES[0]):
        try:
            # The sample may end in the middle of a character.
            codecs.getincrementaldecoder(codec)().decode(sample)
        except UnicodeDecodeError:
            continue
        return codec, 0
    return _GUESSES[1], 0


def decoded(sample: bytes, codec: str, *, whole: bool) -> str:
    """The beginning of a text with ``NO_TEXT`` for what is none; a character cut off at the end is left out."""
    return codecs.getincrementaldecoder(codec)(_MARKED).decode(sample, final=whole)


def as_utf8(content: BinaryIO, codec: str, skip: int, *, marked: bool = False) -> BinaryIO:
    """The text after its first ``skip`` bytes, as UTF-8 in which every byte that is no text is one that no UTF-8 has.

    With ``marked`` it is ``NO_TEXT`` instead.
    """
    content.read(skip)
    if codec == "utf-8" and not marked:
        return content
    return io.BufferedReader(_Transcoded(content, codec, NO_TEXT_BYTES if marked else _NO_UTF8), _CHUNK)


class _Transcoded(io.RawIOBase):
    """Text of another encoding as UTF-8, a chunk at a time, with ``instead`` for what is no text."""

    def __init__(self, content: BinaryIO, codec: str, instead: bytes) -> None:
        self._content = content
        self._decoder = codecs.getincrementaldecoder(codec)(_MARKED)
        self._instead = instead
        self._ready = memoryview(b"")
        self._ended = False

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill the buffer."""
        while not self._ready and not self._ended:
            chunk = self._content.read(_CHUNK)
            self._ended = not chunk
            text = self._decoder.decode(chunk, final=self._ended)
            utf8 = text.encode()
            self._ready = memoryview(utf8.replace(NO_TEXT_BYTES, self._instead) if NO_TEXT in text else utf8)
        found, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        buffer[: len(found)] = found
        return len(found)


def _end(error: UnicodeError) -> int:
    """Where the bytes end that are no text; raises anything but that."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.end


def _half_of(sample: bytes) -> str:
    """The UTF-16 codec when every other byte of mostly western text is zero, else ""."""
    some = sample[: len(sample) // 2 * 2]
    if len(some) < 4 or b"\x00" not in some:
        return ""
    even, odd = some[0::2].count(0) / (len(some) // 2), some[1::2].count(0) / (len(some) // 2)
    if odd > 0.4 and even < 0.1:
        return "utf-16-le"
    return "utf-16-be" if even > 0.4 and odd < 0.1 else ""
