"""A column of a filled table is given another name on the page of the warehouse table: that is told beside it."""

from __future__ import annotations

from tenant_rows import Tenant
from web.api.api_client import Program
from web.etl.wizard_rows import signed_in

from b2b_recs.web.etl.execution import execute


def test_a_name_the_next_run_would_be_refused_with_is_not_saved(acme: Tenant, writer: Program, connected: int) -> None:
    job = writer.post("etl/add-source/", {
        "name": "odd lines", "connection_id": connected, "source_table": "odd", "destination_table": "bq_named",
        "load": {"strategy": "transactional", "cursor": "id"}, "columns": ["id", "seen_at"],
        "reject_threshold": 1,
    }).well(201)  # fmt: skip
    execute(acme.id, writer.post(f"/api/etl/sources/{job['id']}/run/").well(202)["id"])
    pages, step = signed_in(acme), f"/models/{acme.id_of('ModelEndpoint')}/etl/jobs/{job['id']}/step/4/"
    assert pages.get(step).status_code == 200
    answer = pages.post(step, {"destination_table": "bq_named", "name-1": "met_at"})
    text = answer.content.decode()
    assert answer.status_code == 422 and 'id="column-1-error"' in text
    row = text.split('id="column-1-error"')[1].split("</tr>")[0]
    assert "The column seen_at is called seen_at in the warehouse table and met_at in the job now" in row
    assert pages.post(step, {"destination_table": "bq_named", "name-1": "seen_at"}).status_code == 302
