"""Whatever is sent to the JSON API: never a fault, nothing without a key, nothing of another tenant.

The OpenAPI document is the judge: every status, every content type and every shape that comes back is described there.
"""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tenant_rows import Tenant
from warehouse_rows import load_table, table_of
from web_support import TestDatabase

from b2b_recs.engine.errors import HostUnknown
from b2b_recs.web.accounts.api_keys import create_key
from b2b_recs.web.api import limits
from b2b_recs.web.connections import services
from b2b_recs.web.etl.models import ETLRun
from b2b_recs.web.etl.remote.tokens import make_token
from b2b_recs.web.tenancy import scope
from b2b_recs.web.wsgi import application

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
QUICK = settings(
    max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None
)
WITHIN = ("table",)  # names of what is kept with a row
ROWS = {"model_id": "ModelEndpoint", "connection_id": "Connection", "source_id": "DataSource", "run_id": "ETLRun",
        "version_id": "TrainedModel"}  # fmt: skip
RUNNER = "/api/etl/runner/"  # opened by the token of one run and by nothing else
FOR_PEOPLE = ("/api/models/{model_id}/delete/",)  # what no key may do, whoever it is asked of


def operations() -> list[Any]:
    """Every operation of the document; those that delete come last."""
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", application)
    found = [result.ok() for result in schema.get_all_operations()]
    return sorted(found, key=lambda operation: "/delete/" in operation.path)


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sources cannot be reached, and may be asked for as often as the test likes."""

    def nowhere(host: str, port: int) -> list[str]:
        raise HostUnknown(f"The host {host} has no address.", field="host")

    monkeypatch.setattr(limits, "A_PERSON", 10**9)
    monkeypatch.setattr(limits, "AN_ORGANIZATION", 10**9)
    monkeypatch.setattr(services.guard(), "_resolve", nowhere)


def values_of(tenant: Tenant, names: Any) -> dict[str, Any]:
    """What of the tenant the parts of a path name."""
    return {name: table_of(tenant) if name in WITHIN else tenant.id_of(ROWS[name]) for name in names or {}}


def key_of(tenant: Tenant) -> str:
    with scope(tenant.id):
        return create_key("fuzz", scopes=["read", "write"])[1]


def fingerprint(database: TestDatabase, tenant: Tenant) -> dict[str, object]:
    """Everything of an organization, as text."""
    from tenancy.test_sweep import fingerprint as everything

    return everything(database, tenant)


def test_no_request_is_a_fault_or_reaches_another_tenant(
    platform_database: TestDatabase, acme: Tenant, rival: Tenant, guarded: None
) -> None:
    load_table(acme)
    load_table(rival)
    key, before = key_of(acme), fingerprint(platform_database, rival)
    with scope(acme.id):
        ETLRun.objects.update(pipeline_run=None)  # the one of every tenant has no stages to go on with
    answered: set[int] = set()
    for operation in operations():
        if operation.path.startswith(RUNNER):
            continue

        @given(case=operation.as_strategy(), whose=st.sampled_from(["own", "own", "own", "rival", "any"]))
        @QUICK
        def probe(case: Any, whose: str) -> None:
            if whose != "any":
                tenant = acme if whose == "own" else rival
                case.path_parameters = values_of(tenant, case.path_parameters)
            response = case.call(headers={"Authorization": f"Bearer {key}"})
            case.validate_response(response, checks=CHECKS)
            answered.add(response.status_code)
            assert "Model of Rival" not in response.text and "rival.example" not in response.text
            if whose == "rival" and case.path_parameters:
                expected = 403 if case.operation.path in FOR_PEOPLE else 404
                assert response.status_code == expected, (case.operation.label, response.status_code)

        probe()
    assert {200, 404, 422} <= answered, answered
    assert fingerprint(platform_database, rival) == before


def test_nothing_is_answered_without_a_key(acme: Tenant, guarded: None) -> None:
    for operation in operations():

        @given(case=operation.as_strategy())
        @settings(QUICK, max_examples=2)
        def probe(case: Any) -> None:
            case.path_parameters = values_of(acme, case.path_parameters)
            response = case.call()
            assert response.status_code in (401, 403), (case.operation.label, response.status_code)
            case.validate_response(response, checks=CHECKS)

        probe()


def test_whatever_a_runner_reports_is_taken_or_refused_as_described(acme: Tenant, guarded: None) -> None:
    run_id, answered = acme.id_of("ETLRun"), set()
    for operation in operations():
        if not operation.path.startswith(RUNNER):
            continue

        @given(case=operation.as_strategy())
        @QUICK
        def probe(case: Any) -> None:
            with scope(acme.id):
                again = {"status": "running", "attempt": 1, "finished_at": None, "next_attempt_at": None}
                ETLRun.objects.filter(id=run_id).update(**again, pipeline_run=None)
            case.path_parameters = {"run_id": run_id}
            token = make_token(acme.id, run_id, 1)
            response = case.call(headers={"Authorization": f"RunToken {token}"})
            case.validate_response(response, checks=CHECKS)
            answered.add(response.status_code)

        probe()
    assert {200, 422} <= answered, answered
