"""A relay before a server: its connections can be counted, cut, ended half-way or left without answers."""

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
        self._released = threading.Event()
        # How many more bytes of answers are carried; None carries all. Then nothing more comes, or the line ends.
        self._left: int | None = None
        self._ending = False
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

    def stall(self) -> None:
        """Carry no answer any more, as a server that hangs; what the client says still arrives."""
        with self._lock:
            self._left, self._ending = 0, False

    def end_after(self, count: int) -> None:
        """Carry so many more bytes of answers, then end that half of every connection as if all had been said."""
        with self._lock:
            self._left, self._ending = count, True

    def mend(self) -> None:
        """Let connections through again; those that were stalled are lost."""
        self._cut = False
        with self._lock:
            self._left = None
            self._released.set()
            self._released = threading.Event()

    def close(self) -> None:
        """Stop listening and cut what is open."""
        self.cut()
        self._released.set()
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
            for link in pair:  # what is carried is not held back until a packet is full, which takes 40 ms
                link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open.add(pair)
            back = threading.Thread(target=self._answer, args=(server, client), daemon=True)
            back.start()
            _carry(client, server)
            with self._lock:
                self._open.discard(pair)
            back.join()

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        """Carry what the server says as long as it may; the end of a stalled line is not told either."""
        with suppress(OSError):
            while True:
                piece = server.recv(65536)
                with self._lock:
                    allowed = len(piece) if self._left is None else min(self._left, len(piece))
                    self._left = None if self._left is None else self._left - allowed
                    held, released = self._left == 0, self._released
                client.sendall(piece[:allowed])
                if held and self._ending:
                    client.shutdown(socket.SHUT_WR)
                if held:
                    released.wait()
                if held or not piece:
                    break
        _shut(server, client)


def _carry(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
    _shut(source, target)


def _shut(*links: socket.socket) -> None:
    for link in links:
        with suppress(OSError):
            link.shutdown(socket.SHUT_RDWR)
