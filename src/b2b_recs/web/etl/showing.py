"""Jobs and runs as programs see them. Call inside the organization's scope."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.etl.reconcile import in_words
from b2b_recs.engine.etl.spec import CopySpec
from b2b_recs.web.api.schemas import ErrorDetail, PageOf
from b2b_recs.web.etl.counts import noted
from b2b_recs.web.etl.following import why_idle
from b2b_recs.web.etl.models import DataSource, DataSourceTable, ETLRun
from b2b_recs.web.etl.schemas import settings_form
from b2b_recs.web.projects.models import Schedule
from b2b_recs.web.projects.schedules import MANUAL, spec_of
from b2b_recs.web.runs.models import RunLogLine
from b2b_recs.web.runs.presenting import present_etl
from b2b_recs.web.runs.turns import tell_turns

LOG_LINES = 500


class StageOut(BaseModel):
    """One stage of a run."""

    name: str = Field(description="connect, read, load or reconcile.")
    state: str = Field(description="waiting, running, done, failed or skipped.")
    detail: str
    started_at: datetime | None
    finished_at: datetime | None
    seconds: float | None


class RunOut(BaseModel):
    """A run of a job in numbers."""

    id: int
    model_id: int
    source_id: int
    source_name: str
    status: str = Field(description="pending, running, completed, partial, failed or cancelled.")
    is_over: bool
    attempt: int
    triggered_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    seconds: float | None
    rows_read: int
    rows_loaded: int
    rows_rejected: int
    rows_expected: int | None
    bytes: int
    rows_a_second: float | None
    error: ErrorDetail | None


class Runs(PageOf):
    """One page of runs, newest first."""

    items: list[RunOut]


class SumOut(BaseModel):
    """What a column adds up to, exactly and therefore as text."""

    column: str
    source: str | None
    warehouse: str | None
    agrees: bool


class Reconciliation(BaseModel):
    """The counts of source and warehouse after the load."""

    reconciled: bool
    source_count: int | None
    warehouse_count: int | None
    words: str = Field(
        description="The comparison: “300 = 101 + 199 repeated”, with the sums when they were asked for."
    )
    sums: list[SumOut] = Field(description="What checksums compared; empty for a job that compares counts.")


class LogLineOut(BaseModel):
    """One line of a run's log."""

    id: int
    at: datetime
    level: str
    message: str


class RunStatusOut(RunOut):
    """A run with what it does right now."""

    stages: list[StageOut]
    fraction: float | None = Field(description="How much is done, from 0 to 1, when that is known.")
    cancel_requested: bool
    waits: str = Field(
        description="Why the run does not go on now, in words: its turn, its next attempt, no worker; else empty."
    )
    reconciliation: Reconciliation | None
    result: dict[str, Any] = Field(description="Every figure of the copy, when it has ended.")
    log: list[LogLineOut]
    log_cursor: int = Field(description="To be given as `after` to get only newer lines.")


class ScheduleOut(BaseModel):
    """When a job runs by itself."""

    rule: dict[str, Any]
    words: str
    paused: bool
    next_times: list[datetime] = Field(
        description="The next five, in UTC; empty when the job does not run by itself now."
    )
    why_none: str = Field(description="Why there are no next times, in words; empty when there are some.")


class JobOut(BaseModel):
    """A job, or a draft of one."""

    id: int
    model_id: int
    name: str
    draft: bool
    enabled: bool
    connection_id: int
    connection_name: str
    source: str = Field(description="Schema and table read.")
    destination: str = Field(description="The warehouse table.")
    settings: dict[str, Any] = Field(description="What add-source and update take; of a draft, what was saved.")
    schedule: ScheduleOut
    wizard_step: int
    completed_steps: list[int]
    last_run: RunOut | None
    last_row_count: int | None = Field(description="Rows of the warehouse table after the last run that loaded it.")
    last_synced_at: datetime | None
    created_at: datetime
    updated_at: datetime


class Jobs(PageOf):
    """One page of jobs, by name."""

    items: list[JobOut]


def job_out(job: DataSource) -> JobOut:
    """One job with its schedule and its last run."""
    return jobs_out([job])[0]


def jobs_out(jobs: Iterable[DataSource]) -> list[JobOut]:
    """Jobs with their schedules and last runs; a few queries however many."""
    jobs = list(jobs)
    ids = [job.id for job in jobs]
    rows = Schedule.objects.filter(target_kind=Schedule.Target.ETL, target_id__in=ids)
    schedules = {row.target_id: row for row in rows}
    newest = ETLRun.objects.filter(data_source_id__in=ids).select_related("data_source__configuration")
    runs = {run.data_source_id: run for run in newest.order_by("data_source_id", "-id").distinct("data_source_id")}
    tables = {table.data_source_id: table for table in DataSourceTable.objects.filter(data_source_id__in=ids)}
    return [_job(job, tables.get(job.id), schedules.get(job.id), runs.get(job.id)) for job in jobs]


