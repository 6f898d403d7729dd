"""Writes what a run does into its row, fenced by attempt, over one connection."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db import connection

from b2b_recs.runtime.recording import COUNTERS, TRY_AGAIN, Answer, Away, Recorder, Report, shutting_down
from b2b_recs.web.runs.documents import storable, storable_text
from b2b_recs.web.runs.models import Run, RunLogLine
from b2b_recs.web.runs.outage import OUTAGES
from b2b_recs.web.tenancy import scope

__all__ = ["COUNTERS", "TRY_AGAIN", "RunRecorder", "shutting_down", "take_report"]


class RunRecorder(Recorder):
    """The recorder of a run whose rows this process can write itself."""

    def __init__(
        self, run_type: type[Run], organization_id: int, run_id: int, attempt: int, stages: list[dict[str, Any]]
    ) -> None:
        super().__init__(_Rows(run_type, organization_id, run_id, attempt), stages)
        self.run_type = run_type
        self.run_id = run_id


class _Rows:
    """The control database as an outlet."""

    def __init__(self, run_type: type[Run], organization_id: int, run_id: int, attempt: int) -> None:
        self._attempt = (run_type, organization_id, run_id, attempt)

    def write(self, report: Report) -> Answer:
        try:
            return take_report(*self._attempt, report)
        except OUTAGES as outage:
            connection.close()
            raise Away from outage
        except Exception:
            connection.close()
            raise

    def interrupted(self) -> None:
        from b2b_recs.web.runs.attempts import interrupt  # which needs the recorder

        interrupt(*self._attempt)

    def close(self) -> None:
        connection.close()


def take_report(run_type: type[Run], organization_id: int, run_id: int, attempt: int, report: Report) -> Answer:
    """Write a report of that attempt; fenced when the run is another attempt's, or has ended."""
    values = {name: value for name, value in report.counters.items() if name in COUNTERS}
    values |= {"stages": storable(report.stages), "heartbeat_at": datetime.now(UTC)}
    with scope(organization_id):
        row = run_type.objects.filter(id=run_id, attempt=attempt, status=Run.Status.RUNNING)
        if not row.update(**values):
            return Answer(fenced=True)
        cancel_requested = row.values_list("cancel_requested", flat=True).first() or False
        RunLogLine.objects.bulk_create(
            RunLogLine(
                organization_id=organization_id,
                run_kind=run_type.KIND,
                run_id=run_id,
                at=at,
                level=level,
                message=storable_text(message),
            )
            for at, level, message in report.lines
        )
    return Answer(cancel_requested=cancel_requested)
