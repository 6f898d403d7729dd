"""Which ports are free, and which program holds one that is not."""

from __future__ import annotations

import socket

import psutil

from b2b_recs.runtime.errors import PortTaken


def free_port() -> int:
    """A port of 127.0.0.1 nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen on that port of ``host`` now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def holders(port: int) -> list[psutil.Process]:
    """The processes that listen on the port; empty when there is none or the system does not tell."""
    try:
        found = psutil.net_connections(kind="tcp")
        ids = {entry.pid for entry in found if entry.status == psutil.CONN_LISTEN and entry.laddr.port == port}
        return [psutil.Process(pid) for pid in sorted(pid for pid in ids if pid)]
    except psutil.Error:
        return []


def held_by(port: int) -> str:
    """Who listens on the port, like "nginx (process 812)"."""
    names = []
    for process in holders(port):
        try:
            names.append(f"{process.name()} (process {process.pid})")
        except psutil.Error:
            continue
    return ", ".join(names) or "another program"


def require_free(port: int, host: str, what: str, variable: str) -> None:
    """Raise PortTaken naming the port, who has it, and the variable that chooses another."""
    if port_is_free(port, host):
        return
    if not holders(port) and port < 1024:
        raise PortTaken(
            f"Port {port} for {what} may not be used by this user, or is taken.",
            advice=f"Choose a port above 1023 with {variable}.",
            field=variable,
        )
    raise PortTaken(
        f"Port {port} for {what} is taken by {held_by(port)}.",
        advice=f"Stop that program, or choose another port with {variable}.",
        field=variable,
    )
