"""From nothing to loaded rows with a key and the API alone, as a program with curl would go."""

from __future__ import annotations

from typing import Any

from run_rows import without_pool
from tenant_rows import Tenant
from web.api.api_client import ORDER_LINES, Program, Wholesaler

from b2b_recs.web.etl.execution import execute
from b2b_recs.web.runs.turns import NO_WORKER


def carry_out(tenant: Tenant, run_id: int) -> int:
    """Let the worker's own code do a run."""
    with without_pool():
        return execute(tenant.id, run_id)


def test_a_connection_a_job_and_a_run_are_made_and_the_result_is_read(
    acme: Tenant, writer: Program, wholesaler: Wholesaler
) -> None:
    tried = writer.post(
        "connections/test-wizard/", {"type": "postgresql", "parameters": wholesaler.parameters()}
    ).well()
    assert {"order_lines", "products"} <= {table["source_table"] for table in tried["tables"]}
    assert tried["name_suggested"] == "PostgreSQL wholesaler" and tried["server_version"]

    created = writer.post("connections/create/", wholesaler.connection(proof=tried["proof"])).well(201)
    assert created["dot"] == "green" and "password" not in created["parameters"]

    columns = f"/api/connections/{created['id']}/columns/"
    proposal = writer.get(columns, schema="public", table="order_lines").well()
    assert proposal["destination_table"] == "bq_order_lines"
    load = proposal["proposed"]["load"]
    assert (load["strategy"], load["cursor"], load["key"]) == ("transactional", "ordered_at", ["order_id", "line_no"])

    job = writer.post("etl/add-source/", {**ORDER_LINES, "connection_id": created["id"], "load": load}).well(201)
    assert job["destination"] == "bq_order_lines" and len(job["schedule"]["next_times"]) == 5

    started = writer.post(f"/api/etl/sources/{job['id']}/run/").well(202)
    assert started["status"] == "pending" and started["triggered_by"] == "api"
    assert writer.get(f"/api/etl/runs/{started['id']}/status/").well()["waits"] == NO_WORKER
    carry_out(acme, started["id"])

    done = writer.get(f"/api/etl/runs/{started['id']}/status/").well()
    assert (done["status"], done["rows_read"], done["rows_loaded"]) == ("completed", 300, 300), done
    assert done["waits"] == ""
    counts = {"reconciled": True, "source_count": 300, "warehouse_count": 300}
    assert done["reconciliation"] == {**counts, "words": "300 = 300", "sums": []}
    assert [stage["name"] for stage in done["stages"]] == ["connect", "read", "load", "reconcile"]
    assert {stage["state"] for stage in done["stages"]} == {"done"}
    assert (
        done["log"]
        and writer.get(f"/api/etl/runs/{started['id']}/status/", after=done["log_cursor"]).well()["log"] == []
    )
    assert writer.get(f"/api/etl/sources/{job['id']}/").well()["last_run"]["status"] == "completed"
    assert writer.get("etl/runs/", status="completed").well()["total"] == 1


def test_a_comparison_by_checksums_is_shown_with_its_sums(acme: Tenant, writer: Program, connected: int) -> None:
    body = {
        "name": "sums", "connection_id": connected, "source_schema": "public", "source_table": "order_lines",
        "columns": ["customer", "quantity", "price"], "load": {"strategy": "catalog"}, "reconcile": "checksums",
    }  # fmt: skip
    job = writer.post("etl/add-source/", body).well(201)
    run_id = writer.post(f"/api/etl/sources/{job['id']}/run/").well(202)["id"]
    carry_out(acme, run_id)
    counts = writer.get(f"/api/etl/runs/{run_id}/status/").well()["reconciliation"]
    assert {"column": "price", "source": "56437.50", "warehouse": "56437.50", "agrees": True} in counts["sums"]
    assert counts["words"].startswith("300 = 300; sum of quantity ")


