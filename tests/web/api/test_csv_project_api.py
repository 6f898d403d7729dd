"""A job on files, made by the API or by a project file: exported, and applied again without a change."""

from __future__ import annotations

from tenant_rows import Tenant
from web.api.api_client import Program

from b2b_recs.engine.etl.spec import CopySpec, Files
from b2b_recs.project_file.apply import apply_project
from b2b_recs.project_file.export import export_project
from b2b_recs.project_file.reading import parse_project
from b2b_recs.web.connections.services import save_connection
from b2b_recs.web.etl.models import DataSource
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.tenancy import scope

FILES = """\
version: 1
model: {name: Files of a shop, currency: EUR, time_zone: UTC}
connections:
  folder: {type: csv, location: /srv/files}
jobs:
  orders: {connection: folder, table: orders/*.csv, load: {files: {deletes: remove}}}
"""


def test_a_job_that_loads_files_is_applied_and_exported_without_a_change(acme: Tenant) -> None:
    applied = apply_project(acme.id, parse_project(FILES), environment={})
    assert "job “orders” created: orders/*.csv → bq_orders_csv" in applied.changes
    with scope(acme.id):
        spec = CopySpec.model_validate(DataSource.objects.get(configuration__model=applied.model).table.spec)
        text = export_project(applied.model)
    assert (spec.source_schema, spec.source_table, spec.load) == ("", "orders/*.csv", Files(deletes="remove"))
    assert parse_project(text).project == parse_project(FILES).project
    assert apply_project(acme.id, parse_project(text), environment={}).changes == []


def test_a_job_on_files_made_by_the_api_is_exported_and_applied_again(acme: Tenant, writer: Program) -> None:
    applied = apply_project(acme.id, parse_project(FILES.split("jobs:")[0]), environment={})
    with scope(acme.id):
        model = ModelEndpoint.objects.get(id=applied.model.id)
        connection, _ = save_connection(model, "folder", "csv", {"location": "/srv/files"}, references={})
    body = {
        "name": "stock", "connection_id": connection.id, "source_schema": "", "source_table": "a.b/stock 1.csv",
        "load": {"strategy": "files"}, "check_source": False,
    }  # fmt: skip
    address = f"/api/models/{model.id}/etl/add-source/"
    # What files cannot do is refused at its field, and says what they can.
    for load in ({"strategy": "merge", "cursor": "at", "key": ["id"]}, {"strategy": "transactional", "cursor": "at"}):
        refusal = writer.post(address, {**body, "load": load}).refused(422, "bad_input", "load")
        assert "cannot be read by a cursor" in refusal["message"] and "by files" in refusal["advice"]
    refusal = writer.post(address, {**body, "names": {"a.b": "_FILE_x"}}).refused(422, "bad_input", "names")
    assert "begins with _FILE_" in refusal["message"]
    body["names"] = {"a.b": "a_b"}
    job = writer.post(address, body).well(201)
    with scope(acme.id):
        text = export_project(model)
    assert parse_project(text).project.jobs["stock"].table == "a.b/stock 1.csv"
    assert parse_project(text).project.jobs["stock"].names == {"a.b": "a_b"}
    assert job["destination"] == parse_project(text).project.jobs["stock"].destination
    assert apply_project(acme.id, parse_project(text), environment={}).changes == []
