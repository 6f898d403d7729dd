"""How long work reports: stages, counters, log lines, and the question whether to stop."""

from __future__ import annotations

from typing import Any, Protocol


class Progress(Protocol):
    """Receiver of what a run does. Every call may raise Cancelled or Fenced, at a safe point."""

    def stage(self, name: str, state: str, detail: str = "") -> None:
        """A stage moved to running, done, failed or skipped."""

    def update(self, **counters: Any) -> None:
        """Counters changed: rows_read, rows_loaded, rows_rejected, bytes, rows_expected, fraction (0 to 1)."""

    def log(self, message: str, level: str = "info") -> None:
        """One line for the run's log."""

    def cancelled(self) -> bool:
        """Whether someone asked to stop; cheap enough to ask for every batch."""


class Silent:
    """Progress nobody watches."""

    def stage(self, name: str, state: str, detail: str = "") -> None:
        """Ignore."""

    def update(self, **counters: Any) -> None:
        """Ignore."""

    def log(self, message: str, level: str = "info") -> None:
        """Ignore."""

    def cancelled(self) -> bool:
        """Never."""
        return False
