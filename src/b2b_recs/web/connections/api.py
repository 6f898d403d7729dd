"""The operations of the API on connections."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from b2b_recs.engine.sources.contract import CheckResult, Source
from b2b_recs.engine.sources.registry import SOURCE_TYPES, parse_parameters, source_type
from b2b_recs.web.accounts.access import model_or_404, row_or_404
from b2b_recs.web.accounts.acting import acting
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
from b2b_recs.web.connections.changing import (
    changed_parameters,
    delete_connection,
    job_names,
    make_connection,
    refuse_taken_name,
    to_open,
    update_connection,
)
from b2b_recs.web.connections.models import Connection
from b2b_recs.web.connections.schemas import (
    ConnectionChange,
    ConnectionIn,
    ConnectionOut,
    Connections,
    ConnectionUpdated,
    CredentialFields,
    Deleted,
    PassedTest,
    SourceTypes,
    StoredTest,
    StoredTestWithTables,
    TablesOut,
    TestIn,
    describe,
    describe_check,
    describe_credentials,
    describe_error,
    describe_tables,
    describe_type,
    suggested_name,
)
from b2b_recs.web.connections.services import note_use, opener, opener_of
from b2b_recs.web.connections.tested import proof_of, proves
from b2b_recs.web.connections.testing import Tested, ask, test_stored
from b2b_recs.web.etl.proposals import TableProposal, propose

router = Router(tags=["Connections"])
TESTS = "tests of connections"


@router.get("/sources/", response=answers(200, SourceTypes), tags=["Sources"])
@needs("viewer")
def source_types(request: HttpRequest) -> SourceTypes:
    """Every type of source: what it asks for, what it can do, whether it is installed here."""
    return SourceTypes(items=[describe_type(SOURCE_TYPES[name]) for name in sorted(SOURCE_TYPES)])


@router.post(
    "/models/{int:model_id}/connections/test-wizard/", response=answers(200, PassedTest, 429, 503, *TAKES_JSON)
)
@needs("editor")
def test_wizard(request: HttpRequest, model_id: Id, body: TestIn) -> PassedTest:
    """Connect with parameters that are not stored, and list the tables.

    Stores nothing. A source that refuses is a 422 with what it said and the field to change.
    """
    spend(request, TESTS)
    parse_parameters(source_type(body.type).type, body.parameters)
    found = ask(_opener(request, body), _check)
    return PassedTest(
        **describe_check(found),
        **describe_tables(found.tables),
        name_suggested=suggested_name(body.type, body.parameters),
        proof=proof_of(model_id, body.type, body.parameters),
    )


@router.post(
    "/models/{int:model_id}/connections/create/", response=answers(201, ConnectionOut, 409, 429, 503, *TAKES_JSON)
)
@needs("editor")
def create(request: HttpRequest, model_id: Id, body: ConnectionIn, key: IdempotencyKey) -> HttpResponse:
    """Save a connection with its secrets, all or nothing, after a passing test.

    The test is made here unless `proof` says that exactly these parameters passed one within the last ten minutes.
    """
    before = kept_answer(request)
    if before is not None:
        return before
    parse_parameters(source_type(body.type).type, body.parameters)
    with acting(request):
        refuse_taken_name(model_or_404(request, model_id), body.name)
    if not (body.proof and proves(body.proof, model_id, body.type, body.parameters)):
        spend(request, TESTS)
        ask(_opener(request, body), _check)

    def save() -> ConnectionOut:
        model = model_or_404(request, model_id, "editor")
        connection, _ = make_connection(model, body.name, body.type, body.parameters)
        return _passed(connection)

    return once(request, 201, save)


@router.get("/models/{int:model_id}/connections/", response=answers(200, Connections))
@needs("viewer")
def connections(request: HttpRequest, model_id: Id, page: PageNumber, per_page: PerPage, q: Search) -> Connections:
    """The connections of a model, by name."""
    with acting(request):
        rows = Connection.objects.filter(model=model_or_404(request, model_id), name__icontains=q)
        return Connections(**page_of(rows.prefetch_related("jobs"), page, per_page, _with_jobs))


@router.get("/connections/{int:connection_id}/", response=answers(200, ConnectionOut))
@needs("viewer")
def connection(request: HttpRequest, connection_id: Id) -> ConnectionOut:
    """One connection, without its credentials."""
    with acting(request):
        return _with_jobs(_row(request, connection_id))


@router.get("/connections/{int:connection_id}/credentials/", response=answers(200, CredentialFields))
@needs("viewer")
def credentials(request: HttpRequest, connection_id: Id) -> CredentialFields:
    """Which credentials are set and since when; never a value."""
    with acting(request):
        return describe_credentials(_row(request, connection_id))


@router.post(
    "/connections/{int:connection_id}/update/", response=answers(200, ConnectionUpdated, 409, 429, 503, *TAKES_JSON)
)
@needs("editor")
def update(request: HttpRequest, connection_id: Id, body: ConnectionChange, key: IdempotencyKey) -> HttpResponse:
    """Change a connection; changed parameters are tested before they are saved.

    Credentials are given only when they change. When anything else than a credential changes, every credential that
    is set must be given again: a stored password does not follow a connection to another address.
    """
    before = kept_answer(request)
    if before is not None:
        return before
    if body.parameters:
        with acting(request):
            row = _row(request, connection_id)
            parameters = to_open(row, changed_parameters(row, body.parameters))
            type_name = row.source_type
        parse_parameters(type_name, parameters)
        spend(request, TESTS)
        ask(opener_of(type_name, parameters, row.organization_id), _check)

    def save() -> ConnectionUpdated:
        row = Connection.objects.select_for_update().get(id=_row(request, connection_id).id)
        changes = update_connection(row, body.name, body.enabled, body.parameters)
        shown = _passed(row) if body.parameters else _with_jobs(row)
        return ConnectionUpdated(connection=shown, changes=changes, jobs_affected=len(shown.jobs))

    return once(request, 200, save)


@router.post("/connections/{int:connection_id}/test/", response=answers(200, StoredTest, 429, *TAKES_JSON))
@needs("editor")
def test(request: HttpRequest, connection_id: Id) -> StoredTest:
    """Test a stored connection now, and keep how that went.

    Answers 200 whatever the source says: `status` is passed, failed (the source refused; `error` says why) or unknown
    (we could not carry the test out; the connection keeps the status it had).
    """
    tested = _tested(request, connection_id)
    with acting(request):
        return StoredTest(**_story(tested, _row(request, connection_id)))


@router.post(
    "/connections/{int:connection_id}/test-and-fetch-tables/",
    response=answers(200, StoredTestWithTables, 429, *TAKES_JSON),
)
@needs("editor")
def test_and_fetch_tables(request: HttpRequest, connection_id: Id) -> StoredTestWithTables:
    """Test a stored connection, and list the tables it can read when the test passes."""
    tested = _tested(request, connection_id)
    tables = describe_tables(tested.check.tables) if tested.check else {"tables": None, "tables_total": None}
    with acting(request):
        return StoredTestWithTables(**_story(tested, _row(request, connection_id)), **tables)


@router.post("/connections/{int:connection_id}/delete/", response=answers(200, Deleted, 409, *TAKES_JSON))
@needs("editor")
def delete(request: HttpRequest, connection_id: Id) -> Deleted:
    """Delete a connection with its credentials; refused with their names while jobs use it."""
    with acting(request):
        row = _row(request, connection_id)
        deleted = Deleted(id=row.id, name=row.name)
        delete_connection(row)
        return deleted


@router.get("/connections/{int:connection_id}/tables/", response=answers(200, TablesOut, 429, 503))
@needs("editor")
def tables(request: HttpRequest, connection_id: Id, q: Search) -> TablesOut:
    """The tables a connection can read now, as the source lists them."""
    spend(request, LOOKS)
    with acting(request):
        open_source = opener(_row(request, connection_id))
    found = ask(open_source, lambda source: source.tables())
    wanted = [one for one in found if q.casefold() in f"{one.schema}.{one.name}".casefold()]
    return TablesOut(**describe_tables(wanted))


@router.get("/connections/{int:connection_id}/columns/", response=answers(200, TableProposal, 429, 503))
@needs("editor")
def columns(
    request: HttpRequest,
    connection_id: Id,
    table: str = Query(..., min_length=1, max_length=300),
    source_schema: str = Query(
        "", alias="schema", max_length=300, description="Needed only where several schemas have a table of that name."
    ),
) -> TableProposal:
    """The columns of a table with sample values, and what is proposed for a job that copies it."""
    spend(request, LOOKS)
    with acting(request):
        row = _row(request, connection_id)
        open_source, declared, time_zone = opener(row), source_type(row.source_type), row.model.time_zone
    return ask(open_source, lambda source: propose(declared, source, source_schema, table, time_zone))


def _check(source: Source) -> CheckResult:
    return source.check()


def _opener(request: HttpRequest, body: TestIn) -> Callable[[], Source]:
    return opener_of(body.type, body.parameters, request.organization.id)  # type: ignore[attr-defined]


def _row(request: HttpRequest, connection_id: int) -> Connection:
    return row_or_404(request, Connection.objects.select_related("model"), id=connection_id)


def _with_jobs(row: Connection) -> ConnectionOut:
    return describe(row, sorted(job.name for job in row.jobs.all()))


def _passed(row: Connection) -> ConnectionOut:
    """The connection after a test that passed just before it was saved."""
    note_use(row.organization_id, row.id)
    row.refresh_from_db()
    return describe(row, job_names(row))


def _tested(request: HttpRequest, connection_id: int) -> Tested:
    spend(request, TESTS)
    return test_stored(request.organization.id, connection_id)  # type: ignore[attr-defined]


def _story(tested: Tested, row: Connection) -> dict[str, object]:
    return {
        "status": tested.status,
        "dot": row.dot,
        "tested_at": tested.at,
        "latency_ms": round(tested.check.latency_ms, 3) if tested.check else None,
        "server_version": tested.check.server_version if tested.check else None,
        "warning": tested.check.warning if tested.check else None,
        "error": describe_error(tested.error),
    }
