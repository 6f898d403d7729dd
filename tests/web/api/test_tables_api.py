"""Warehouse tables over the JSON API."""

from __future__ import annotations

import time

from tenant_rows import Tenant
from warehouse_rows import load_table, table_of
from web.api.api_client import Program


def test_tables_are_listed_and_each_tells_its_columns(acme: Tenant, reader: Program) -> None:
    assert reader.get("tables/").well()["items"] == []
    load_table(acme)
    listed = reader.get("tables/").well()
    assert listed["total"] == 1
    one = listed["items"][0]
    assert (one["name"], one["rows"], one["version"], one["loaded"]) == (table_of(acme), 4, 1, True)
    assert one["job"]["name"] == "orders" and one["job"]["last_run_id"] == acme.id_of("ETLRun")
    assert reader.get("tables/", q="nothing").well()["items"] == []
    assert reader.get("tables/", page=5).well()["items"] == []
    found = reader.get(f"tables/{table_of(acme)}/").well()
    assert [(column["name"], column["type"], column["parts"]) for column in found["columns"]] == [
        ("id", "INT64", ["key"]), ("who", "STRING", []), ("price", "FLOAT64", []),
    ]  # fmt: skip
    assert (found["key"], found["rejected_rows"]) == (["id"], 1)
    for part in ("", "preview/", "statistics/"):
        missing = reader.get(f"tables/bq_nothing/{part}").refused(404, "not_found")
        assert missing["message"] == "“Model of Acme” has no table bq_nothing." and "list" in missing["advice"]
    foreign = reader.get("/api/models/99999/tables/bq_nothing/").refused(404, "not_found")
    assert "bq_nothing" not in foreign["message"]


def test_rows_of_a_version_are_previewed(acme: Tenant, reader: Program) -> None:
    load_table(acme)
    found = reader.get(f"tables/{table_of(acme)}/preview/", version=0).well()
    assert found["rows"] == [[1, "Customer of Acme", 1.5], [2, "=1+1", -2.0], [3, None, 3.0]]
    assert (found["version"], found["total_rows"]) == (0, 3)
    assert len(reader.get(f"tables/{table_of(acme)}/preview/", rows=1).well()["rows"]) == 1
    reader.get(f"tables/{table_of(acme)}/preview/", version=9).refused(404, "warehouse_table_missing", "version")
    reader.get(f"tables/{table_of(acme)}/preview/", rows=5_000).refused(422, "bad_input", "rows")


def test_statistics_are_given_once_they_are_there(acme: Tenant, reader: Program) -> None:
    load_table(acme)
    until = time.monotonic() + 20
    while (answer := reader.get(f"tables/{table_of(acme)}/statistics/")).status == 202:
        assert answer.json == {"version": 1, "ready": False} and answer.response["Retry-After"]
        assert time.monotonic() < until
    found = answer.well()
    price = next(column for column in found["columns"] if column["name"] == "price")
    assert (price["minimum"], price["maximum"], price["mean"], price["nulls"]) == (-2.0, 4.0, 1.625, 0)
    assert [note["code"] for note in found["notes"]] == ["negative"]
    reader.get(f"tables/{table_of(acme)}/statistics/", version=9).refused(404, "warehouse_table_missing", "version")


def test_a_table_that_was_never_loaded_is_known_and_has_no_rows(acme: Tenant, reader: Program) -> None:
    load_table(acme, destination_table="bq_still_to_come")
    listed = {one["name"]: one for one in reader.get("tables/").well()["items"]}
    assert (listed["bq_still_to_come"]["loaded"], listed["bq_still_to_come"]["rows"]) == (False, None)
    assert listed[table_of(acme)]["job"] is None
    assert reader.get("tables/bq_still_to_come/").well()["columns"] == []
    for part in ("preview", "statistics"):
        reader.get(f"tables/bq_still_to_come/{part}/").refused(404, "warehouse_table_missing", "version")
