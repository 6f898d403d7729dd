"""The connection under a driver that does not show it, so that a server that hangs can be hung up on."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path

_OPEN_FILES = Path("/proc/self/fd")


def own_line(address: str, port: int, local_port: int | None) -> socket.socket | None:
    """This process's connection to that address: a handle of its own, which the caller closes.

    ``local_port`` is our end as the server sees it, which tells apart several connections to one server; behind an
    address translator it is another one. None where the connection cannot be told, or the system does not list files.
    """
    found = [(descriptor, here) for descriptor, here, there in _lines() if there == (address, port)]
    mine = [descriptor for descriptor, here in found if here == local_port]
    (descriptor,) = mine if len(mine) == 1 else [one for one, _ in found] if len(found) == 1 else [None]
    if descriptor is None:
        return None
    with suppress(OSError):
        return socket.socket(fileno=os.dup(descriptor))
    return None


def _lines() -> list[tuple[int, int, tuple[str, int]]]:
    """Every TCP connection of this process: descriptor, its own port, the other end's address and port."""
    lines = []
    for entry in _OPEN_FILES.iterdir() if _OPEN_FILES.exists() else ():
        with suppress(OSError):
            if str(entry.readlink()).startswith("socket:"):
                lines += _ends(int(entry.name))
    return lines


def _ends(descriptor: int) -> list[tuple[int, int, tuple[str, int]]]:
    """The ends of one socket, nothing when it is no TCP connection; the descriptor is looked at by a copy."""
    with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as copy:
        if copy.family in (socket.AF_INET, socket.AF_INET6) and copy.type == socket.SOCK_STREAM:
            return [(descriptor, int(copy.getsockname()[1]), (str(copy.getpeername()[0]), int(copy.getpeername()[1])))]
    return []
