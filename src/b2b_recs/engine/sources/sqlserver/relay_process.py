"""The process that carries the bytes of a relay: run by its file with the numbers of three sockets and of seconds.

It waits so long for the one client and lets nobody else in. It ends when either side does, and at once when the third
socket is closed by the process that started it, be it on purpose or because that one is gone.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading

_PIECE = 256 * 1024


def serve(listener: socket.socket, server: socket.socket, seconds: float) -> None:
    """Take the client and carry until both sides are done. Raises OSError when none comes."""
    with server, listener:
        listener.settimeout(seconds)
        client, _ = listener.accept()
        listener.close()
        with client:
            client.settimeout(None)
            prepare(client)
            back = threading.Thread(target=_carry, args=(client, server), daemon=True)
            back.start()
            _carry(server, client)
            back.join()


def end_with(starter: socket.socket) -> None:
    """End this process, whatever it waits for, when ``starter`` is closed on the other side."""
    with contextlib.suppress(OSError):
        starter.recv(1)
    os._exit(0)


def prepare(end: socket.socket) -> None:
    """Send small packets at once, and notice within minutes an end that is gone without a word."""
    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    end.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, option):
            end.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def _carry(source: socket.socket, target: socket.socket) -> None:
    piece = bytearray(_PIECE)
    view = memoryview(piece)
    with contextlib.suppress(OSError):
        while count := source.recv_into(view):
            target.sendall(view[:count])
    # Whichever side ends, the other is told.
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


if __name__ == "__main__":
    # Who started it may be asked to stop and still has something to read; it ends with the connection.
    for asked in (signal.SIGINT, signal.SIGTERM):
        signal.signal(asked, signal.SIG_IGN)
    listener, server, starter = (socket.socket(fileno=int(number)) for number in sys.argv[1:4])
    threading.Thread(target=end_with, args=(starter,), daemon=True).start()
    with contextlib.suppress(OSError):
        serve(listener, server, float(sys.argv[4]))
