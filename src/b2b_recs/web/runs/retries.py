"""How often a run is tried again after a cause that may pass, how long it waits, and when it is given up."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any
from zoneinfo import ZoneInfo

from b2b_recs.engine.counting import counted
from b2b_recs.engine.errors import BadInput
from b2b_recs.runtime.environment import envlist
from b2b_recs.runtime.errors import SettingRefused
from b2b_recs.web.projects.schedules import schedule_of, spec_of
from b2b_recs.web.runs.models import Run

VARIABLE = "B2B_RECS_RETRY_WAITS"
WAITS = (30.0, 120.0, 600.0)
# what became of an attempt whose process gave the run back: before it had begun, or because the database was away
HANDED_BACK = "handed_back"
HANDED_BACK_WAITS = (5.0, 30.0, 120.0, 600.0)
JITTER = 0.2
LONGEST_WAIT = 86_400


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Seconds to wait before each further attempt; each wait varies by ``jitter`` so that many do not come at once."""

    waits: tuple[float, ...] = WAITS
    jitter: float = JITTER

    @classmethod
    def from_environment(cls) -> RetryPolicy:
        """The operator's policy. Raises SettingRefused naming the variable."""
        parts = envlist(VARIABLE)
        if any(not (part.isascii() and part.isdigit() and int(part) <= LONGEST_WAIT) for part in parts):
            raise SettingRefused(
                f"{VARIABLE} is {','.join(parts)!r}.",
                advice=f"List the seconds before each further attempt, such as 30,120,600; none above {LONGEST_WAIT}.",
                field=VARIABLE,
            )
        return cls(tuple(float(part) for part in parts)) if parts else cls()

    def wait(self, failures: int) -> float | None:
        """Seconds until the attempt after that many failed ones; None when it is given up."""
        if not 1 <= failures <= len(self.waits):
            return None
        return self.waits[failures - 1] * random.uniform(1 - self.jitter, 1 + self.jitter)


def failures_of(attempts: list[dict[str, Any]]) -> int:
    """How many attempts were tries that failed; one ended by a shutdown is none."""
    return sum(attempt.get("outcome") == "failed" for attempt in attempts)


def handed_back_of(attempts: list[dict[str, Any]]) -> int:
    """How many of the last attempts, one after the other, ended with the run given back."""
    return sum(1 for _ in takewhile(lambda attempt: attempt.get("outcome") == HANDED_BACK, reversed(attempts)))


def next_attempt(run: Run, now: datetime) -> datetime | None:
    """When a run whose last attempt failed or gave it back is tried again, None when it is given up."""
    handed_back = handed_back_of(run.attempts)
    if handed_back:
        wait = RetryPolicy(HANDED_BACK_WAITS).wait(handed_back)
    else:
        wait = RetryPolicy.from_environment().wait(failures_of(run.attempts))
    return None if wait is None else now + timedelta(seconds=wait)


def given_up_words(run: Run, now: datetime) -> str:
    """That a run is given up, after what, and what comes next. Call inside the organization's scope."""
    failures = handed_back_of(run.attempts) or failures_of(run.attempts)
    attempts = counted(failures, "attempt")
    began = run.started_at or run.created_at
    return f"Given up after {attempts} over {_span((now - began).total_seconds())}. {_what_comes(run)}"


def _span(seconds: float) -> str:
    for unit, size in (("hour", 3600), ("minute", 60)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.0f} {unit}s"
    return counted(round(seconds), "second")


def _what_comes(run: Run) -> str:
    schedule = schedule_of(run.KIND, run.schedule_target)
    if schedule is None or not schedule.enabled or schedule.next_at is None:
        return "Run it again when the cause has passed."
    try:
        zone = ZoneInfo(spec_of(schedule).time_zone)
    except BadInput:
        zone = ZoneInfo("UTC")
    return f"The next scheduled run is at {schedule.next_at.astimezone(zone):%H:%M on %-d %B}, {zone.key}."
