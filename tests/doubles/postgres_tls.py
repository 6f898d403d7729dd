"""Encryption before a PostgreSQL server that has none: the request for it is granted, and what is inside is relayed."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading

_REQUEST = struct.pack("!ii", 8, 80877103)


class PostgresTLS:
    """A port of this machine where encryption begins as PostgreSQL's does, with the certificate of ``context``."""

    def __init__(self, target: int, context: ssl.SSLContext) -> None:
        self._target, self._context = target, context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        # How many clients went on after they had seen the certificate.
        self.admitted = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            if client.recv(8, socket.MSG_WAITALL) != _REQUEST:
                return
            client.sendall(b"S")
            with (
                self._context.wrap_socket(client, server_side=True) as inside,
                socket.create_connection(("127.0.0.1", self._target)) as server,
            ):
                back = threading.Thread(target=_carry, args=(server, inside), daemon=True)
                if first := inside.recv(65536):
                    self.admitted += 1
                    server.sendall(first)
                    back.start()
                    _carry(inside, server)
                    back.join()


def _carry(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
    for link in (source, target):
        with contextlib.suppress(OSError):
            socket.socket.shutdown(link, socket.SHUT_RDWR)
