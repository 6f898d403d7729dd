"""The embedded PostgreSQL: created, started, adopted and stopped by this installation.

Only the programs of the package are used. The server is a foreground child on 127.0.0.1 and a private
socket, asks everybody for a password (SCRAM), and its cluster is created whole or not at all.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self
from urllib.parse import quote

import psutil

from b2b_recs.runtime.errors import AlreadyRunning, PostgresFailed
from b2b_recs.runtime.ports import free_port, held_by, port_is_free
from b2b_recs.runtime.postgres_binaries import STORE, Account, make_passable, runnable_for
from b2b_recs.runtime.postgres_refusals import MIN_FREE_BYTES, disk_full, explained, from_words
from b2b_recs.runtime.process import ProcessIdentity, end_with_parent

SUPERUSER = "postgres"
_SOCKET_ROOM = 103 - len("/.s.PGSQL.65535.lock")
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_permissions": "0700",
    "logging_collector": "off",
    "log_line_prefix": "%m [%p] %u@%d ",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "shared_buffers": "128MB",
    "max_connections": "100",
}


class EmbeddedPostgres:
    """One PostgreSQL cluster in ``folder``. Use ``start``/``stop`` or as a context manager.

    ``password`` is the superuser's; it is set when the cluster is created and needed to reach it later.
    ``settings`` are server settings laid over ours. ``log`` is the file the server writes to.
    """

    def __init__(
        self,
        folder: Path,
        password: str,
        *,
        log: Path | None = None,
        settings: Mapping[str, str] | None = None,
        port: int | None = None,
        store: Path = STORE,
    ) -> None:
        self.folder = folder.absolute()
        self.password = password
        self.log = log or self.folder / "postgres.log"
        self.adopted = False
        self.port = 0
        self._settings = {**_SETTINGS, **(settings or {})}
        self._wanted_port = port
        self._store = store
        self._account = Account.current()
        self._lock: IO[str] | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._identity: ProcessIdentity | None = None
        self._far_socket: Path | None = None
        self._far_data: Path | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """Process id of the running server, None when it is not running."""
        return self._identity.pid if self._identity and self.running() else None

    @property
    def initialized(self) -> bool:
        """Whether the cluster exists."""
        return (self.data / "PG_VERSION").exists()

    @property
    def data(self) -> Path:
        """The data folder: below ``folder``, or below the store when the server's user cannot get there."""
        noted = self._note().get("data")
        if isinstance(noted, str):
            return self.folder / noted
        nearest = next(part for part in (self.folder, *self.folder.parents) if part.exists())
        if not self._account.switched or self._account.may_pass(nearest):
            return self.folder / "data"
        # A new place each time: a home made anew at the same path must not find the data of the old one.
        self._far_data = self._far_data or self._store / secrets.token_hex(6) / "data"
        return self._far_data

    def url(self, database: str = "postgres", user: str | None = None, password: str | None = None) -> str:
        """A ``postgresql://`` URL of the running server; the superuser's unless ``user`` is given."""
        name = quote(user or SUPERUSER, safe="")
        word = quote((password or "") if user and user != SUPERUSER else (password or self.password), safe="")
        return f"postgresql://{name}:{word}@127.0.0.1:{self.port}/{quote(database, safe='')}"

    def running(self) -> bool:
        """Whether the server process lives."""
        if self._child is not None:
            return self._child.poll() is None
        return self._identity is not None and self._identity.alive()

    def start(self, timeout: float = 60.0, give_up: Callable[[], bool] = lambda: False) -> None:
        """Create the cluster when there is none, then start it or adopt the one left behind.

        ``give_up`` turning true ends the wait. Raises AlreadyRunning when another process of this
        installation keeps it, StorageFull, PostgresFailed with the server's own words.
        """
        if self._lock is not None and self.running():
            return
        self._take_lock()
        try:
            if not self.initialized:
                self._refuse_lost_data()
                self._initialize()
            if not self._adopt(timeout, give_up):
                self._launch(timeout, give_up)
            self._write_note(port=self.port)
        except BaseException:
            self.stop()
            raise

    def stop(self, timeout: float = 8.0) -> None:
        """Stop the server: open sessions are ended, data is written; then harder ways when it hangs."""
        try:
            for number, share in ((signal.SIGINT, 0.7), (signal.SIGQUIT, 0.3), (signal.SIGKILL, 1.0)):
                if not self.running() or self._identity is None:
                    break
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self._identity.pid, number)
                self._wait_exit(timeout * share)
        finally:
            if self._child is not None:
                self._child.poll()
            self._child, self._identity, self.adopted = None, None, False
            if self._far_socket is not None:
                shutil.rmtree(self._far_socket, ignore_errors=True)
                self._far_socket = None
            if self._lock is not None:
                self._lock.close()
                self._lock = None

    def _wait_exit(self, seconds: float) -> None:
        if self._child is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(seconds)
        elif self._identity is not None:
            self._identity.wait_gone(seconds)

    def _take_lock(self) -> None:
        if self._lock is not None:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if self._account.switched and self._account.may_pass(self.folder.parent):
                self.folder.chmod(0o711)
            handle = (self.folder / "lock").open("a+", encoding="utf-8")
        except OSError as error:
            raise explained(error, self.folder) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            handle.seek(0)
            holder = handle.read().strip() or "unknown"
            handle.close()
            raise AlreadyRunning(
                f"The database in {self.folder} is kept by process {holder}.",
                advice="Stop that process first, or use another home folder.",
            ) from None
        self._lock = handle
        # Only tells others who holds it; on a full disk nobody is told.
        with contextlib.suppress(OSError):
            os.truncate(handle.fileno(), 0)
            os.write(handle.fileno(), str(os.getpid()).encode())

    def _refuse_lost_data(self) -> None:
        if self._note().get("data"):
            raise PostgresFailed(
                f"The data of the database is no longer in {self.data}.",
                advice=f"Put it back from a backup. To begin anew, remove {self.folder}.",
            )

    def _note(self) -> dict[str, Any]:
        try:
            value = json.loads((self.folder / "cluster.json").read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return value if isinstance(value, dict) else {}

    def _write_note(self, **values: Any) -> None:
        fresh = self.folder / f"cluster.json.{os.getpid()}"
        try:
            fresh.write_text(json.dumps({**self._note(), **values}), "utf-8")
            fresh.replace(self.folder / "cluster.json")
        except OSError as error:
            raise explained(error, self.folder) from error

    def _own(self, path: Path, mode: int) -> None:
        path.chmod(mode)
        if self._account.switched:
            os.chown(path, self._account.uid, self._account.gid)

    def _environment(self) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

    def _initialize(self) -> None:
        """Run initdb beside the final folder and rename, so that a half-made cluster is never used."""
        data = self.data
        try:
            make_passable(data.parent.parent)
            make_passable(data.parent)
            free = shutil.disk_usage(data.parent).free
            if free < MIN_FREE_BYTES:
                raise disk_full(data.parent, free)
            fresh = data.with_name("data.new")
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir()
            self._own(fresh, 0o700)
            word = data.with_name(f"word-{secrets.token_hex(8)}")
            word.touch(0o600)
            self._own(word, 0o600)
            try:
                word.write_text(self.password + "\n", "utf-8")
                self._run_initdb(fresh, word)
            finally:
                word.unlink(missing_ok=True)
            fresh.rename(data)
        except OSError as error:
            raise explained(error, data.parent) from error
        near = data.is_relative_to(self.folder)
        self._write_note(data=data.name if near else str(data))

    def _run_initdb(self, fresh: Path, word: Path) -> None:
        program = runnable_for(self._account, self._store) / "initdb"
        done = subprocess.run(
            [
                str(program), "--pgdata", str(fresh), "--username", SUPERUSER, "--pwfile", str(word),
                "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale-provider", "builtin",
                "--builtin-locale", "C.UTF-8", "--locale", "C", "--data-checksums", "--no-instructions",
            ],
            capture_output=True, text=True, errors="replace", env=self._environment(), cwd="/",
            preexec_fn=end_with_parent(signal.SIGKILL), timeout=300, check=False, **self._account.process_arguments(),
        )  # fmt: skip
        if done.returncode != 0:
            shutil.rmtree(fresh, ignore_errors=True)
            raise from_words(done.stderr, fresh.parent, "created")

    def _socket_folder(self) -> Path:
        near = self.data.with_name("socket")
        if len(os.fsencode(near)) > _SOCKET_ROOM:
            near = self._far_socket = self._far_socket or Path(tempfile.mkdtemp(prefix="b2b-recs-"))
        near.mkdir(exist_ok=True)
        self._own(near, 0o700)
        return near

    def _launch(self, timeout: float, give_up: Callable[[], bool]) -> None:
        """Start the server and wait until it answers; a port lost in a race is chosen anew."""
        program = runnable_for(self._account, self._store) / "postgres"
        until = time.monotonic() + timeout
        while True:
            self._forget_recycled_id()
            self.port = self._choose_port()
            words = self._launch_once(program, lambda: give_up() or time.monotonic() > until)
            if words is None:
                return
            memory_held = "pre-existing shared memory" in words or "lock file" in words
            port_lost = "Address already in use" in words and self._wanted_port is None
            if not (memory_held or port_lost) or give_up() or time.monotonic() > until:
                raise from_words(words, self.folder, "started")
            # Sessions of a killed server need a moment to notice that it is gone.
            time.sleep(0.1)

    def _forget_recycled_id(self) -> None:
        """Remove the pid file of a dead server whose id now belongs to something else of the same user.

        PostgreSQL would take that for a running server. It stays when any process of the cluster lives: then
        its check of the shared memory is needed.
        """
        lines = self._pid_file()
        if not lines or self._server_of(lines) is not None:
            return
        if lines[0].isdigit() and psutil.pid_exists(int(lines[0])) and not self._sessions_left():
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            for lock in self.data.with_name("socket").glob(".s.PGSQL.*"):
                lock.unlink(missing_ok=True)

    def _sessions_left(self) -> bool:
        place = self.data.resolve()
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.name().startswith("postgres") and Path(process.cwd()) == place:
                    return True
        return False

    def _choose_port(self) -> int:
        if self._wanted_port is not None:
            if not port_is_free(self._wanted_port):
                raise PostgresFailed(
                    f"Port {self._wanted_port} for PostgreSQL is taken by {held_by(self._wanted_port)}.",
                    advice="Stop that program, or choose another port.",
                )
            return self._wanted_port
        noted = self._note().get("port")
        return noted if isinstance(noted, int) and port_is_free(noted) else free_port()

    def _launch_once(self, program: Path, give_up: Callable[[], bool]) -> str | None:
        """Try once; None when the server answers, otherwise what it said before it ended."""
        settings = {
            **self._settings,
            "port": str(self.port),
            "unix_socket_directories": str(self._socket_folder()),
        }
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        try:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            with self.log.open("ab") as sink:
                begin = sink.tell()
                # The server is asked to stop (SIGINT) if this process is killed.
                self._child = subprocess.Popen(
                    [str(program), "-D", str(self.data), *arguments],
                    stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, env=self._environment(), cwd="/",
                    process_group=0, preexec_fn=end_with_parent(signal.SIGINT),  # noqa: PLW1509
                    **self._account.process_arguments(),
                )  # fmt: skip
        except OSError as error:
            raise explained(error, self.folder) from error
        self._identity = ProcessIdentity.of(self._child.pid)
        while self._child.poll() is None:
            lines = self._pid_file()
            if len(lines) > 7 and lines[0] == str(self._child.pid) and lines[7].strip() == "ready":
                return None
            if give_up():
                raise PostgresFailed(
                    "The embedded PostgreSQL did not become ready in time.", advice=f"Its log is {self.log}."
                )
            time.sleep(0.02)
        with self.log.open("rb") as source:
            source.seek(begin)
            return source.read(20_000).decode("utf-8", "replace")

    def _pid_file(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            return []

    def _adopt(self, timeout: float, give_up: Callable[[], bool]) -> bool:
        """Take over a server of this cluster that outlived its supervisor; one that is stopping is awaited."""
        until = time.monotonic() + timeout
        while True:
            lines = self._pid_file()
            identity = self._server_of(lines)
            if identity is None:
                return False
            state = lines[7].strip() if len(lines) > 7 else ""
            if state == "ready":
                self._child, self._identity, self.adopted = None, identity, True
                self.port = int(lines[3])
                return True
            if give_up() or time.monotonic() > until:
                raise PostgresFailed(
                    f"A PostgreSQL server (process {identity.pid}) is still busy with {self.data}.",
                    advice="Wait until it has ended, or stop it, then start again.",
                )
            time.sleep(0.05)

    def _server_of(self, lines: list[str]) -> ProcessIdentity | None:
        """The live server named by a pid file, None when the id is free or belongs to something else."""
        try:
            found = psutil.Process(int(lines[0]))
            # The server works inside its data folder; a recycled id does not.
            if not found.name().startswith("postgres") or Path(found.cwd()) != self.data.resolve():
                return None
            return ProcessIdentity(found.pid, found.create_time()) if found.is_running() else None
        except (psutil.Error, ValueError, IndexError):
            return None