def test_rejected_rows_are_read_page_by_page_and_as_a_safe_file(acme: Tenant, writer: Program, connected: int) -> None:
    body: dict[str, Any] = {
        "name": "odd", "connection_id": connected, "source_schema": "public", "source_table": "odd",
        "load": {"strategy": "catalog"}, "reject_threshold": 0.9,
    }  # fmt: skip
    job = writer.post("etl/add-source/", body).well(201)
    run_id = writer.post(f"/api/etl/sources/{job['id']}/run/").well(202)["id"]
    carry_out(acme, run_id)
    page = writer.get(f"/api/etl/runs/{run_id}/rejected/").well()
    assert page["total"] == 1 and page["kept_in"] == "bq_odd__rejected"
    assert page["items"][0]["column"] == "seen_at" and page["items"][0]["row"]["id"] == "2"
    assert writer.get(f"/api/etl/runs/{run_id}/rejected/", page=2).well()["items"] == []
    file = writer.get(f"/api/etl/runs/{run_id}/rejected/", format="csv").response
    text = b"".join(file.streaming_content).decode()
    assert file["Content-Type"].startswith("text/csv") and "attachment" in file["Content-Disposition"]
    assert text.splitlines()[0] == "column,reason,rejected_at,row" and "seen_at" in text


def test_the_rows_that_stopped_a_run_are_read_page_by_page_and_as_a_file(
    acme: Tenant, writer: Program, connected: int
) -> None:
    body: dict[str, Any] = {
        "name": "strict", "connection_id": connected, "source_schema": "public", "source_table": "odd",
        "load": {"strategy": "catalog"}, "reject_threshold": 0,
    }  # fmt: skip
    job = writer.post("etl/add-source/", body).well(201)
    run_id = writer.post(f"/api/etl/sources/{job['id']}/run/").well(202)["id"]
    carry_out(acme, run_id)
    failed = writer.get(f"/api/etl/runs/{run_id}/status/").well()
    assert (failed["status"], failed["error"]["code"]) == ("failed", "too_many_rejected")
    assert failed["log"][-2]["message"] == "1 rejected row is kept for looking at."
    page = writer.get(f"/api/etl/runs/{run_id}/rejected/").well()
    assert (page["total"], page["rejected"], page["kept_in"]) == (1, 1, "bq_odd__stopped")
    assert page["items"][0]["column"] == "seen_at" and page["items"][0]["row"]["id"] == "2"
    text = b"".join(writer.get(f"/api/etl/runs/{run_id}/rejected/", format="csv").response.streaming_content).decode()
    assert len(text.splitlines()) == 2 and "seen_at" in text
    assert "bq_odd" not in {table["name"] for table in writer.get("tables/").well()["items"] if table["rows"]}


def test_a_run_that_fails_says_why_and_what_to_do(
    acme: Tenant, writer: Program, connected: int, postgres_server: Any
) -> None:
    job = writer.post("etl/add-source/", {**ORDER_LINES, "connection_id": connected}).well(201)
    run_id = writer.post(f"/api/etl/sources/{job['id']}/run/").well(202)["id"]
    postgres_server.execute("REVOKE SELECT ON order_lines FROM api_reader", "wholesaler")
    try:
        carry_out(acme, run_id)
        failed = writer.get(f"/api/etl/runs/{run_id}/status/").well()
        tested = writer.post(f"/api/etl/sources/{job['id']}/test/").well()
    finally:
        postgres_server.execute("GRANT SELECT ON order_lines TO api_reader", "wholesaler")
    assert failed["status"] == "failed" and failed["is_over"]
    assert failed["error"]["code"] == "permission_missing" and "GRANT SELECT" in failed["error"]["advice"]
    assert tested["status"] == "failed" and tested["error"]["code"] == "permission_missing"
    assert writer.post(f"/api/etl/sources/{job['id']}/test/").well() == {
        "status": "passed", "columns": 6, "error": None
    }  # fmt: skip
