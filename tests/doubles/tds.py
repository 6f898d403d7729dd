"""The wire of SQL Server (TDS 7.4), as far as a client that reads needs it: packets, login, types, results.

What is in the tables, and what a statement means, is none of its business: see tds_server.py.
"""

from __future__ import annotations

import select
import socket
import ssl
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from typing import Any

from doubles.tds_tls import EncryptedLine

BATCH, RPC, ANSWER, ATTENTION, TRANSACTION, LOGIN, PRELOGIN = 1, 3, 4, 6, 14, 16, 18
_PACKET = 4096
_AT_ONCE = 1024 * 1024
_HEADER = struct.Struct(">BBHHBB")
# The login's answer: database collation of Latin1_General_100_CI_AS.
_COLLATION = b"\x09\x04\xd0\x00\x34"
# What either side says of encryption before the login.
OFF, ON, NOT_SUPPORTED, REQUIRED = range(4)


@dataclass(frozen=True)
class Column:
    """A result's column; ``kind`` is int, bit, float, decimal, date, text, bytes, or one of fixed or limited ``size``.

    Those are short text, short bytes, nchar and binary, and int, whose size is in bytes.
    """

    name: str
    kind: str
    precision: int = 38
    scale: int = 0
    size: int = 0


class Gone(Exception):
    """The client is no longer there."""


class Wire:
    """Messages of one connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection: socket.socket | EncryptedLine = connection
        self._plain = connection
        # What the client said of encryption before it logged in.
        self.asked = NOT_SUPPORTED

    @property
    def encrypted(self) -> bool:
        """Whether what is said is encrypted."""
        return self.connection is not self._plain

    def encrypt(self, context: ssl.SSLContext) -> None:
        """Speak encrypted from now on. Raises OSError when the client does not like the certificate."""
        self.connection = EncryptedLine(
            self._plain,
            context,
            lambda: self.receive()[1],
            lambda content: self._leave(_packed(content, 1, last=True, kind=PRELOGIN)),
        )

    def receive(self) -> tuple[int, bytes]:
        """Type and content of the client's next message."""
        content = b""
        while True:
            kind, status, length, *_ = _HEADER.unpack(self._take(8))
            content += self._take(length - 8)
            if status & 1:
                return kind, content

    def send(self, content: bytes) -> None:
        """One message, in packets."""
        self.stream([content])

    def stream(self, pieces: Iterable[bytes]) -> None:
        """One message made while it is sent; broken off when the client asks for attention.

        It leaves in large pieces: a client of this very process may let no thread run until it has a long value whole.
        """
        number, size = 1, _PACKET - 8
        waiting, leaving = bytearray(), bytearray()
        for piece in pieces:
            waiting += piece
            if len(waiting) > 16 * size and self._attention():
                self._leave(leaving + _packed(cancelled(), number, last=True))
                return
            done = (len(waiting) - 1) // size * size
            for at in range(0, done, size):
                leaving += _packed(waiting[at : at + size], number, last=False)
                number += 1
            del waiting[: max(done, 0)]
            if len(leaving) > _AT_ONCE:
                self._leave(leaving)
                leaving.clear()
        self._leave(leaving + _packed(waiting, number, last=True))

    def _leave(self, content: bytes | bytearray) -> None:
        try:
            self.connection.sendall(bytes(content))
        except OSError:
            raise Gone from None

    def _attention(self) -> bool:
        """Whether the client has said something in the middle of an answer; that can only be one thing."""
        ready, _, _ = select.select([self.connection], [], [], 0)
        return bool(ready) and self.receive()[0] == ATTENTION

    def _take(self, count: int) -> bytes:
        taken = b""
        while len(taken) < count:
            try:
                piece = self.connection.recv(count - len(taken))
            except OSError:
                raise Gone from None
            if not piece:
                raise Gone
            taken += piece
        return taken


def _packed(content: bytes | bytearray, number: int, *, last: bool, kind: int = ANSWER) -> bytes:
    return _HEADER.pack(kind, 1 if last else 0, len(content) + 8, 0, number % 256, 0) + content


def prelogin(encryption: int = NOT_SUPPORTED) -> bytes:
    """The server's words on version and encryption."""
    options = [(0, b"\x10\x00\x10\x00\x00\x00"), (1, bytes([encryption])), (2, b"\0"), (3, b""), (4, b"\0")]
    at = 5 * len(options) + 1
    head = b""
    for token, value in options:
        head += struct.pack(">BHH", token, at, len(value))
        at += len(value)
    return head + b"\xff" + b"".join(value for _, value in options)


def asked_encryption(content: bytes) -> int:
    """What the client says of encryption before the login."""
    at = 0
    while content[at] != 0xFF:
        token, offset, _ = struct.unpack_from(">BHH", content, at)
        if token == 1:
            return content[offset]
        at += 5
    return NOT_SUPPORTED


def login_fields(content: bytes) -> dict[str, str]:
    """User, password and database of a login message."""
    found = {}
    for name, at in (("user", 40), ("password", 44), ("database", 68)):
        offset, length = struct.unpack_from("<HH", content, at)
        raw = content[offset : offset + 2 * length]
        if name == "password":
            raw = bytes(((byte ^ 0xA5) << 4 & 0xF0) | ((byte ^ 0xA5) >> 4) for byte in raw)
        found[name] = raw.decode("utf-16-le")
    return found


