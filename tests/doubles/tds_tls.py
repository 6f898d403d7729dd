"""Encryption inside the wire of SQL Server: the handshake travels in packets of its own, what follows does not."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable


class EncryptedLine:
    """A connection whose bytes are encrypted, for whoever reads and writes it as a socket.

    ``hear`` gives the content of the client's next packet, ``say`` sends one; both only while hands are shaken.
    """

    def __init__(
        self, line: socket.socket, context: ssl.SSLContext, hear: Callable[[], bytes], say: Callable[[bytes], None]
    ) -> None:
        self._line = line
        self._arrived, self._leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._inside = context.wrap_bio(self._arrived, self._leaving, server_side=True)
        self._shake_hands(hear, say)

    def fileno(self) -> int:
        """The socket's own number, to wait for."""
        return self._line.fileno()

    def recv(self, count: int) -> bytes:
        """What the client says; nothing at its end. Raises OSError."""
        while True:
            try:
                return self._inside.read(count)
            except ssl.SSLWantReadError:
                if not self._more():
                    return b""
            except ssl.SSLZeroReturnError:
                return b""

    def sendall(self, content: bytes) -> None:
        """Say something. Raises OSError."""
        self._inside.write(content)
        self._flush()

    def _shake_hands(self, hear: Callable[[], bytes], say: Callable[[bytes], None]) -> None:
        while True:
            try:
                self._inside.do_handshake()
            except ssl.SSLWantReadError:
                if self._leaving.pending:
                    say(self._leaving.read())
                self._arrived.write(hear())
            except ssl.SSLError:
                # What is wrong is told to the client before the line ends.
                with contextlib.suppress(OSError):
                    self._flush()
                raise
            else:
                break
        if self._leaving.pending:
            say(self._leaving.read())

    def _more(self) -> bool:
        piece = self._line.recv(65536)
        self._arrived.write(piece)
        return bool(piece)

    def _flush(self) -> None:
        while self._leaving.pending:
            self._line.sendall(self._leaving.read())
