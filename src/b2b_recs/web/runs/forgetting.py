"""The log of runs that are deleted goes with them. Call inside the organization's scope."""

from __future__ import annotations

from typing import Any

import pgtrigger
from django.db.models import QuerySet

from b2b_recs.web.runs.models import RunLogLine

# The audit notes each run that is deleted; a line of its log alone must not go unnoticed, all of them say no more.
NOTED = "runs.RunLogLine:removed_delete"


def forget_logs(runs: QuerySet[Any]) -> None:
    """Delete every line of the logs of these runs, which are about to be deleted."""
    lines = RunLogLine.objects.filter(run_kind=runs.model.KIND, run_id__in=runs.order_by().values("id"))
    with pgtrigger.ignore(NOTED):
        lines.delete()
