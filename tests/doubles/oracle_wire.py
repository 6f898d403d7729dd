"""The encodings of Oracle's wire protocol: integers, texts, numbers, fractions, and packets."""

from __future__ import annotations

import struct
from decimal import Decimal

LONG = 254
SHORT = 252


class Short(Exception):
    """The message goes on in another packet."""


class Reader:
    """Reads one message of a client."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def raw(self, size: int) -> bytes:
        found = self.data[self.at : self.at + size]
        if len(found) < size:
            raise Short
        self.at += size
        return found

    def byte(self) -> int:
        return self.raw(1)[0]

    def integer(self) -> int:
        return int.from_bytes(self.raw(self.byte() & 0x7F), "big")

    def text(self) -> bytes:
        """Bytes after their length, in chunks when they are long."""
        size = self.byte()
        if size in (0, 255):
            return b""
        if size != LONG:
            return self.raw(size)
        found = b""
        while chunk := self.integer():
            found += self.raw(chunk)
        return found

    def counted(self) -> bytes:
        """Bytes after two lengths."""
        return self.text() if self.integer() else b""


def integer(value: int) -> bytes:
    """A number as its length and its bytes."""
    size = (value.bit_length() + 7) // 8
    return bytes([size]) + value.to_bytes(size, "big")


def text(value: bytes | None) -> bytes:
    """Bytes after their length; None and nothing are the same here, as they are in Oracle."""
    if not value:
        return b"\x00"
    if len(value) <= SHORT:
        return bytes([len(value)]) + value
    chunks = (value[at : at + 32767] for at in range(0, len(value), 32767))
    return bytes([LONG]) + b"".join(integer(len(chunk)) + chunk for chunk in chunks) + b"\x00"


def counted(value: bytes) -> bytes:
    """Bytes after two lengths."""
    return integer(len(value)) + (text(value) if value else b"")


def number(value: Decimal) -> bytes:
    """A NUMBER: an exponent of base 100 and digits of base 100, turned round for negative ones."""
    if value == 0:
        return b"\x80"
    sign, digits, exponent = value.normalize(_EXACT).as_tuple()
    shown, point = "".join(map(str, digits)), len(digits) + int(exponent)
    if point % 2:
        shown, point = "0" + shown, point + 1
    shown += "0" * (len(shown) % 2)
    pairs = [int(shown[at : at + 2]) for at in range(0, len(shown), 2)]
    first = (point // 2 - 1 + 193) & 0xFF
    if not sign:
        return bytes([first, *(pair + 1 for pair in pairs)])
    return bytes([~first & 0xFF, *(101 - pair for pair in pairs), *([102] if len(pairs) < 20 else [])])


def read_number(data: bytes) -> Decimal | None:
    """The value of a NUMBER."""
    if not data:
        return None
    if data == b"\x80":
        return Decimal(0)
    positive = bool(data[0] & 0x80)
    first = data[0] if positive else ~data[0] & 0xFF
    rest = data[1:-1] if not positive and data[-1] == 102 else data[1:]
    pairs = [byte - 1 if positive else 101 - byte for byte in rest]
    whole = int("".join(f"{pair:02}" for pair in pairs))
    found = Decimal(whole).scaleb(2 * (first - 193 + 1 - len(pairs)), _EXACT)
    return found if positive else -found


def fraction(value: float) -> bytes:
    """A BINARY_DOUBLE, whose bytes order as its values do."""
    bits = struct.pack(">d", value)
    return bytes([bits[0] | 0x80]) + bits[1:] if not bits[0] & 0x80 else bytes(~byte & 0xFF for byte in bits)


def packet(kind: int, body: bytes, *, long_header: bool) -> bytes:
    """One packet."""
    size = 8 + len(body)
    head = struct.pack(">I", size) if long_header else struct.pack(">HH", size, 0)
    return head + bytes([kind, 0, 0, 0]) + body


def _exact() -> object:
    from decimal import Context

    return Context(prec=100, Emin=-999, Emax=999)


_EXACT = _exact()
