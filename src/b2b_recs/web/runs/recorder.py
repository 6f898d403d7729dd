"""Writes what a run does into its row, fenced by attempt, from one thread with one connection."""

from __future__ import annotations

import logging
import os
import threading
import time
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from django.db import connection

from b2b_recs.engine.errors import Cancelled, Fenced
from b2b_recs.web.runs.documents import storable_text
from b2b_recs.web.runs.models import Run, RunLogLine
from b2b_recs.web.runs.outage import OUTAGES, WAIT_SECONDS
from b2b_recs.web.tenancy import scope

FLUSH_SECONDS = 0.5
TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h: the worker hands the run out again
shutting_down = threading.Event()  # set by SIGTERM in a run's own process
log = logging.getLogger(__name__)
COUNTERS = ("rows_read", "rows_loaded", "rows_rejected", "rows_expected", "bytes", "fraction")


class RunRecorder:
    """The ``Progress`` of a run. Use as a context manager around the work.

    Calls only note what happened; a thread writes it every half second together with a heartbeat. When the row belongs
    to a newer attempt, or someone asked to stop, the next call raises Fenced or Cancelled in the working thread.
    """

    def __init__(
        self, run_type: type[Run], organization_id: int, run_id: int, attempt: int, stages: list[dict[str, Any]]
    ) -> None:
        self.run_type = run_type
        self.organization_id = organization_id
        self.run_id = run_id
        self.attempt = attempt
        self.stages = stages
        self._counters: dict[str, Any] = {}
        self._lines: list[tuple[datetime, str, str]] = []
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
            entry |= {"state": state, "detail": storable_text(detail) or entry.get("detail", "")}
            if state != "running":
                started = datetime.fromisoformat(entry["started_at"])
                entry |= {"finished_at": now.isoformat(), "seconds": round((now - started).total_seconds(), 3)}
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
            self._lines.append((datetime.now(UTC), level, storable_text(message)))

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
                    took = (now - datetime.fromisoformat(entry["started_at"])).total_seconds()
                    entry |= {"state": "failed", "detail": storable_text(detail), "finished_at": now.isoformat()}
                    entry["seconds"] = round(took, 3)

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
                    os._exit(TRY_AGAIN)  # nothing half-done is lost: the next attempt goes on from what was committed
            until = time.monotonic() + WAIT_SECONDS
            while not self._write() and not shutting_down.is_set() and time.monotonic() < until:
                time.sleep(FLUSH_SECONDS)
        finally:
            connection.close()

    def _write(self) -> bool:
        """Write what was noted; whether the database took it (or the row is no longer ours)."""
        with self._lock:
            values = {**self._counters, "stages": [dict(stage) for stage in self.stages]}
            lines, self._lines = self._lines, []
        values["heartbeat_at"] = datetime.now(UTC)
        try:
            with scope(self.organization_id):
                row = self.run_type.objects.filter(id=self.run_id, attempt=self.attempt, status=Run.Status.RUNNING)
                if not row.update(**values):
                    self._fenced = True
                    return True
                self._cancel_requested = row.values_list("cancel_requested", flat=True).first() or False
                RunLogLine.objects.bulk_create(
                    RunLogLine(
                        organization_id=self.organization_id,
                        run_kind=self.run_type.KIND,
                        run_id=self.run_id,
                        at=at,
                        level=level,
                        message=message,
                    )
                    for at, level, message in lines
                )
        except Exception as trouble:  # the database may be restarting: keep the lines and try again
            if not self._in_trouble and not isinstance(trouble, OUTAGES):
                log.exception("run %s: what it does could not be written", self.run_id)
            self._in_trouble = True
            connection.close()
            with self._lock:
                self._lines = lines + self._lines
            return False
        self._in_trouble = False
        return True
