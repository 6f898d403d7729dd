"""A source with one schema: nobody needs to name it, and a table that is there is found."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from run_rows import without_pool
from tenant_rows import Tenant
from web.api.api_client import Program

from b2b_recs.runtime.guard import OutgoingGuard
from b2b_recs.web.connections import services, testing
from b2b_recs.web.etl import execution

TABLES = """
CREATE TABLE orders (id INTEGER PRIMARY KEY, ordered_on DATE, shipped TEXT, amount INTEGER);
INSERT INTO orders VALUES (1, '2026-01-31', '31/01/2026', 5), (2, '2026-02-01', '01/02/2026', 6);
"""
CATALOG = {"load": {"strategy": "catalog"}}


@pytest.fixture
def shop(writer: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """The id of a connection to a SQLite file."""
    guard = OutgoingGuard(enabled=False, folders=[tmp_path])
    for module in (services, testing, execution):
        monkeypatch.setattr(module, "guard", lambda: guard)
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as file:
        file.executescript(TABLES)
    body = {"name": "file", "type": "sqlite", "parameters": {"file": str(path)}}
    return int(writer.post("connections/create/", body).well(201)["id"])


def job(shop: int, **changes: Any) -> dict[str, Any]:
    return {"name": "copied orders", "connection_id": shop, "source_table": "orders", **CATALOG, **changes}


def test_columns_and_jobs_find_the_table_without_its_schema(writer: Program, shop: int) -> None:
    columns = f"/api/connections/{shop}/columns/"
    found = writer.get(columns, table="orders").well()
    assert found["source_schema"] == "main" and found == writer.get(columns, table="orders", schema="main").well()
    missing = writer.get(columns, table="nothing").refused(422, "table_missing", "table")
    assert "nothing" in missing["message"]
    made = writer.post("etl/add-source/", job(shop)).well(201)
    assert made["source"] == "main.orders" and made["settings"]["source_schema"] == "main"
    writer.post("etl/add-source/", job(shop, name="x", source_table="nothing")).refused(
        422, "table_missing", "source_table"
    )


def test_a_job_saved_without_looking_finds_its_schema_when_it_runs(acme: Tenant, writer: Program, shop: int) -> None:
    made = writer.post("etl/add-source/", job(shop, check_source=False)).well(201)
    assert made["settings"]["source_schema"] == "" and made["source"] == "orders"
    assert writer.post(f"/api/etl/sources/{made['id']}/test/").well()["status"] == "passed"
    run_id = writer.post(f"/api/etl/sources/{made['id']}/run/").well(202)["id"]
    with without_pool():
        execution.execute(acme.id, run_id)
    done = writer.get(f"/api/etl/runs/{run_id}/status/").well()
    assert (done["status"], done["rows_loaded"]) == ("completed", 2), done
    gone = writer.post("etl/add-source/", job(shop, name="x", source_table="later", check_source=False)).well(201)
    run_id = writer.post(f"/api/etl/sources/{gone['id']}/run/").well(202)["id"]
    with without_pool():
        execution.execute(acme.id, run_id)
    failed = writer.get(f"/api/etl/runs/{run_id}/status/").well()
    assert failed["error"]["code"] == "table_missing" and "later" in failed["error"]["message"]


def test_a_format_is_for_text_only(writer: Program, shop: int) -> None:
    form = {"warehouse_type": "DATE", "format": "%d/%m/%Y"}
    for column in ("ordered_on", "amount"):
        refused = writer.post("etl/add-source/", job(shop, types=[{"name": column, **form}]))
        error = refused.refused(422, "bad_input", "types")
        assert column in error["message"] and error["advice"] == "Leave the format out."
    made = writer.post("etl/add-source/", job(shop, types=[{"name": "shipped", **form}])).well(201)
    assert {one["name"]: one["format"] for one in made["settings"]["types"]}["shipped"] == "%d/%m/%Y"
