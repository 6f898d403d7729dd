"""Bytes between the driver and the server through sockets of ours, so that we dial and can always let go.

The driver's own way to give up waits for a lock that the thread which reads may hold. A cut connection needs no lock,
and the server ends what it does for a client that is gone.

Another process carries the bytes: while the driver waits for more of a long text it lets no thread of this one run, and
would wait for ever for what a thread here has yet to carry.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

from b2b_recs.engine.sources.sqlserver.relay_process import prepare

_LOCAL = "127.0.0.1"
_CARRIER = Path(__file__).with_name("relay_process.py")


class Relay:
    """One connection to ``address``, offered once at ``port`` of this machine's own address. Raises OSError."""

    def __init__(self, address: str, port: int, seconds: float) -> None:
        family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
        self._server = socket.socket(family, socket.SOCK_STREAM)
        # The process that carries ends when this is closed.
        self._held, starter = socket.socketpair()
        try:
            self._server.settimeout(seconds)
            self._server.connect((address, port))
            self._server.settimeout(None)
            prepare(self._server)
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
                listener.bind((_LOCAL, 0))
                listener.listen(1)
                self.port = int(listener.getsockname()[1])
                self._start((listener, self._server, starter), seconds)
        except OSError:
            self._server.close()
            self._held.close()
            raise
        finally:
            starter.close()

    def cut(self) -> None:
        """End the connection on both sides, from any thread; safe to call twice."""
        with contextlib.suppress(OSError):
            # Reset and not ended in peace, for which a server that is still sending might have to be heard out.
            self._server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._server.close()
        self._held.close()

    def _start(self, ends: tuple[socket.socket, ...], seconds: float) -> None:
        """Start the process with these sockets, and take note of its end whenever it comes."""
        numbers = [end.fileno() for end in ends]
        command = [sys.executable, "-I", "-S", str(_CARRIER), *map(str, numbers), str(seconds)]
        nothing = subprocess.DEVNULL
        carrier = subprocess.Popen(command, pass_fds=numbers, stdin=nothing, stdout=nothing, stderr=nothing)
        threading.Thread(target=carrier.wait, name="sqlserver relay", daemon=True).start()
