"""Notes what a run does and hands it over twice a second, together with the sign that it lives."""

from __future__ import annotations

import logging
import os
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Protocol, Self

from b2b_recs.engine.errors import Cancelled, Fenced

FLUSH_SECONDS = 0.5
LAST_WORD_SECONDS = 60.0
TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h: the worker hands the run out again
shutting_down = threading.Event()  # set by SIGTERM in a run's own process
COUNTERS = ("rows_read", "rows_loaded", "rows_rejected", "rows_expected", "bytes", "fraction")
log = logging.getLogger(__name__)

Line = tuple[datetime, str, str]  # when, level, message


@dataclass(frozen=True, slots=True)
class Report:
    """What happened since the last report: counters that changed, every stage, new lines of the log."""

    counters: dict[str, Any]
    stages: list[dict[str, Any]]
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: whether a newer attempt has the run, and whether someone asked to stop."""

    fenced: bool = False
    cancel_requested: bool = False


class Away(Exception):
    """Whoever keeps the runs cannot be reached now; the report is kept and tried again."""


class Outlet(Protocol):
    """Where reports go."""

    def write(self, report: Report) -> Answer:
        """Hand over a report. Raises Away to be asked again."""

    def interrupted(self) -> None:
        """The process is asked to end, for a reason that is not the run's; the attempt is not counted as a try."""

    def close(self) -> None:
        """No report follows."""


class Recorder:
    """The ``Progress`` of a run. Use as a context manager around the work.

    Calls only note what happened; a thread hands it over every half second. When the run belongs to a newer attempt,
    or someone asked to stop, the next call raises Fenced or Cancelled in the working thread.
    """

    def __init__(self, outlet: Outlet, stages: list[dict[str, Any]]) -> None:
        self.outlet = outlet
        self.stages = stages
        self._counters: dict[str, Any] = {}
        self._lines: list[Line] = []
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = False
        self._cancel_requested = False
        self._fenced = False
        self._in_trouble = False
        self._thread = threading.Thread(target=self._write_until_stopped, name="run-recorder", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping = True
        self._wake.set()
        self._thread.join()

    def stage(self, name: str, state: str, detail: str = "") -> None:
        """Note that a stage moved to running, done, failed or skipped."""
        now = datetime.now(UTC)
        with self._lock:
            entry = next((stage for stage in self.stages if stage["name"] == name), None)
            if entry is None:
                entry = {"name": name}
                self.stages.append(entry)
            if state == "running" and entry.get("state") != "running":
                entry |= {"started_at": now.isoformat(), "finished_at": None, "seconds": None}
            entry.setdefault("started_at", now.isoformat())
            entry |= {"state": state, "detail": detail or entry.get("detail", "")}
            if state != "running":
                _finish(entry, now)
        self._wake.set()
        self._raise_if_stopped()

    def update(self, **counters: Any) -> None:
        """Note counters; unknown names are refused so that a typing error shows."""
        unknown = set(counters) - set(COUNTERS)
        if unknown:
            raise TypeError(f"A run has no counter named {', '.join(sorted(unknown))}.")
        with self._lock:
            self._counters |= counters
        self._raise_if_stopped()

    def log(self, message: str, level: str = "info") -> None:
        """Note one line for the run's log."""
        with self._lock:
            self._lines.append((datetime.now(UTC), level, message))

    def cancelled(self) -> bool:
        """Whether someone asked to stop, as of half a second ago."""
        if self._fenced:
            raise Fenced("A newer attempt has taken over this run.")
        return self._cancel_requested

    def fail_open_stages(self, detail: str) -> None:
        """Mark the stages still running as failed, when the run ends before they do."""
        now = datetime.now(UTC)
        with self._lock:
            for entry in self.stages:
                if entry.get("state") == "running":
                    entry |= {"state": "failed", "detail": detail}
                    _finish(entry, now)

    def _raise_if_stopped(self) -> None:
        if self.cancelled():
            raise Cancelled("The run was cancelled.")

    def _write_until_stopped(self) -> None:
        try:
            while not self._stopping:
                self._wake.wait(FLUSH_SECONDS)
                self._wake.clear()
                self._write()
                if shutting_down.is_set() and not (self._cancel_requested or self._stopping):
                    self.outlet.interrupted()
                    os._exit(TRY_AGAIN)  # nothing half-done is lost: the next attempt goes on from what was committed
            until = time.monotonic() + LAST_WORD_SECONDS
            while not self._write() and not shutting_down.is_set() and time.monotonic() < until:
                time.sleep(FLUSH_SECONDS)
        finally:
            self.outlet.close()

    def _write(self) -> bool:
        """Hand over what was noted; whether it arrived (or the run is no longer ours)."""
        with self._lock:
            lines, self._lines = self._lines, []
            report = Report(dict(self._counters), [dict(stage) for stage in self.stages], lines)
        try:
            answer = self.outlet.write(report)
        except Exception as trouble:  # whoever keeps the runs may be restarting: keep the lines and try again
            if not self._in_trouble and not isinstance(trouble, Away):
                log.exception("what the run does could not be handed over")
            self._in_trouble = True
            with self._lock:
                self._lines = lines + self._lines
            return False
        self._fenced = self._fenced or answer.fenced
        self._cancel_requested = answer.cancel_requested
        self._in_trouble = False
        return True


def _finish(entry: dict[str, Any], now: datetime) -> None:
    started = datetime.fromisoformat(entry["started_at"])
    entry |= {"finished_at": now.isoformat(), "seconds": round((now - started).total_seconds(), 3)}
