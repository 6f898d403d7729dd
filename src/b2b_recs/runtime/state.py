"""What runs in a home folder: written by the supervisor, read by everyone who asks."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import psutil

from b2b_recs.runtime.errors import AlreadyRunning, HomeRefused
from b2b_recs.runtime.home import Home
from b2b_recs.runtime.process import ProcessIdentity

MARK = "B2B_RECS_SUPERVISED_HOME"
LOCK = "supervisor.lock"


@dataclass(frozen=True)
class Running:
    """A supervisor at work: who, since when, where, and its processes by name."""

    supervisor: ProcessIdentity
    since: datetime
    user: str
    address: str
    processes: dict[str, dict[str, Any]] = field(default_factory=dict)

    def describe(self) -> str:
        """One line for people."""
        where = f" at {self.address}" if self.address else ""
        since = self.since.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
        return f"process {self.supervisor.pid} of {self.user}, since {since}{where}"


def write_state(home: Home, since: datetime, address: str, processes: dict[str, dict[str, Any]]) -> None:
    """Replace the state file in one step."""
    identity = ProcessIdentity.of(os.getpid())
    value = {
        "supervisor": identity.as_json() if identity else None,
        "since": since.isoformat(),
        "user": psutil.Process().username(),
        "address": address,
        "processes": processes,
    }
    fresh = home.state.with_name(f"state.json.{os.getpid()}")
    # A full disk must not stop what runs; the old file stays.
    with contextlib.suppress(OSError):
        fresh.write_text(json.dumps(value, indent=1), "utf-8")
        fresh.chmod(0o600)
        fresh.replace(home.state)


def running(home: Home) -> Running | None:
    """The supervisor at work in the home, None when there is none (a left-over file does not count)."""
    value = _read(home.state)
    identity = ProcessIdentity.from_json(value.get("supervisor"))
    if identity is None or not identity.alive():
        return None
    try:
        since = datetime.fromisoformat(str(value["since"]))
    except (KeyError, ValueError):
        since = datetime.fromtimestamp(identity.started, UTC)
    processes = value.get("processes")
    return Running(
        identity,
        since,
        str(value.get("user", "unknown")),
        str(value.get("address", "")),
        processes if isinstance(processes, dict) else {},
    )


def take_lock(home: Home) -> IO[str]:
    """The lock of the home, held until the file is closed. Raises AlreadyRunning saying who holds it."""
    path = home.run / LOCK
    try:
        handle = path.open("a", encoding="utf-8")
    except OSError as error:
        raise HomeRefused(
            f"{path} cannot be written: {error.strerror}.",
            advice="Check the owner of the home folder, or set B2B_RECS_HOME to another one.",
            field="B2B_RECS_HOME",
        ) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        found = running(home)
        who = found.describe() if found else "another process that is just starting or stopping"
        stop = f"stop it with: kill {found.supervisor.pid}" if found else "wait a moment and try again"
        raise AlreadyRunning(
            f"b2b-recs already runs in {home.root}: {who}.",
            advice=f"Use it as it is, or {stop}. For a second installation set B2B_RECS_HOME to another folder.",
        ) from None
    return handle


def end_leftovers(home: Home, seconds: float = 6.0) -> list[str]:
    """End processes of a supervisor that was killed; returns their command names.

    They are known by a mark in their environment, so neither a recycled id nor a stranger is touched.
    """
    kin = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found = [process for process in psutil.process_iter() if process.pid not in kin and _marked(process, home.root)]
    names = []
    for process in found:
        with contextlib.suppress(psutil.Error):
            names.append(process.name())
            process.terminate()
    _, alive = psutil.wait_procs(found, timeout=seconds)
    for process in alive:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, timeout=2)
    return names


def _marked(process: psutil.Process, root: Path) -> bool:
    try:
        return bool(process.environ().get(MARK) == str(root))
    except (psutil.Error, OSError):
        return False


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
