"""What became of copies: one run in numbers, and a model's last 30 days. Call inside the organization's scope."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Q, Sum
from django.db.models.functions import TruncDate

from b2b_recs.web.etl.models import ETLRun
from b2b_recs.web.runs.faults import Fault, fault_of
from b2b_recs.web.runs.models import Run, RunLogLine

DAYS = 30
GOOD = (ETLRun.Status.COMPLETED, ETLRun.Status.PARTIAL)
# Numbers of the result that are counts of rows, beside those that are columns of a run.
_RESULT_COUNTS = ("rows_known", "rows_replaced", "rows_deleted", "rows_repeated")


@dataclass(frozen=True, slots=True)
class RunNumbers:
    """One copy in numbers: rows by what became of them, bytes, rate, seconds of the whole and of each stage."""

    rows_read: int
    rows_loaded: int
    rows_rejected: int
    rows_known: int
    rows_replaced: int
    rows_deleted: int
    rows_repeated: int
    bytes: int
    rows_per_second: float | None
    seconds: float | None
    stage_seconds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One attempt: its number, when, what became of it, why, and when the next one was to follow."""

    number: int
    started_at: datetime | None
    finished_at: datetime | None
    outcome: str
    error_code: str
    error: str
    again_at: datetime | None


@dataclass(frozen=True, slots=True)
class DayOfRuns:
    """The runs that were asked for on one day."""

    day: date
    runs: int
    good: int
    failed: int
    rows_loaded: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """Copies of a model since ``since``; ``success_rate`` is of those that ended by themselves, None without any."""

    since: datetime
    runs: int
    good: int
    failed: int
    cancelled: int
    rows_read: int
    rows_loaded: int
    rows_rejected: int
    bytes: int
    success_rate: float | None
    mean_seconds: float | None
    rows_per_second: float | None
    days: tuple[DayOfRuns, ...]
    faults: tuple[tuple[Fault, int], ...]

    @property
    def success_percent(self) -> str:
        """The share that ended well as per cent, "–" without any."""
        return "–" if self.success_rate is None else f"{100 * self.success_rate:.0f}"


def numbers_of(run: ETLRun) -> RunNumbers:
    """The numbers of a run; those of its result are 0 until it has ended."""
    results = run.results or {}
    counts = {name: int(results.get(name) or 0) for name in _RESULT_COUNTS}
    reading = next((stage.get("seconds") for stage in run.stages if stage.get("name") == "read"), None)
    worked = results.get("seconds") or run.seconds
    return RunNumbers(
        rows_read=run.rows_read,
        rows_loaded=run.rows_loaded,
        rows_rejected=run.rows_rejected,
        bytes=run.bytes,
        rows_per_second=_rate(run.rows_read, reading or worked),
        seconds=run.seconds,
        stage_seconds={
            stage["name"]: float(stage["seconds"]) for stage in run.stages if stage.get("seconds") is not None
        },
        **counts,
    )


def attempts_of(run: Run) -> list[AttemptView]:
    """Every attempt at a run, the first one first."""
    return [
        AttemptView(
            number=int(attempt["number"]),
            started_at=_moment(attempt.get("started_at")),
            finished_at=_moment(attempt.get("finished_at")),
            outcome=str(attempt.get("outcome", "")),
            error_code=str(attempt.get("error_code", "")),
            error=str(attempt.get("error", "")),
            again_at=_moment(attempt.get("again_at")),
        )
        for attempt in run.attempts
    ]


def log_of(run: Run, after_id: int = 0, limit: int = 500) -> list[RunLogLine]:
    """Lines of a run's log after the one with that id, the oldest first."""
    lines = RunLogLine.objects.filter(run_kind=run.KIND, run_id=run.id, id__gt=after_id)
    return list(lines.order_by("id")[:limit])


def statistics(model_id: int, now: datetime | None = None, days: int = DAYS) -> Statistics:
    """The copies of a model over the last ``days`` days; three queries however many runs there are."""
    now = now or datetime.now(UTC)
    since = now - timedelta(days=days)
    runs = ETLRun.objects.filter(data_source__configuration__model_id=model_id, created_at__gte=since).order_by()
    took = ExpressionWrapper(F("finished_at") - F("started_at"), output_field=DurationField())
    whole = runs.aggregate(
        **_counts(),
        cancelled=Count("id", filter=Q(status=ETLRun.Status.CANCELLED)),
        read=Sum("rows_read", default=0),
        rejected=Sum("rows_rejected", default=0),
        size=Sum("bytes", default=0),
        mean=Avg(took, filter=Q(status__in=GOOD)),
        took=Sum(took, filter=Q(status__in=GOOD)),
        read_well=Sum("rows_read", filter=Q(status__in=GOOD), default=0),
    )
    by_day = runs.annotate(day=TruncDate("created_at", tzinfo=UTC)).values("day").annotate(**_counts()).order_by("day")
    codes = runs.filter(status=ETLRun.Status.FAILED).values("error_code").annotate(count=Count("id"))
    ended = whole["good"] + whole["failed"]
    return Statistics(
        since=since,
        runs=whole["runs"],
        good=whole["good"],
        failed=whole["failed"],
        cancelled=whole["cancelled"],
        rows_read=whole["read"],
        rows_loaded=whole["loaded"],
        rows_rejected=whole["rejected"],
        bytes=whole["size"],
        success_rate=whole["good"] / ended if ended else None,
        mean_seconds=whole["mean"].total_seconds() if whole["mean"] is not None else None,
        rows_per_second=_rate(whole["read_well"], whole["took"].total_seconds() if whole["took"] else None),
        days=tuple(DayOfRuns(day["day"], day["runs"], day["good"], day["failed"], day["loaded"]) for day in by_day),
        faults=_faults(codes.order_by("-count", "error_code")),
    )


def _counts() -> dict[str, Any]:
    return {
        "runs": Count("id"),
        "good": Count("id", filter=Q(status__in=GOOD)),
        "failed": Count("id", filter=Q(status=ETLRun.Status.FAILED)),
        "loaded": Sum("rows_loaded", default=0),
    }


def _faults(codes: Any) -> tuple[tuple[Fault, int], ...]:
    found = ((fault_of(row["error_code"] or "failed"), row["count"]) for row in codes)
    return tuple((fault, count) for fault, count in found if fault is not None)


def _rate(rows: int, seconds: float | None) -> float | None:
    return round(rows / seconds, 1) if rows and seconds else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