def _job(job: DataSource, table: DataSourceTable | None, row: Schedule | None, run: ETLRun | None) -> JobOut:
    schedule = schedule_out(job, row)
    return JobOut(
        id=job.id,
        model_id=job.configuration.model_id,
        name=job.name,
        draft=job.draft,
        enabled=job.enabled,
        connection_id=job.connection_id,
        connection_name=job.connection.name,
        source=table.source if table else "",
        destination=table.destination if table else "",
        settings=_settings(job, table, schedule),
        schedule=schedule,
        wizard_step=job.wizard_step,
        completed_steps=[int(step) for step in job.wizard_completed_steps],
        last_run=run_out(run) if run else None,
        last_row_count=table.last_row_count if table else None,
        last_synced_at=table.last_synced_at if table else None,
        created_at=job.created_at,
        updated_at=job.updated_at,
    )


def _settings(job: DataSource, table: DataSourceTable | None, schedule: ScheduleOut) -> dict[str, Any]:
    document = dict(table.spec) if table else {}
    if job.draft:
        return document
    try:
        form = settings_form(job.name, job.connection_id, job.enabled, CopySpec.model_validate(document))
    except ValidationError:  # saved by an earlier release; its page says what is missing
        return document
    return {**form, "schedule": schedule.rule, "paused": schedule.paused}


def schedule_out(job: DataSource, row: Schedule | None, times: int = 5) -> ScheduleOut:
    """The schedule of a job with its words and its next ``times``."""
    paused = row is not None and not row.enabled
    try:
        spec = spec_of(row) if row is not None else MANUAL
    except BadInput as refusal:  # its zone or expression was withdrawn
        told = refusal.message
        return ScheduleOut(rule={"kind": "manual"}, words=told, paused=paused, next_times=[], why_none=told)
    idle = why_idle(job, by_hand=spec.kind == "manual", paused=paused)
    ahead = [] if idle else spec.next_times(datetime.now(UTC), times)
    rule = {"kind": spec.kind, **spec.fields, "time_zone": spec.time_zone}
    why = idle or ("" if ahead else "No time of it lies ahead.")
    return ScheduleOut(rule=rule, words=spec.words, paused=paused, next_times=ahead, why_none=why)


def run_out(run: ETLRun) -> RunOut:
    """A run in numbers."""
    return RunOut(**_numbers(run))


def _numbers(run: ETLRun) -> dict[str, Any]:
    seconds = run.seconds
    error = None
    if run.error:
        error = ErrorDetail(code=run.error_code or "failed", message=run.error, advice=run.advice, field=None)
    return {
        **{name: getattr(run, name) for name in RunOut.model_fields if name not in _MADE},
        "model_id": run.data_source.configuration.model_id,
        "source_id": run.data_source_id,
        "source_name": run.data_source.name,
        "rows_a_second": round(run.rows_read / seconds, 1) if seconds else None,
        "error": error,
    }


_MADE = {"model_id", "source_id", "source_name", "rows_a_second", "error"}


def run_status(run: ETLRun, after: int) -> RunStatusOut:
    """A run with its stages, reconciliation and the log lines after ``after``."""
    lines = RunLogLine.objects.filter(run_kind=ETLRun.KIND, run_id=run.id, id__gt=after).order_by("id")[:LOG_LINES]
    log = [LogLineOut(id=line.id, at=line.at, level=line.level, message=line.message) for line in lines]
    results = run.results or {}
    view = present_etl(run, run.data_source.configuration.model_id)
    tell_turns([view])
    return RunStatusOut(
        **_numbers(run),
        stages=[_stage(one) for one in run.stages],
        fraction=run.fraction,
        cancel_requested=run.cancel_requested,
        waits=view.waits,
        reconciliation=_reconciliation(results) if "reconciled" in results else None,
        result=results,
        log=log,
        log_cursor=log[-1].id if log else after,
    )


def _reconciliation(results: dict[str, Any]) -> Reconciliation:
    """The comparison a run has noted, with the words of the engine."""
    result = noted(results)
    sums = [
        SumOut(column=one.column, source=_text(one.source), warehouse=_text(one.warehouse), agrees=one.agrees)
        for one in result.sums
    ]
    return Reconciliation(
        reconciled=result.reconciled,
        source_count=result.source_count,
        warehouse_count=result.warehouse_count,
        words=in_words(result),
        sums=sums,
    )


def _text(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")


def _stage(stage: dict[str, Any]) -> StageOut:
    return StageOut(
        name=stage["name"],
        state=stage.get("state", "waiting"),
        detail=stage.get("detail", ""),
        started_at=stage.get("started_at"),
        finished_at=stage.get("finished_at"),
        seconds=stage.get("seconds"),
    )