def logged_in(database: str) -> bytes:
    """The answer to a good login."""
    return (
        _change(1, database, "master")
        + _token(0xE3, b"\x07" + bytes([5]) + _COLLATION + b"\0")
        + _change(4, str(_PACKET), str(_PACKET))
        + _token(0xAD, b"\x01\x74\x00\x00\x04" + _short("Microsoft SQL Server") + b"\x10\x00\x10\x00")
        + done()
    )


def transaction_begun(number: int) -> bytes:
    """The answer to a client that begins a transaction."""
    return _token(0xE3, b"\x08\x08" + struct.pack("<Q", number) + b"\0") + done()


def transaction_ended(number: int, *, committed: bool) -> bytes:
    """The answer to a client that ends one."""
    return _token(0xE3, (b"\x09" if committed else b"\x0a") + b"\0\x08" + struct.pack("<Q", number)) + done()


def failure(number: int, text: str, *, severity: int = 16, state: int = 1) -> bytes:
    """An error and the end of the answer."""
    body = struct.pack("<iBB", number, state, severity) + _long(text) + _short("double") + _short("")
    return _token(0xAA, body + struct.pack("<i", 1)) + done(status=2)


def done(*, status: int = 0, rows: int = 0) -> bytes:
    """The end of an answer."""
    return struct.pack("<BHHQ", 0xFD, status | (0x10 if rows else 0), 0xC1, rows)


def cancelled() -> bytes:
    """The answer to a client that wants no more."""
    return struct.pack("<BHHQ", 0xFD, 0x20, 0, 0)


def described(columns: Sequence[Column]) -> bytes:
    """What the rows that follow are made of."""
    body = struct.pack("<BH", 0x81, len(columns))
    for column in columns:
        body += struct.pack("<IH", 0, 0x09) + _type(column) + _short(column.name)
    return body


def row(columns: Sequence[Column], values: Iterable[Any]) -> bytes:
    """One row."""
    return b"\xd1" + b"".join(_value(column, value) for column, value in zip(columns, values, strict=True))


# The token of a type, the bytes of its unit, and what follows its size.
_SIZED = {
    "short text": (0xE7, 2, _COLLATION),
    "nchar": (0xEF, 2, _COLLATION),
    "short bytes": (0xA5, 1, b""),
    "binary": (0xAD, 1, b""),
}


def _type(column: Column) -> bytes:
    if column.kind == "decimal":
        return bytes([0x6A, 17, column.precision, column.scale])
    if column.kind in _SIZED:
        token, unit, collation = _SIZED[column.kind]
        return bytes([token]) + struct.pack("<H", unit * (column.size or 8000 // unit)) + collation
    return {
        "int": bytes([0x26, column.size or 8]),
        "bit": b"\x68\x01",
        "float": b"\x6d\x08",
        "date": b"\x28",
        "text": b"\xe7\xff\xff" + _COLLATION,
        "bytes": b"\xa5\xff\xff",
    }[column.kind]


def _value(column: Column, value: Any) -> bytes:
    if column.kind in _SIZED:
        if value is None:
            return b"\xff\xff"
        return _counted("<H", bytes(value) if isinstance(value, bytes) else _halves(value))
    if column.kind in ("text", "bytes"):
        if value is None:
            return b"\xff" * 8
        raw = _halves(value) if column.kind == "text" else bytes(value)
        return struct.pack("<QI", len(raw), len(raw)) + raw + (b"\0" * 4 if raw else b"")
    if value is None:
        return b"\0"
    if column.kind == "int":
        size = column.size or 8
        # The shortest has no sign.
        return bytes([size]) + int(value).to_bytes(size, "little", signed=size > 1)
    if column.kind == "bit":
        return struct.pack("<B?", 1, value)
    if column.kind == "float":
        return struct.pack("<Bd", 8, value)
    if column.kind == "date":
        days = value.toordinal() - date(1, 1, 1).toordinal()
        return b"\x03" + struct.pack("<I", days)[:3]
    with localcontext(prec=76):
        number = int(Decimal(value).scaleb(column.scale))
    return b"\x11" + bytes([number >= 0]) + abs(number).to_bytes(16, "little")


def _halves(value: Any) -> bytes:
    return str(value).encode("utf-16-le", "surrogatepass")


def _counted(form: str, raw: bytes) -> bytes:
    return struct.pack(form, len(raw)) + raw


def _short(text: str) -> bytes:
    raw = text.encode("utf-16-le")
    return bytes([len(raw) // 2]) + raw


def _long(text: str) -> bytes:
    raw = text.encode("utf-16-le")
    return struct.pack("<H", len(raw) // 2) + raw


def _change(kind: int, new: str, old: str) -> bytes:
    return _token(0xE3, bytes([kind]) + _short(new) + _short(old))


def _token(token: int, body: bytes) -> bytes:
    return bytes([token]) + struct.pack("<H", len(body)) + body
