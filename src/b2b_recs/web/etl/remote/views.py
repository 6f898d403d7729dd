"""The addresses a runner elsewhere asks: its assignment, progress, whether the source let it in, the end."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from b2b_recs.runtime.recording import Report
from b2b_recs.runtime.run_documents import EndAnswer, EndReport, ProgressAnswer, ProgressReport, UseReport
from b2b_recs.web.connections.services import note_use
from b2b_recs.web.etl.endings import after_etl
from b2b_recs.web.etl.models import ETLRun
from b2b_recs.web.etl.remote.access import document, over, with_run_token
from b2b_recs.web.etl.remote.assigning import assignment_of
from b2b_recs.web.etl.remote.tokens import Permit, make_token
from b2b_recs.web.runs.attempts import Attempt, end_attempt, interrupt
from b2b_recs.web.runs.documents import storable
from b2b_recs.web.runs.recorder import take_report
from b2b_recs.web.tenancy import scope


@with_run_token("GET")
def assignment(request: HttpRequest, permit: Permit) -> HttpResponse:
    """What is to be done, with the secrets of that one connection."""
    with scope(permit.organization_id):
        found = assignment_of(permit.run_id, permit.attempt)
    return _json(found.model_dump_json())


@with_run_token("POST")
def progress(request: HttpRequest, permit: Permit) -> HttpResponse:
    """Take stages, counters and log lines; tell whether somebody asked to stop."""
    said = document(request, ProgressReport)
    report = Report(
        counters=said.counters.model_dump(exclude_none=True),
        stages=[stage.model_dump(mode="json", exclude_none=True) for stage in said.stages],
        lines=[(line.at, line.level, line.message) for line in said.lines],
    )
    answer = take_report(ETLRun, permit.organization_id, permit.run_id, permit.attempt, report)
    if answer.fenced:
        return over()
    fresh = make_token(permit.organization_id, permit.run_id, permit.attempt) if permit.is_ageing else None
    return _json(ProgressAnswer(cancel_requested=answer.cancel_requested, token=fresh).model_dump_json())


@with_run_token("POST")
def used(request: HttpRequest, permit: Permit) -> HttpResponse:
    """Keep on the connection whether its source let the runner in."""
    said = document(request, UseReport)
    with scope(permit.organization_id):
        connection_id = ETLRun.objects.select_related("data_source").get(id=permit.run_id).data_source.connection_id
    note_use(permit.organization_id, connection_id, storable(said.refusal))
    return _json("{}")


@with_run_token("POST")
def interrupted(request: HttpRequest, permit: Permit) -> HttpResponse:
    """The runner was told to end, for a reason that is not the run's."""
    interrupt(ETLRun, permit.organization_id, permit.run_id, permit.attempt)
    return _json("{}")


@with_run_token("POST")
def end(request: HttpRequest, permit: Permit) -> HttpResponse:
    """Write how the attempt ended; from now on its token opens nothing."""
    said = document(request, EndReport)
    attempt = Attempt(permit.organization_id, permit.run_id, permit.attempt, [])
    again = end_attempt(ETLRun, attempt, said.model_dump(exclude_none=True), after_etl)
    return _json(EndAnswer(again=again is not None).model_dump_json())


def _json(text: str) -> HttpResponse:
    return HttpResponse(text, content_type="application/json", headers={"Cache-Control": "no-store"})
