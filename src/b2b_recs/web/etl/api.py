"""The operations of the API on jobs."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import BaseModel, Field

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.etl.spec import CopySpec
from b2b_recs.engine.sources.registry import SOURCE_TYPES, source_type
from b2b_recs.web.accounts.access import model_or_404, row_or_404
from b2b_recs.web.accounts.acting import acting, trigger_of, user_of
from b2b_recs.web.api.door import needs
from b2b_recs.web.api.idempotency import kept_answer, once
from b2b_recs.web.api.limits import LOOKS, spend
from b2b_recs.web.api.schemas import (
    TAKES_JSON,
    Id,
    IdempotencyKey,
    PageNumber,
    PerPage,
    Search,
    answers,
    page_of,
)
from b2b_recs.web.conflicts import NothingToRun
from b2b_recs.web.connections.api import TESTS
from b2b_recs.web.connections.models import Connection
from b2b_recs.web.connections.schemas import Deleted
from b2b_recs.web.connections.services import opener
from b2b_recs.web.connections.testing import ask
from b2b_recs.web.etl.checks import check_spec
from b2b_recs.web.etl.drafts import named_row, refuse_draft, save_draft
from b2b_recs.web.etl.following import jobs_to_run
from b2b_recs.web.etl.held_types import refuse_held
from b2b_recs.web.etl.jobs import (
    change_job,
    configuration_of,
    create_job,
    delete_job,
    finish_draft,
    refuse_taken_destination,
    refuse_taken_name,
    schedule_job,
)
from b2b_recs.web.etl.models import DataSource
from b2b_recs.web.etl.schemas import (
    DraftIn,
    JobChange,
    JobIn,
    NameIn,
    Toggle,
    changed_settings,
    schedule_in,
    settings_form,
    spec_of,
)
from b2b_recs.web.etl.services import start_run
from b2b_recs.web.etl.showing import JobOut, Jobs, RunOut, job_out, jobs_out, run_out, schedule_out
from b2b_recs.web.etl.sourcing import JobTest, held_columns, settled_by, test_of
from b2b_recs.web.projects.models import ModelEndpoint, Schedule
from b2b_recs.web.projects.schedules import schedule_of
from b2b_recs.web.runs.documents import parsed

router = Router(tags=["ETL jobs"])


class NameAnswer(BaseModel):
    """Whether a job may have a name."""

    name: str
    free: bool


class Toggled(BaseModel):
    """Whether schedules are followed now."""

    model_enabled: bool
    source_id: int | None
    source_enabled: bool | None


class StartedRuns(BaseModel):
    """The runs that were started, or that were waiting already."""

    runs: list[RunOut] = Field(description="One for every enabled job.")


@router.post("/models/{int:model_id}/etl/add-source/", response=answers(201, JobOut, 409, 429, 503, *TAKES_JSON))
@needs("editor")
def add_source(request: HttpRequest, model_id: Id, body: JobIn, key: IdempotencyKey) -> HttpResponse:
    """Create a job, all or nothing: its copy, its destination, its schedule.

    Unless `check_source` is false, the job is first compared with the columns its table has now, and columns without
    a type of their own in `types` get the one that was proposed from their values.
    """
    before = kept_answer(request)
    if before is not None:
        return before
    with acting(request):
        model = model_or_404(request, model_id)
        spec = spec_of(body, model.time_zone)
        connection = _connection(model, body.connection_id)
        check_spec(spec, SOURCE_TYPES.get(connection.source_type))
        _refuse_taken(model, body.name, spec, body.draft_id)
    if body.check_source:
        spec = _settled(request, connection, spec)

    def save() -> JobOut:
        model = model_or_404(request, model_id, "editor")
        _refuse_taken(model, body.name, spec, body.draft_id)
        connection, configuration = _connection(model, body.connection_id), configuration_of(model)
        draft = named_row(configuration, body.draft_id, "draft_id")
        if draft is not None and draft.draft:
            job = finish_draft(draft, body.name, connection, spec, body.enabled)
        elif draft is not None:
            raise BadInput("That draft is a job already.", field="draft_id", advice="Update the job instead.")
        else:
            job = create_job(configuration, body.name, connection, spec, enabled=body.enabled)
        schedule_job(job, schedule_in(body, model.time_zone), body.paused)
        return job_out(job)

    return once(request, 201, save)


@router.post("/models/{int:model_id}/etl/save-draft/", response=answers(200, JobOut, 409, *TAKES_JSON))
@needs("editor")
def save_half_filled(request: HttpRequest, model_id: Id, body: DraftIn, key: IdempotencyKey) -> HttpResponse:
    """Keep a half-filled wizard; its `id` brings it back by GET and is given as `draft_id` to save it again."""

    def save() -> JobOut:
        model = model_or_404(request, model_id, "editor")
        configuration = configuration_of(model)
        draft = named_row(configuration, body.draft_id, "draft_id")
        connection = _connection(model, body.connection_id)
        saved = save_draft(configuration, draft, body.name, connection, body.step, body.completed_steps, body.values)
        return job_out(saved)

    return once(request, 200, save)


@router.post("/models/{int:model_id}/etl/check-name/", response=answers(200, NameAnswer, *TAKES_JSON))
@needs("editor")
def check_name(request: HttpRequest, model_id: Id, body: NameIn) -> NameAnswer:
    """Whether no other job or draft of the model has the name."""
    with acting(request):
        named = DataSource.objects.filter(configuration__model=model_or_404(request, model_id), name=body.name)
        return NameAnswer(name=body.name, free=not named.exclude(id=body.source_id).exists())


@router.post("/models/{int:model_id}/etl/toggle/", response=answers(200, Toggled, *TAKES_JSON))
@needs("editor")
def toggle(request: HttpRequest, model_id: Id, body: Toggle) -> Toggled:
    """Follow the schedules of a model or of one job, or stop following them; runs by hand go on working."""
    with acting(request):
        configuration = configuration_of(model_or_404(request, model_id, "editor"))
        job = named_row(configuration, body.source_id, "source_id")
        row = configuration if job is None else job
        if row.enabled != body.enabled:
            row.enabled = body.enabled
            row.save(update_fields=["enabled"])
        return Toggled(
            model_enabled=configuration.enabled,
            source_id=job.id if job else None,
            source_enabled=job.enabled if job else None,
        )


@router.post("/models/{int:model_id}/etl/run/", response=answers(202, StartedRuns, 409, *TAKES_JSON))
@needs("editor")
def run_all(request: HttpRequest, model_id: Id, key: IdempotencyKey) -> HttpResponse:
    """Run every enabled job of a model whose connection is enabled; one that waits or runs is not started twice."""

    def start() -> StartedRuns:
        model = model_or_404(request, model_id, "editor")
        runs = [start_run(job, user_of(request), trigger_of(request)) for job in jobs_to_run(model)]
        if not runs:
            raise NothingToRun("This model has no enabled job.", advice="Create a job, or enable one.")
        return StartedRuns(runs=[run_out(run) for run in runs])

    return once(request, 202, start)


@router.get("/models/{int:model_id}/etl/sources/", response=answers(200, Jobs))
@needs("viewer")
def sources(
    request: HttpRequest,
    model_id: Id,
    page: PageNumber,
    per_page: PerPage,
    q: Search,
    draft: bool | None = Query(None, description="Only drafts, or only jobs."),
) -> Jobs:
    """The jobs of a model and its drafts, by name."""
    with acting(request):
        rows = _rows().filter(configuration__model=model_or_404(request, model_id), name__icontains=q)
        if draft is not None:
            rows = rows.filter(draft=draft)
        found = page_of(rows.order_by("name"), page, per_page, lambda row: row)
        return Jobs(**{**found, "items": jobs_out(found["items"])})


@router.get("/etl/sources/{int:source_id}/", response=answers(200, JobOut))
@needs("viewer")
def source(request: HttpRequest, source_id: Id) -> JobOut:
    """One job or draft with everything an editor needs."""
    with acting(request):
        return job_out(_row(request, source_id))


@router.post("/etl/sources/{int:source_id}/update/", response=answers(200, JobOut, 409, 429, 503, *TAKES_JSON))
@needs("editor")
def update(request: HttpRequest, source_id: Id, body: JobChange, key: IdempotencyKey) -> HttpResponse:
    """Change a job; what is left out stays.

    A changed copy is compared with the source unless `check_source` is false.
    """
    before = kept_answer(request)
    if before is not None:
        return before
    with acting(request):
        job = _row(request, source_id)
        settings, spec = _changed(job, body)
        model = job.configuration.model
        _refuse_taken(model, settings.name, spec, job.id)
        connection = _connection(model, settings.connection_id)
        copies_alike = connection.id == job.connection_id and spec == _spec(job)
    settled = spec
    if settings.check_source and not copies_alike:
        settled = _settled(request, connection, spec)

    def save() -> JobOut:
        job = _row(request, source_id, "editor")
        settings, wanted = _changed(job, body)
        model = job.configuration.model
        _refuse_taken(model, settings.name, wanted, job.id)
        connection = _connection(model, settings.connection_id)
        kept = settled if wanted == spec else wanted  # somebody else may have changed the job meanwhile
        change_job(job, name=settings.name, connection=connection, enabled=settings.enabled, spec=kept)
        schedule_job(job, schedule_in(settings, model.time_zone), settings.paused)
        return job_out(job)

    return once(request, 200, save)


@router.post("/etl/sources/{int:source_id}/test/", response=answers(200, JobTest, 409, 429, 503, *TAKES_JSON))
@needs("editor")
def test(request: HttpRequest, source_id: Id) -> JobTest:
    """Ask the source whether the job could run now: it lets us in, the table is there, every column is."""
    spend(request, TESTS)
    with acting(request):
        job = _row(request, source_id)
        spec = _spec(job)
        open_source, declared = opener(job.connection), source_type(job.connection.source_type)
    return test_of(open_source, declared, spec)


@router.post("/etl/sources/{int:source_id}/run/", response=answers(202, RunOut, 409, *TAKES_JSON))
@needs("editor")
def run(request: HttpRequest, source_id: Id, key: IdempotencyKey) -> HttpResponse:
    """Run a job now; the run that waits or runs already when there is one."""

    def start() -> RunOut:
        job = _row(request, source_id, "editor")
        refuse_draft(job)
        return run_out(start_run(job, user_of(request), trigger_of(request)))

    return once(request, 202, start)


@router.post("/etl/sources/{int:source_id}/delete/", response=answers(200, Deleted, 409, *TAKES_JSON))
@needs("editor")
def delete(request: HttpRequest, source_id: Id) -> Deleted:
    """Delete a job or draft with its runs and its schedule; the warehouse table it filled stays."""
    with acting(request):
        job = _row(request, source_id, "editor")
        deleted = Deleted(id=job.id, name=job.name)
        delete_job(job)
        return deleted


def _rows() -> QuerySet[DataSource]:
    return DataSource.objects.select_related("configuration__model", "connection", "table")


def _row(request: HttpRequest, source_id: int, role: str = "viewer") -> DataSource:
    return row_or_404(request, _rows(), role, id=source_id)


def _connection(model: ModelEndpoint, connection_id: int) -> Connection:
    found = Connection.objects.filter(model=model, id=connection_id).first()
    if found is None:
        raise BadInput(
            "There is no such connection in this model.", field="connection_id", advice="Choose one of its connections."
        )
    return found


def _refuse_taken(model: ModelEndpoint, name: str, spec: CopySpec, but: int | None) -> None:
    configuration = configuration_of(model)
    refuse_taken_name(configuration, name, but)
    refuse_taken_destination(configuration, spec, but)


def _spec(job: DataSource) -> CopySpec:
    refuse_draft(job)
    return parsed(CopySpec, job.table.spec, f"the job “{job.name}”")


def _changed(job: DataSource, body: BaseModel) -> tuple[Any, CopySpec]:
    """The settings and the copy of a job after a change."""
    form = settings_form(job.name, job.connection_id, job.enabled, _spec(job))
    now = schedule_out(job, schedule_of(Schedule.Target.ETL, job.id))
    settings = changed_settings({**form, "schedule": now.rule, "paused": now.paused}, body)
    return settings, spec_of(settings, job.configuration.model.time_zone)


def _settled(request: HttpRequest, connection: Connection, spec: CopySpec) -> CopySpec:
    spend(request, LOOKS)
    with acting(request):
        open_source = opener(connection)
    refuse_held(connection.model_id, spec)
    held = held_columns(connection.model_id, spec)
    return ask(open_source, settled_by(source_type(connection.source_type), spec, held))
