"""The versions of a job's warehouse table over the API: what made each, and which was current when."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tenant_rows import Tenant
from web.api.api_client import ORDER_LINES, Program
from web.api.test_whole_path import carry_out

from b2b_recs.web.etl.models import ETLRun
from b2b_recs.web.tenancy import scope


def run(tenant: Tenant, writer: Program, job_id: int) -> int:
    started = writer.post(f"/api/etl/sources/{job_id}/run/").well(202)
    carry_out(tenant, started["id"])
    return int(started["id"])


def test_versions_say_what_made_them_and_which_was_current(acme: Tenant, writer: Program, connected: int) -> None:
    body = {**ORDER_LINES, "connection_id": connected, "load": {"strategy": "catalog"}}
    job = writer.post("etl/add-source/", body).well(201)
    own = f"/api/etl/sources/{job['id']}/versions/"
    assert writer.get(own).well() == {
        "page": 1, "per_page": 50, "total": 0, "destination": "bq_order_lines", "items": []
    }  # fmt: skip
    never = writer.get(own, at="2026-01-01T00:00:00Z").refused(404, "warehouse_table_missing", "at")
    assert "has never been loaded" in never["message"] and never["advice"] == "Run its job first."

    first, second = run(acme, writer, job["id"]), run(acme, writer, job["id"])
    found = writer.get(own).well()
    assert found["total"] == 2
    newest, oldest = found["items"]
    assert [(one["version"], one["run_id"], one["operation"], one["rows"]) for one in found["items"]] == [
        (1, second, "replaced", 300), (0, first, "created", 300)
    ]  # fmt: skip
    assert (newest["current"], oldest["current"]) == (True, False)
    assert all(one["size_bytes"] > 0 and one["readable"] for one in found["items"])
    assert writer.get(own, page=2, per_page=1).well()["items"] == [oldest]
    assert writer.get(own, page=3, per_page=1).well()["items"] == []

    def at(moment: str) -> Any:
        return writer.get(own, at=moment).well()

    assert at(oldest["at"])["items"] == [oldest] and at(newest["at"])["items"] == [newest]
    between = datetime.fromisoformat(newest["at"]) - timedelta(milliseconds=1)
    assert at(between.isoformat()) == {**found, "total": 1, "items": [oldest]}
    before = (datetime.fromisoformat(oldest["at"]) - timedelta(days=1)).isoformat()
    early = writer.get(own, at=before).refused(404, "warehouse_table_missing", "at")
    assert "had not been loaded at" in early["message"] and "the first load was on" in early["advice"]
    with scope(acme.id):
        ETLRun.objects.filter(id=first).delete()
    assert [one["run_id"] for one in writer.get(own).well()["items"]] == [second, None]


def test_a_moment_without_a_zone_and_a_draft_are_refused_in_words(writer: Program, connected: int) -> None:
    draft = writer.post("etl/save-draft/", {"name": "half", "connection_id": connected}).well()
    own = f"/api/etl/sources/{draft['id']}/versions/"
    assert "draft_id" in writer.get(own).refused(409, "draft")["advice"]
    for moment, words in (("2026-01-01T00:00:00", "must say its time zone"), ("soon", "must be a date and time")):
        error = writer.get(own, at=moment).refused(422, "bad_input", "at")
        assert words in error["message"] and "2024-01-31T06:00:00Z" in error["advice"]


def test_the_row_count_of_a_job_is_its_tables_and_not_the_last_windows(
    acme: Tenant, writer: Program, connected: int
) -> None:
    job = writer.post("etl/add-source/", {**ORDER_LINES, "connection_id": connected}).well(201)
    run(acme, writer, job["id"])
    again = run(acme, writer, job["id"])
    status = writer.get(f"/api/etl/runs/{again}/status/").well()
    assert status["reconciliation"]["warehouse_count"] < 10 and status["result"]["table_rows"] == 300
    assert writer.get(f"/api/etl/sources/{job['id']}/").well()["last_row_count"] == 300
