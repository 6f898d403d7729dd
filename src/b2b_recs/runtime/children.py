"""The processes of an installation as data: command line, environment, and how to tell that each is healthy."""

from __future__ import annotations

import http.client
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from b2b_recs.runtime.home import VARIABLE, Home
from b2b_recs.runtime.worker import ALIVE_FILE

Healthy = Callable[[int], bool]
KILL_SECONDS = 5


@dataclass(frozen=True)
class ChildSpec:
    """One process to keep running.

    ``healthy`` gets its process id and says whether it answers. ``port`` (with ``host``) must be free before
    the start; ``port_variable`` or ``port_option`` chooses another. ``address`` is shown to people.
    """

    name: str
    argv: tuple[str, ...]
    healthy: Healthy
    env: Mapping[str, str] = field(default_factory=dict)
    host: str = "127.0.0.1"
    port: int | None = None
    port_variable: str = ""
    port_option: str = ""
    address: str = ""
    start_seconds: float = 60.0


def answers(port: int, path: str, host: str = "127.0.0.1") -> Healthy:
    """Healthy when GET ``path`` is answered by anything but a failure.

    503 is an answer: the endpoint of an installation without a deployed model gives it.
    """

    def check(pid: int) -> bool:
        connection = http.client.HTTPConnection(_reachable(host), port, timeout=2)
        try:
            connection.request("GET", path)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        return status < 500 or status == 503

    return check


def writes(path: Path) -> Healthy:
    """Healthy when the file holds the process's id."""

    def check(pid: int) -> bool:
        try:
            return path.read_text("utf-8").strip() == str(pid)
        except OSError:
            return False

    return check


def web_child(home: Home, host: str, port: int, *, workers: int = 1, threads: int = 8) -> ChildSpec:
    """Pages: granian running the WSGI application."""
    return ChildSpec(
        "web",
        (
            sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port),
            "--workers", str(workers), "--blocking-threads", str(threads), "--no-ws",
            "--workers-kill-timeout", str(KILL_SECONDS), "--respawn-failed-workers", "--respawn-interval", "1",
            "--log-level", "warning", "b2b_recs.web.wsgi:application",
        ),
        answers(port, "/health", host),
        {VARIABLE: str(home.root), "B2B_RECS_PORT": str(port), "B2B_RECS_ROLE": "web"},
        host, port, "B2B_RECS_PORT", "--port", f"http://{_shown(host)}:{port}",
    )  # fmt: skip


def worker_child(home: Home, concurrency: int = 2) -> ChildSpec:
    """Background work."""
    return ChildSpec(
        "worker",
        (sys.executable, "-m", "b2b_recs.cli.main", "worker", "--concurrency", str(concurrency)),
        writes(home.run / ALIVE_FILE),
        {VARIABLE: str(home.root)},
    )


def serving_child(home: Home, host: str, port: int, workers: int = 1) -> ChildSpec:
    """Recommendations over HTTP."""
    return ChildSpec(
        "serving",
        (
            sys.executable, "-m", "b2b_recs.cli.main", "serve", "--host", host, "--port", str(port),
            "--workers", str(workers),
        ),
        answers(port, "/health", host),
        {VARIABLE: str(home.root), "B2B_RECS_SERVING_PORT": str(port)},
        host, port, "B2B_RECS_SERVING_PORT", "--serving-port", f"http://{_shown(host)}:{port}",
    )  # fmt: skip


def _reachable(host: str) -> str:
    """Where to ask a server that listens on every address."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104


def _shown(host: str) -> str:
    host = _reachable(host)
    return f"[{host}]" if ":" in host else host
