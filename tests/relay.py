"""A relay between a client and a server: its connections can be counted, and cut as a server that dies would."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress

_RESET = struct.pack("ii", 1, 0)


class Relay:
    """A port of this machine that leads to another one."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._open: set[tuple[socket.socket, socket.socket]] = set()
        self._lock = threading.Lock()
        self._cut = False
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def connections(self) -> int:
        """How many clients are connected."""
        with self._lock:
            return len(self._open)

    def cut(self) -> None:
        """Reset every connection, and every one that comes later."""
        with self._lock:
            self._cut = True
            for pair in self._open:
                for link in pair:
                    with suppress(OSError):
                        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                        link.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """Let connections through again."""
        self._cut = False

    def close(self) -> None:
        """Stop listening and cut what is open."""
        self.cut()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._cut:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                client.close()
                continue
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._target)) as server:
            pair = (client, server)
            with self._lock:
                self._open.add(pair)
            back = threading.Thread(target=_carry, args=(server, client), daemon=True)
            back.start()
            _carry(client, server)
            back.join()
            with self._lock:
                self._open.discard(pair)


def _carry(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
    for link in (source, target):
        with suppress(OSError):
            link.shutdown(socket.SHUT_RDWR)
