"""Keeps the processes of one installation running: starts, watches, restarts and stops them."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Any, Self

from b2b_recs.engine.errors import EngineError
from b2b_recs.runtime.children import ChildSpec
from b2b_recs.runtime.errors import RuntimeRefused
from b2b_recs.runtime.home import Home
from b2b_recs.runtime.logs import tail, turn_over
from b2b_recs.runtime.ports import let_go, require_free
from b2b_recs.runtime.postgres import EmbeddedPostgres
from b2b_recs.runtime.process import ProcessIdentity, end_with_parent
from b2b_recs.runtime.state import MARK, end_leftovers, take_lock, write_state
from b2b_recs.runtime.stop_flag import StopFlag

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
CALM_SECONDS = 60.0
CHILD_STOP_SECONDS = 6.0
DATABASE_STOP_SECONDS = 2.0
TICK = 0.2
LOG_CHECK_SECONDS = 15.0

Say = Callable[[str], None]
Step = tuple[str, Callable[[], object]]


class Stopped(Exception):
    """Somebody asked to stop while things were still starting."""


class BackOff:
    """How long to wait before the next start: doubling, and forgotten after a calm minute."""

    def __init__(self) -> None:
        self.pause, self.due, self.restarts = FIRST_PAUSE, 0.0, 0

    def failed(self) -> float:
        """Note a failure; the pause that follows it."""
        if time.monotonic() - self.due > CALM_SECONDS:
            self.pause = FIRST_PAUSE
        pause, self.pause = self.pause, min(self.pause * 2, LONGEST_PAUSE)
        self.due, self.restarts = time.monotonic() + pause, self.restarts + 1
        return pause


class Child:
    """One supervised process."""

    def __init__(self, spec: ChildSpec, home: Home) -> None:
        self.spec, self.home = spec, home
        self.log = home.logs / f"{spec.name}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.identity: ProcessIdentity | None = None
        self.back_off = BackOff()

    def start(self) -> None:
        """Start the process in a group of its own, its output going to its log."""
        environment = {**os.environ, **self.spec.env, MARK: str(self.home.root), "PYTHONUNBUFFERED": "1"}
        with self.log.open("ab") as sink:
            self.process = subprocess.Popen(
                self.spec.argv, env=environment, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink,
                process_group=0, preexec_fn=end_with_parent(signal.SIGTERM),  # noqa: PLW1509
            )  # fmt: skip
        self.identity = ProcessIdentity.of(self.process.pid)

    @property
    def ended(self) -> int | None:
        """Exit code when it ended, None while it runs or was never started."""
        return self.process.poll() if self.process else None

    def running(self) -> bool:
        """Whether the process lives."""
        return self.process is not None and self.process.poll() is None

    def signal(self, number: int, group: bool = False) -> None:
        """Signal the process, or its whole group."""
        if self.process is None:
            return
        try:
            if group:
                os.killpg(self.process.pid, number)
            elif self.process.poll() is None:
                self.process.send_signal(number)
        except (ProcessLookupError, PermissionError):
            return


class Supervisor:
    """Databases first, then ``steps`` (text, call), then ``children``; one plain line for each through ``say``.

    Call ``start`` and ``watch`` from threads that live as long as the process; use as a context manager so
    that everything is stopped in the end. ``steps`` run after the databases answer.
    """

    def __init__(
        self,
        home: Home,
        children: Sequence[ChildSpec],
        *,
        databases: Mapping[str, EmbeddedPostgres] | None = None,
        steps: Sequence[Step] = (),
        say: Say = print,
        address: str = "",
    ) -> None:
        self.home, self.say, self.address = home, say, address
        self.children = [Child(spec, home) for spec in children]
        self.databases = dict(databases or {})
        self.steps = list(steps)
        self.since = datetime.now(UTC)
        self.stopping = StopFlag()
        self._guard = threading.RLock()
        self._lock: IO[str] | None = None
        self._database_pauses = {name: BackOff() for name in self.databases}
        self._logs_checked = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def install_signal_handlers(self) -> None:
        """Stop on SIGTERM, SIGINT and SIGHUP; a second one ends the children at once."""

        def handle(number: int, frame: FrameType | None) -> None:
            if self.stopping.is_set():
                for child in self.children:
                    child.signal(signal.SIGKILL, group=True)
            self.stopping.set()

        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            # Under nohup a closed terminal is none of our business.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, handle)

    def start(self) -> None:
        """Start everything and wait until all is healthy.

        Raises AlreadyRunning, PortTaken, PostgresFailed, RuntimeRefused (with the last lines of the log of the
        process that would not start), Stopped. Whatever had started is stopped again by ``stop``.
        """
        self._lock = take_lock(self.home)
        write_state(self.home, self.since, self.address, {})
        ended = end_leftovers(self.home)
        if ended:
            self.say(f"Ended what a killed start left behind: {', '.join(ended)}")
        for child in self.children:
            spec = child.spec
            if spec.port is not None:
                require_free(spec.port, spec.host, spec.name, spec.port_variable, spec.port_option)
        for name, database in self.databases.items():
            self._leave_when_stopped()
            self._start_database(name, database)
        for text, call in self.steps:
            self._leave_when_stopped()
            try:
                call()
            except EngineError:
                self._leave_when_stopped()
                raise
            self.say(text)
        for child in self.children:
            self._leave_when_stopped()
            child.start()
        for child in self.children:
            self._await(child)
        self._note()

    def watch(self, until: Callable[[], bool] = lambda: False) -> None:
        """Restart what ends, until ``until`` says so or somebody asks to stop."""
        while not self.stopping.is_set() and not until():
            with self._guard:
                if self.stopping.is_set():
                    return
                self.tick()
            self.stopping.wait(TICK)

    def tick(self) -> None:
        """Look once at every process and do what is due."""
        changed = [self._tend_database(name, database) for name, database in self.databases.items()]
        changed += [self._tend(child) for child in self.children]
        if any(changed):
            self._note()
        if time.monotonic() - self._logs_checked > LOG_CHECK_SECONDS:
            self._logs_checked = time.monotonic()
            turn_over([*(child.log for child in self.children), *(each.log for each in self.databases.values())])

    def stop(self) -> None:
        """Stop everything within ten seconds, children before databases; safe to call twice."""
        self.stopping.set()
        with self._guard:
            if self._lock is None:
                return
            for child in self.children:
                child.signal(signal.SIGTERM)
            until = time.monotonic() + CHILD_STOP_SECONDS
            while any(child.running() for child in self.children) and time.monotonic() < until:
                time.sleep(0.02)
            for child in self.children:
                child.signal(signal.SIGKILL, group=True)
                if child.process is not None:
                    child.process.wait()
            for database in reversed(self.databases.values()):
                database.stop(DATABASE_STOP_SECONDS)
            for child in self.children:
                if child.spec.port is not None:
                    let_go(child.spec.port, child.spec.host)
            self.home.state.unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def _leave_when_stopped(self) -> None:
        if self.stopping.is_set():
            raise Stopped

    def _start_database(self, name: str, database: EmbeddedPostgres) -> None:
        fresh = not database.initialized
        try:
            database.start(give_up=self.stopping.is_set)
        except EngineError:
            self._leave_when_stopped()
            raise
        how = "adopted" if database.adopted else "created and started" if fresh else "started"
        self.say(f"{name}: {how}, port {database.port}")
        self._note()

    def _await(self, child: Child) -> None:
        """Wait until the child is healthy; it may not end before."""
        until = time.monotonic() + child.spec.start_seconds
        self._note()
        while True:
            self._leave_when_stopped()
            if child.ended is not None:
                raise _would_not_start(child.spec.name, f"ended with exit code {child.ended}", child.log)
            assert child.process is not None
            if child.spec.healthy(child.process.pid):
                address = f", {child.spec.address}" if child.spec.address else ""
                self.say(f"{child.spec.name}: running{address}")
                return
            if time.monotonic() > until:
                seconds = round(child.spec.start_seconds)
                raise _would_not_start(child.spec.name, f"did not answer within {seconds} s", child.log)
            time.sleep(0.05)

    def _tend(self, child: Child) -> bool:
        """Restart the child when it ended and its pause is over; whether anything changed."""
        name = child.spec.name
        if child.running():
            return False
        if child.process is not None:
            pause = child.back_off.failed()
            self.say(f"{name}: ended ({_how(child.process.returncode)}), starting again in {pause:g} s")
            # Workers it may have left hold its port.
            child.signal(signal.SIGKILL, group=True)
            child.process = child.identity = None
            return True
        if time.monotonic() < child.back_off.due:
            return False
        try:
            child.start()
            self.say(f"{name}: started again")
        except OSError as error:
            pause = child.back_off.failed()
            self.say(f"{name}: cannot be started ({error.strerror}), trying again in {pause:g} s")
        return True

    def _tend_database(self, name: str, database: EmbeddedPostgres) -> bool:
        pauses = self._database_pauses[name]
        if database.running() or time.monotonic() < pauses.due:
            return False
        try:
            port = database.port
            database.start(give_up=self.stopping.is_set)
            pauses.failed()
            self.say(f"{name}: had ended, started again, port {database.port}")
            if database.port != port:
                # Processes learn the port when they start.
                for child in self.children:
                    child.signal(signal.SIGTERM)
        except EngineError as error:
            pause = pauses.failed()
            self.say(f"{name}: cannot be started, trying again in {pause:g} s. {error}")
        return True

    def _note(self) -> None:
        processes: dict[str, dict[str, Any]] = {}
        for name, database in self.databases.items():
            processes[name] = {"pid": database.pid, "port": database.port, "kind": "database"}
        for child in self.children:
            identity = child.identity.as_json() if child.identity else {"pid": None}
            processes[child.spec.name] = {
                **identity,
                "kind": "process",
                "address": child.spec.address,
                "restarts": child.back_off.restarts,
            }
        write_state(self.home, self.since, self.address, processes)


def _how(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def _would_not_start(name: str, fault: str, log: Path) -> RuntimeRefused:
    words = "\n".join(f"  {line}" for line in tail(log))
    return RuntimeRefused(
        f"The {name} process {fault}." + (f" The end of its log:\n{words}\n" if words else ""),
        advice=f"The whole log is {log}. `b2b-recs doctor` checks this machine.",
    )
