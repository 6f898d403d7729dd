"""Jobs over the API: every step of the wizard in one body, checked against the source, all or nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from tenant_rows import Tenant
from web.api.api_client import ORDER_LINES, Program, program

from b2b_recs.engine.etl.spec import CopySpec
from b2b_recs.project_file.schema import JobSection
from b2b_recs.web.accounts.api_keys import create_key
from b2b_recs.web.etl.models import DataSource, ETLRun
from b2b_recs.web.projects.models import ModelEndpoint, Schedule
from b2b_recs.web.tenancy import scope, unscoped


def job_body(connection_id: int, /, **changes: Any) -> dict[str, Any]:
    return {**ORDER_LINES, "connection_id": connection_id, **changes}


def test_every_part_of_a_job_is_kept_and_given_back_as_it_was_sent(
    acme: Tenant, writer: Program, connected: int
) -> None:
    body = job_body(
        connected,
        columns=["order_id", "line_no", "ordered_at", "price"],
        load={
            "strategy": "transactional", "cursor": "ordered_at", "key": ["order_id", "line_no"], "backfill": 90,
            "lag": "PT2H", "deletes": "count",
        },
        destination_table="bq_lines",
        types=[
            {
                "name": "price", "warehouse_type": "NUMERIC", "mode": "REQUIRED", "precision": 14, "scale": 3,
                "format": "",
            },
            {
                "name": "order_id", "warehouse_type": "STRING", "mode": "NULLABLE", "precision": None, "scale": None,
                "format": "",
            },
        ],
        row_limit=1000, partition_by="ordered_at", cluster_by=["order_id"], drift="stop", reject_threshold=0.1,
        time_zone="Europe/Berlin", schedule={"kind": "weekly", "days": ["monday"], "time": "02:30"}, paused=True,
    )  # fmt: skip
    job = writer.post("etl/add-source/", body).well(201)
    settings = job["settings"]
    for name in (
        "columns",
        "types",
        "row_limit",
        "partition_by",
        "cluster_by",
        "drift",
        "time_zone",
        "destination_table",
    ):
        assert settings[name] == body[name], name
    assert {name: settings["load"][name] for name in body["load"]} == body["load"]
    assert job["schedule"]["rule"] == {"kind": "weekly", "days": ["monday"], "time": "02:30", "time_zone": "UTC"}
    assert job["schedule"]["paused"] and job["schedule"]["next_times"] == []
    again = writer.post(f"/api/etl/sources/{job['id']}/update/", {**settings, "paused": False}).well()
    assert again["settings"] == {**settings, "paused": False} and len(again["schedule"]["next_times"]) == 5
    with scope(acme.id):
        spec = CopySpec.model_validate(DataSource.objects.get(id=job["id"]).table.spec)
    types = tuple(replace(mapping, source_type="") for mapping in spec.types)  # what the platform notes by itself
    assert JobSection.of("warehouse", spec).copy_spec() == spec.model_copy(update={"types": types})


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " x"}, "name"),
        ({"name": ""}, "name"),
        ({"connection_id": 10**9}, "connection_id"),
        ({"source_table": "nothing"}, None),
        ({"columns": ["order_id", "line_no", "ordered_at", "missing"]}, "columns"),
        ({"columns": ["order_id"]}, "load.cursor"),
        ({"load": {"strategy": "transactional", "cursor": "missing"}}, "load.cursor"),
        ({"load": {"strategy": "transactional"}}, "load.cursor"),
        ({"load": {"strategy": "sideways"}}, "load"),
        ({"load": "all"}, "load"),
        ({"load": {"strategy": "files"}}, "load"),
        ({"load": {"strategy": "merge", "cursor": "ordered_at", "key": []}}, "load.key"),
        ({"load": {"strategy": "merge", "cursor": "ordered_at", "key": ["order_id", "order_id"]}}, "load.key"),
        ({"load": {"strategy": "transactional", "cursor": "order_id", "backfill": 90}}, "load.backfill"),
        ({"load": {"strategy": "transactional", "cursor": "order_id", "backfill": "2026-01-01"}}, "load.backfill"),
        ({"load": {"strategy": "transactional", "cursor": "ordered_at", "backfill": "soon"}}, "load.backfill"),
        ({"load": {"strategy": "transactional", "cursor": "ordered_at", "backfill": "2999-01-01"}}, "load.backfill"),
        (
            {
                "load": {"strategy": "transactional", "cursor": "customer"},
                "types": [{"name": "customer", "warehouse_type": "INT64"}],
            },
            "load.cursor",
        ),
        ({"load": {"strategy": "transactional", "cursor": "ordered_at", "lag": "soon"}}, "load.lag"),
        ({"load": {"strategy": "transactional", "cursor": "ordered_at", "deletes": "some"}}, "load.deletes"),
        ({"load": {"strategy": "transactional", "cursor": "ordered_at", "deletes": "count"}}, "load"),
        ({"partition_by": "customer"}, "partition_by"),
        ({"types": [{"name": "quantity", "warehouse_type": "FLOAT64"}], "cluster_by": ["quantity"]}, "cluster_by"),
        ({"types": [{"name": "price", "warehouse_type": "NUMERIC", "precision": 38, "scale": 0}]}, "types"),
        ({"cluster_by": ["order_id", "line_no", "customer", "price", "quantity"]}, "cluster_by"),
        ({"row_limit": "many"}, "row_limit"),
        ({"load": {"strategy": "transactional", "cursor": "ordered_at", "backfill": -5}}, "load.backfill"),
        ({"load": {"strategy": "transactional", "cursor": "ordered_at", "lag": "-PT1H"}}, "load.lag"),
        ({"destination_table": "no spaces"}, "destination_table"),
        ({"destination_table": "bq_orders__rejected"}, "destination_table"),
        ({"destination_table": "bq_orders__files"}, "destination_table"),
        ({"types": [{"name": "price", "warehouse_type": "MONEY"}]}, "types.0.warehouse_type"),
        ({"types": [{"name": "price", "warehouse_type": "STRING", "scale": 2}]}, "types"),
        ({"types": [{"name": "missing", "warehouse_type": "STRING"}]}, "types"),
        ({"types": [{"name": "ordered_at", "warehouse_type": "DATE", "format": "%d/%m/%Y"}]}, "types"),
        ({"types": [{"name": "customer", "warehouse_type": "DATE", "format": "%d/%m/%Y"}]}, "types"),
        ({"partition_by": "missing"}, "partition_by"),
        ({"cluster_by": ["order_id", "order_id"]}, "cluster_by"),
        ({"row_limit": 0}, "row_limit"),
        ({"reject_threshold": 2}, "reject_threshold"),
        ({"drift": "dance"}, "drift"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"schedule": {"kind": "cron", "cron": "* *"}}, "schedule.cron"),
        ({"schedule": {"kind": "daily"}}, "schedule.time"),
        ({"query": "DROP TABLE x"}, "query"),
        ({"draft_id": 10**9}, "draft_id"),
    ],
)
def test_a_job_that_cannot_be_is_refused_with_its_part_and_nothing_is_made(
    acme: Tenant, writer: Program, connected: int, changes: dict[str, Any], field: str | None
) -> None:
    answer = writer.post("etl/add-source/", job_body(connected, **changes))
    assert answer.status == 422 and (field is None or answer.error["field"] == field), answer.error
    told = answer.error["message"].lower() + answer.error["advice"].lower()
    assert not any(word in told for word in ("input should", "unable to parse", "tuple", "valid ", "pattern"))
    assert writer.get("etl/sources/").well()["total"] == 1
    with scope(acme.id):
        assert Schedule.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"row_limit": 0, "drift": "dance", "time_zone": "Mars/Olympus"}, {"row_limit", "drift", "time_zone"}),
        (
            {"columns": ["order_id"] * 2, "cluster_by": ["order_id"] * 2, "load": {"strategy": "catalog"}},
            {"columns", "cluster_by"},
        ),
        ({"columns": ["order_id"], "partition_by": "nowhere"}, {"load.cursor", "load.key", "partition_by"}),
    ],
)
def test_everything_that_is_wrong_with_a_job_is_told_at_once(
    writer: Program, connected: int, changes: dict[str, Any], fields: set[str]
) -> None:
    answer = writer.post("etl/add-source/", job_body(connected, **changes))
    error = answer.error
    assert (answer.status, error["code"]) == (422, "bad_input")
    assert {fault["field"] for fault in error["faults"]} == fields
    assert error["faults"][0] == {part: error[part] for part in ("message", "advice", "field")}
    assert all(fault["message"] and fault["advice"] for fault in error["faults"])


def test_one_thing_wrong_needs_no_list(writer: Program, connected: int) -> None:
    error = writer.post("etl/add-source/", job_body(connected, row_limit=0)).refused(422, "bad_input", "row_limit")
    assert "faults" not in error


def test_the_source_is_not_asked_when_told_not_to(writer: Program, connected: int) -> None:
    job = writer.post("etl/add-source/", job_body(connected, source_table="later", check_source=False)).well(201)
    assert job["destination"] == "bq_later"


@pytest.mark.parametrize(
    ("load", "field"),
    [
        ({"strategy": "files"}, "load"),
        ({"strategy": "merge", "cursor": "ordered_at", "key": ["order_id", "order_id"]}, "load.key"),
    ],
)
def test_what_needs_no_columns_is_refused_without_asking_the_source(
    writer: Program, connected: int, load: dict[str, Any], field: str
) -> None:
    body = job_body(connected, source_table="later", check_source=False, load=load)
    writer.post("etl/add-source/", body).refused(422, "bad_input", field)


def test_names_and_destinations_are_taken_once(writer: Program, connected: int) -> None:
    assert writer.post("etl/check-name/", {"name": "order lines"}).well() == {"name": "order lines", "free": True}
    first = writer.post("etl/add-source/", job_body(connected)).well(201)
    assert writer.post("etl/check-name/", {"name": "order lines"}).well()["free"] is False
    assert writer.post("etl/check-name/", {"name": "order lines", "source_id": first["id"]}).well()["free"] is True
    writer.post("etl/add-source/", job_body(connected)).refused(409, "name_taken", "name")
    error = writer.post("etl/add-source/", job_body(connected, name="x")).refused(
        409, "destination_taken", "destination_table"
    )
    assert "order lines" in error["message"]
    second = writer.post("etl/add-source/", job_body(connected, name="x", destination_table="y")).well(201)
    path = f"/api/etl/sources/{second['id']}/update/"
    writer.post(path, {"name": "order lines"}).refused(409, "name_taken", "name")
    writer.post(path, {"destination_table": "bq_order_lines"}).refused(409, "destination_taken", "destination_table")


def test_a_half_filled_wizard_is_kept_resumed_and_becomes_the_job(writer: Program, connected: int) -> None:
    values = {"source_schema": "public", "source_table": "order_lines", "load": {"strategy": "transactional"}}
    body = {"name": "half", "connection_id": connected, "step": 3, "completed_steps": [1, 2], "values": values}
    draft = writer.post("etl/save-draft/", body).well()
    assert draft["draft"] and draft["settings"] == values and draft["completed_steps"] == [1, 2]
    more = writer.post("etl/save-draft/", {**body, "step": 4, "draft_id": draft["id"], "name": "more"}).well()
    assert (more["id"], more["wizard_step"], more["name"]) == (draft["id"], 4, "more")
    assert writer.get(f"/api/etl/sources/{draft['id']}/").well()["settings"] == values
    assert writer.get("etl/sources/", draft="true").well()["total"] == 1
    for path in ("run/", "test/"):
        writer.post(f"/api/etl/sources/{draft['id']}/{path}").refused(409, "draft")
    writer.post(f"/api/etl/sources/{draft['id']}/update/", {"enabled": False}).refused(409, "draft")
    job = writer.post("etl/add-source/", job_body(connected, draft_id=draft["id"])).well(201)
    assert (job["id"], job["draft"], job["name"]) == (draft["id"], False, "order lines")
    writer.post("etl/save-draft/", {**body, "draft_id": job["id"]}).refused(409, "conflict", "draft_id")


def test_an_update_changes_what_it_names_and_nothing_else(writer: Program, connected: int) -> None:
    job = writer.post("etl/add-source/", job_body(connected)).well(201)
    path = f"/api/etl/sources/{job['id']}/update/"
    changed = writer.post(path, {"row_limit": 7, "schedule": {"kind": "minutes", "every": 15}}).well()
    assert changed["settings"]["row_limit"] == 7 and changed["settings"]["load"] == job["settings"]["load"]
    assert changed["schedule"]["words"] == "Every 15 minutes"
    assert writer.post(path, {"row_limit": None}).well()["settings"]["row_limit"] is None
    writer.post(path, {"columns": ["missing"]}).refused(422, "bad_input", "columns")
    assert writer.post(path, {"schedule": {"kind": "manual"}}).well()["schedule"]["next_times"] == []


def test_scheduling_is_switched_for_the_model_and_for_a_job(acme: Tenant, writer: Program, connected: int) -> None:
    job = writer.post("etl/add-source/", job_body(connected)).well(201)
    off = writer.post("etl/toggle/", {"enabled": False}).well()
    assert off == {"model_enabled": False, "source_id": None, "source_enabled": None}
    assert writer.get(f"/api/models/{writer.model_id}/").well()["etl_enabled"] is False
    with scope(acme.id):
        Schedule.objects.filter(target_id=job["id"]).update(next_at="2020-01-01T00:00Z")
        Schedule.objects.exclude(target_id=job["id"]).delete()
        ETLRun.objects.all().delete()
    from b2b_recs.web.operations.dispatcher import fire_due_schedules

    assert fire_due_schedules() == 0 and unscoped(ETLRun).count() == 0
    writer.post("etl/toggle/", {"enabled": True}).well()
    assert writer.post("etl/toggle/", {"enabled": False, "source_id": job["id"]}).well()["source_enabled"] is False
    writer.post("etl/toggle/", {"enabled": False, "source_id": 10**9}).refused(422, "bad_input", "source_id")


def test_a_job_that_does_not_run_by_itself_has_no_next_times_and_says_why(
    acme: Tenant, writer: Program, connected: int
) -> None:
    job = writer.post("etl/add-source/", job_body(connected)).well(201)
    own = f"/api/etl/sources/{job['id']}/"

    def told() -> tuple[int, str]:
        schedule = writer.get(own).well()["schedule"]
        assert schedule["words"].startswith("Every hour") or schedule["rule"]["kind"] == "manual", schedule
        return len(schedule["next_times"]), schedule["why_none"]

    assert told() == (5, "")
    writer.post("etl/toggle/", {"enabled": False, "source_id": job["id"]}).well()
    assert told() == (0, "The job is disabled.")
    writer.post("etl/toggle/", {"enabled": True, "source_id": job["id"]}).well()
    writer.post("etl/toggle/", {"enabled": False}).well()
    assert told() == (0, "Schedules are switched off for the whole model.")
    writer.post("etl/toggle/", {"enabled": True}).well()
    with scope(acme.id):
        ModelEndpoint.objects.filter(id=writer.model_id).update(status="paused")
    assert told() == (0, "The model is paused.")
    with scope(acme.id):
        ModelEndpoint.objects.filter(id=writer.model_id).update(status="draft")
    writer.post(f"{own}update/", {"paused": True}).well()
    assert told() == (0, "Its schedule is paused.")
    writer.post(f"{own}update/", {"schedule": {"kind": "manual"}}).well()
    assert told() == (0, "It runs by hand.")
    draft = writer.post("etl/save-draft/", {"name": "half", "connection_id": connected}).well()
    assert (draft["schedule"]["next_times"], draft["schedule"]["why_none"]) == ([], "The job is a draft.")


def test_all_enabled_jobs_run_and_one_that_waits_is_not_started_twice(
    acme: Tenant, writer: Program, connected: int
) -> None:
    one = writer.post("etl/add-source/", job_body(connected)).well(201)
    writer.post("etl/add-source/", job_body(connected, name="off", destination_table="off", enabled=False)).well(201)
    with scope(acme.id):
        DataSource.objects.filter(name="orders").update(enabled=False)
    runs = writer.post("etl/run/").well(202)["runs"]
    assert [run["source_id"] for run in runs] == [one["id"]]
    assert [run["id"] for run in writer.post("etl/run/").well(202)["runs"]] == [runs[0]["id"]]
    writer.post(f"/api/etl/sources/{one['id']}/delete/").refused(409, "in_use")
    cancelled = writer.post(f"/api/etl/runs/{runs[0]['id']}/cancel/").well()
    assert cancelled["status"] == "cancelled" and cancelled["is_over"]
    writer.post(f"/api/etl/sources/{one['id']}/delete/").well()
    with scope(acme.id):
        assert not Schedule.objects.filter(target_id=one["id"]).exists()
        DataSource.objects.update(enabled=False)
    writer.post("etl/run/").refused(409, "nothing_to_run")


def test_lists_have_pages_and_a_search(writer: Program, connected: int) -> None:
    for number in range(3):
        body = job_body(connected, name=f"job {number}", destination_table=f"t{number}", check_source=False)
        writer.post("etl/add-source/", body).well(201)
    page = writer.get("etl/sources/", q="job", per_page=2, page=2).well()
    assert (page["total"], [one["name"] for one in page["items"]]) == (3, ["job 2"])
    assert writer.get("etl/sources/", page=99).well()["items"] == []
    assert writer.get("etl/sources/", per_page=0).refused(422, "bad_input", "per_page")
    assert writer.get("/api/models/").well()["total"] == 1
    assert {one["type"] for one in writer.get("/api/sources/").well()["items"]} >= {"postgresql"}


def test_a_key_of_one_model_sees_that_model_only(acme: Tenant, writer: Program) -> None:
    own = program(acme, of_model=True)
    with scope(acme.id):
        other = ModelEndpoint.objects.create(organization_id=acme.id, name="other")
    assert [one["id"] for one in own.get("/api/models/").well()["items"]] == [writer.model_id]
    assert writer.get("/api/models/").well()["total"] == 2
    assert own.get(f"/api/models/{other.id}/").status == 404
    with scope(acme.id):
        _, key = create_key("other", scopes=["read", "write"], model=other)
    stranger = Program(key, other.id, own.client)
    for row, path in (
        ("DataSource", "etl/sources/{}/"),
        ("ETLRun", "etl/runs/{}/status/"),
        ("Connection", "connections/{}/"),
    ):
        address = f"/api/{path.format(acme.id_of(row))}"
        assert (own.get(address).status, stranger.get(address).status) == (200, 404), address


def test_a_signed_in_person_uses_the_api_with_a_csrf_token(acme: Tenant) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(acme.people["editor"], backend="django.contrib.auth.backends.ModelBackend")
    path = f"/api/models/{acme.id_of('ModelEndpoint')}/etl/check-name/"
    body: dict[str, Any] = {"data": '{"name": "x"}', "content_type": "application/json"}
    assert strict.post(path, **body).status_code == 403
    strict.get("/accounts/login/")
    page = strict.get("/api/docs").content.decode()
    token = page.split('data-csrf-token="', 1)[1].split('"', 1)[0]
    assert strict.post(path, **body, headers={"X-CSRFToken": token}).status_code == 200
    assert Client(enforce_csrf_checks=True).post(path, **body).status_code == 401
