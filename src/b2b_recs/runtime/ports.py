"""Which ports are free, which program has one that is not, and keeping one while its server still starts.

The servers of pages and endpoint share a port silently with another one of the same user, and they listen only after
half a minute of preparation. So whoever starts them holds their ports from the first moment: by a name among the
system's abstract sockets, which is free again when its process ends, however it ends.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import sys
from collections.abc import Collection

import psutil

from b2b_recs.runtime.errors import PortTaken

HIGHEST = 65_535
UNKNOWN = "another program"
_held: dict[tuple[str, int], socket.socket] = {}


def free_port() -> int:
    """A port of 127.0.0.1 nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def hold(port: int, host: str = "127.0.0.1") -> bool:
    """Keep the port from other starts of b2b-recs until ``let_go``; False when another process holds it.

    Always True where the system has no abstract sockets.
    """
    if (host, port) in _held or not sys.platform.startswith("linux"):
        return True
    name = socket.socket(socket.AF_UNIX)
    try:
        name.bind(_name(port, host))
        name.listen(128)  # answers who holds it
    except OSError:
        name.close()
        return False
    _held[host, port] = name
    return True


def let_go(port: int, host: str = "127.0.0.1") -> None:
    """End ``hold``; nothing when this process does not hold the port."""
    name = _held.pop((host, port), None)
    if name is not None:
        name.close()


def hold_next(port: int, host: str = "127.0.0.1", besides: Collection[int] = ()) -> int:
    """The first port from ``port`` on that is free and not among ``besides``, held now. Raises PortTaken."""
    for candidate in range(port, min(port + 1000, HIGHEST + 1)):
        if candidate in besides or not hold(candidate, host):
            continue
        if port_is_free(candidate, host):
            return candidate
        let_go(candidate, host)
    raise PortTaken(f"No port from {port} on is free.", advice="Stop a program that has one.")


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server of this process could listen on that port of ``host`` now."""
    if held_elsewhere(port, host):
        return False
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def held_elsewhere(port: int, host: str = "127.0.0.1") -> bool:
    """Whether the port is held for a server that is neither this process's nor its starter's."""
    return _holder(port, host) not in (None, os.getpid(), os.getppid())


def holders(port: int) -> list[psutil.Process]:
    """The processes that listen on the port; empty when there is none or the system does not tell."""
    try:
        found = psutil.net_connections(kind="tcp")
        ids = {entry.pid for entry in found if entry.status == psutil.CONN_LISTEN and entry.laddr.port == port}
        return [psutil.Process(pid) for pid in sorted(pid for pid in ids if pid)]
    except psutil.Error:
        return []


def held_by(port: int, host: str = "127.0.0.1") -> str:
    """Who listens on the port or is about to, like "nginx (process 812)"."""
    names = []
    starting = _holder(port, host)
    found = holders(port)
    if not found and starting is not None:
        with contextlib.suppress(psutil.Error):
            found = [psutil.Process(starting)]
    for process in found:
        try:
            names.append(f"{process.name()} (process {process.pid})")
        except psutil.Error:
            continue
    return ", ".join(names) or UNKNOWN


def require_free(port: int, host: str, what: str, variable: str, option: str = "") -> None:
    """Hold the port, or raise PortTaken naming the port, who has it, and what chooses another."""
    if hold(port, host) and port_is_free(port, host):
        return
    holder, also = held_by(port, host), f" (of up and demo also with {option})" if option else ""
    let_go(port, host)
    if port < 1024 and not holders(port) and holder == UNKNOWN:
        raise PortTaken(
            f"Port {port} for {what} may not be used by this user, or is taken.",
            advice=f"Choose a port above 1023 with {variable}.",
            field=variable,
        )
    raise PortTaken(
        f"Port {port} for {what} is taken by {holder}.",
        advice=f"Stop that program, or choose another port with {variable}{also}.",
        field=variable,
    )


def _name(port: int, host: str) -> str:
    return f"\0b2b-recs port {host}:{port}"


def _holder(port: int, host: str) -> int | None:
    """The process that holds the port by ``hold``, None when there is none."""
    if not sys.platform.startswith("linux"):
        return None
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(0.2)
        try:
            asking.connect(_name(port, host))
            pid, _, _ = struct.unpack("3i", asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        except OSError:
            return None
        return int(pid)
