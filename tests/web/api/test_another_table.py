"""A job is given another warehouse table: what it filled before keeps its history, and says that nothing fills it."""

from __future__ import annotations

from typing import Any

from tenant_rows import Tenant
from web.api.api_client import Program
from web.etl.wizard_rows import signed_in

from b2b_recs.web.datasets.models import Dataset
from b2b_recs.web.etl.execution import execute
from b2b_recs.web.tenancy import scope


def ran(acme: Tenant, writer: Program, job: int) -> dict[str, Any]:
    found = writer.post(f"/api/etl/sources/{job}/run/").well(202)
    execute(acme.id, found["id"])
    return dict(writer.get(f"/api/etl/runs/{found['id']}/status/").well())


def test_a_run_keeps_the_table_it_filled_and_that_table_says_who_filled_it(
    acme: Tenant, writer: Program, connected: int
) -> None:
    job = writer.post("etl/add-source/", {
        "name": "odd lines", "connection_id": connected, "source_table": "odd", "destination_table": "bq_before",
        "load": {"strategy": "catalog"}, "reject_threshold": 1, "columns": ["id", "seen_at"],
        "types": [{"name": "seen_at", "warehouse_type": "TIMESTAMP"}],
    }).well(201)  # fmt: skip
    before = ran(acme, writer, job["id"])
    assert before["rows_rejected"], before
    pages, model = signed_in(acme), f"/models/{acme.id_of('ModelEndpoint')}"
    with scope(acme.id):
        own = {"organization_id": acme.id, "model_id": acme.id_of("ModelEndpoint")}
        Dataset.objects.create(**own, name="lines", spec={"base": "orders", "joins": [{"table": "bq_before"}]})
    step = f"{model}/etl/jobs/{job['id']}/step/4/"
    assert pages.get(step).status_code == 200
    typed = {"destination_table": "bq_after", "type-1": "TIMESTAMP", "rejects": "100"}
    saved = pages.post(step, typed, follow=True).content.decode()
    assert "The dataset “lines” reads bq_before; nothing will fill it any more." in saved
    assert "nothing will fill it" not in pages.post(step, typed, follow=True).content.decode()

    def text(path: str) -> str:
        answer = pages.get(f"{model}/{path}")
        assert answer.status_code == 200, path
        return " ".join(answer.content.decode().split())

    run = text(f"runs/copies/{before['id']}/")
    assert f'href="{model}/data/bq_before/"' in run and f'href="{model}/data/bq_before/rejected/"' in run
    assert "the job fills bq_after now" in run and "bq_after/" not in run
    rejected = writer.get(f"/api/etl/runs/{before['id']}/rejected/").well()
    assert (rejected["destination"], rejected["total"]) == ("bq_before", before["rows_rejected"])
    page = text("data/bq_before/")
    assert "“odd lines”, which did, fills bq_after now" in page
    assert "was deleted" not in page and f'href="{model}/etl/jobs/{job["id"]}/"' in page
    listed = text("data/?q=bq_before")
    assert "no job any more" in listed and "odd lines" in listed and ">never<" not in listed
    # A run that fails keeps its table as well.
    writer.post(f"/api/etl/sources/{job['id']}/update/", {"source_table": "gone", "check_source": False}).well()
    failed = ran(acme, writer, job["id"])
    writer.post(f"/api/etl/sources/{job['id']}/update/", {"destination_table": "bq_last", "check_source": False}).well()
    run = text(f"runs/copies/{failed['id']}/")
    assert failed["status"] == "failed" and f'href="{model}/data/bq_after/"' in run
