"""A column leaves the source: the run says so, the job's page says what to do, and doing that is enough."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from postgres_support import PostgresServer
from tenant_rows import Tenant
from web.api.api_client import Program, Wholesaler
from web.etl.wizard_rows import signed_in

from b2b_recs.engine.warehouse.local import LocalWarehouse
from b2b_recs.runtime.home import Home
from b2b_recs.web.etl.execution import execute

APPENDED = {"strategy": "transactional", "cursor": "id", "key": ["id"]}
WHOLE = {"strategy": "catalog"}


@pytest.fixture
def lines(postgres_server: PostgresServer, wholesaler: Wholesaler) -> Iterator[str]:
    """A table of the wholesaler that may be changed."""
    made = "CREATE TABLE lines (id int PRIMARY KEY, note text, category text, amount int); GRANT SELECT ON lines TO {}"
    postgres_server.execute(made.format(wholesaler.username), wholesaler.database)
    postgres_server.execute("INSERT INTO lines VALUES (1, 'a', 'b', 5)", wholesaler.database)
    yield wholesaler.database
    postgres_server.execute("DROP TABLE lines", wholesaler.database)


class Job:
    """A job of that table, its pages, and its runs."""

    def __init__(self, acme: Tenant, writer: Program, connected: int, **values: Any) -> None:
        body = {"name": "lines", "connection_id": connected, "source_table": "lines", "destination_table": "bq_lines"}
        self.acme, self.writer, self.pages = acme, writer, signed_in(acme)
        self.id = writer.post("etl/add-source/", {**body, **values}).well(201)["id"]
        self.address = f"/models/{acme.id_of('ModelEndpoint')}/etl/jobs/{self.id}"

    def run(self) -> dict[str, Any]:
        found = self.writer.post(f"/api/etl/sources/{self.id}/run/").well(202)
        execute(self.acme.id, found["id"])
        return dict(self.writer.get(f"/api/etl/runs/{found['id']}/status/").well())

    def columns_page(self) -> str:
        return self.pages.get(f"{self.address}/step/3/").content.decode()

    def save(self, strategy: str, columns: list[str]) -> str:
        typed = {"strategy": strategy, "cursor": "id", "key": "id", "column": columns, "drift": "add"}
        return self.pages.post(f"{self.address}/step/3/", typed, follow=True).content.decode()

    def rows(self) -> list[dict[str, Any]]:
        warehouse = LocalWarehouse(Home.current().model_warehouse(self.acme.id_of("ModelEndpoint")))
        found: list[dict[str, Any]] = warehouse.table("raw_data", "bq_lines").read().to_pylist()
        return sorted(found, key=lambda row: row["id"])


@pytest.mark.parametrize("load", [APPENDED, WHOLE], ids=["appended", "copied whole"])
@pytest.mark.parametrize("chosen", [(), ("id", "note", "category", "amount")], ids=["all", "chosen"])
def test_a_job_whose_columns_left_the_source_runs_again_once_it_was_saved(
    acme: Tenant, writer: Program, connected: int, lines: str, postgres_server: PostgresServer,
    load: dict[str, Any], chosen: tuple[str, ...],
) -> None:  # fmt: skip
    types = [{"name": "note", "warehouse_type": "STRING"}]
    job = Job(acme, writer, connected, load=load, columns=chosen, types=types)
    first = job.run()
    assert first["status"] == "completed", first["error"]
    assert 'value="note"' in job.columns_page()
    postgres_server.execute("ALTER TABLE lines DROP COLUMN note, DROP COLUMN category", lines)
    postgres_server.execute("INSERT INTO lines VALUES (2, 7)", lines)
    failed = job.run()
    assert failed["status"] == "failed"
    if not chosen:
        assert "no longer has the columns note and category" in failed["error"]["message"]
    assert [stage["state"] for stage in failed["stages"]] == ["done", "failed", "waiting", "waiting"]
    page = job.columns_page()
    assert 'value="note"' not in page and "no longer has the columns" in page and "note and category" in page
    assert "is saved" in job.save(load["strategy"], ["id", "amount"])
    assert "no longer has" not in job.columns_page()
    ended = job.run()
    assert ended["status"] == "completed", ended["error"]
    new = {"id": 2, "amount": 7}
    assert job.rows()[1] == (new if load is WHOLE else {**new, "note": None, "category": None})


def test_a_renamed_column_of_a_job_comes_as_a_new_one(
    acme: Tenant, writer: Program, connected: int, lines: str, postgres_server: PostgresServer
) -> None:
    postgres_server.execute("INSERT INTO lines VALUES (2, 'n', 'c', 6)", lines)
    job = Job(acme, writer, connected, load={**APPENDED, "lag_units": 0})
    job.run()
    job.columns_page()
    postgres_server.execute("ALTER TABLE lines RENAME COLUMN note TO remark", lines)
    postgres_server.execute("INSERT INTO lines VALUES (3, 'r', 'c', 7)", lines)
    # Nobody has looked again, so the page showed the column that is gone; the refusal shows what there is now.
    refused = job.save("transactional", ["id", "note", "category", "amount"])
    assert "no longer has the column note" in refused and 'value="remark"' in refused
    assert job.run()["status"] == "failed"
    assert "is saved" in job.save("transactional", ["id", "category", "amount", "remark"])
    first = job.run()
    assert first["status"] == "completed", first["error"]
    # The newest row of before is read again, and is another one with the new column.
    assert [(row["note"], row["remark"]) for row in job.rows()] == [("a", None), (None, "n"), (None, "r")]


def test_a_whole_copy_takes_the_new_type_of_a_column_once_the_job_was_saved(
    acme: Tenant, writer: Program, connected: int, lines: str, postgres_server: PostgresServer
) -> None:
    job = Job(acme, writer, connected, load=WHOLE)
    job.run()
    postgres_server.execute("ALTER TABLE lines ALTER COLUMN amount TYPE text", lines)
    postgres_server.execute("INSERT INTO lines VALUES (2, 'n', 'c', 'many')", lines)
    assert "amount" in job.run()["error"]["message"]
    job.columns_page()
    assert "is saved" in job.save("catalog", ["id", "note", "category", "amount"])
    ended = job.run()
    assert ended["status"] == "completed", ended["error"]
    assert [row["amount"] for row in job.rows()] == ["5", "many"]
