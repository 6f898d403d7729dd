"""The form a project file has for the schedule of a job or a pipeline as it is in force."""

from __future__ import annotations

from b2b_recs.project_file.schedules import Schedule as ScheduleSetting
from b2b_recs.web.projects.schedules import schedule_of, spec_of


def form_of(kind: str, target_id: int, time_zone: str) -> ScheduleSetting:
    """The form in a file of a model of that time zone. Call inside the organization's scope."""
    row = schedule_of(kind, target_id)
    return ScheduleSetting() if row is None else ScheduleSetting.of(spec_of(row), not row.enabled, time_zone)
