"""After a failed run, its page, the job's page and Edit lead to the step, or the connection, that mends it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tenant_rows import Tenant
from wizard_rows import address_of, looked_at_job, signed_in

from b2b_recs.web.etl.models import DataSourceTable, ETLRun
from b2b_recs.web.tenancy import scope

TYPE = "Column geo of type point cannot become INT64."
CURSOR = "The backfill of 30 needs a cursor of dates, and id is INT64."


@pytest.mark.parametrize(
    ("code", "error", "step", "words"),
    [
        ("bad_input", TYPE, 4, "Change it in step 4: warehouse table"),
        ("bad_input", CURSOR, 3, "Change it in step 3: rows and columns"),
        ("too_many_rejected", "12 of 20 rows were rejected.", 4, "Change it in step 4: warehouse table"),
        ("column_missing", "public.orders has no column note.", 3, "Change it in step 3: rows and columns"),
        (
            "job_changed",
            "The job was changed: its key is id now and was none.",
            3,
            "Change it in step 3: rows and columns",
        ),
        ("job_changed", "The job was changed: at is read as %d now.", 4, "Change it in step 4: warehouse table"),
        ("job_changed", "The job was changed: its time zone is UTC now and was Asia/Tokyo.", 0, ""),
        ("authentication_refused", "The password was refused.", 0, "Open the connection"),
        ("storage_full", "The disk is full.", 0, ""),
    ],
)
def test_a_failed_run_leads_to_what_mends_it(acme: Tenant, code: str, error: str, step: int, words: str) -> None:
    job = looked_at_job(acme)
    with scope(acme.id):
        run = ETLRun.objects.filter(data_source_id=acme.id_of("DataSource")).order_by("-id")[0]
        ETLRun.objects.filter(id=run.id).update(status="failed", error_code=code, error=error, advice="Choose STRING.")
    client, model = signed_in(acme), f"/models/{acme.id_of('ModelEndpoint')}"
    page, own = client.get(job).content.decode(), client.get(f"{model}/runs/copies/{run.id}/").content.decode()
    there = f"{job}step/{step}/" if step else f"{model}/etl/connections/"
    for text in (page, own):
        assert (f">{words}</a>" in text and f'href="{there}' in text) if words else ("Change it in" not in text)
    edit = f'href="{address_of(acme, acme.id_of("DataSource"))}step/{step or 3}/"'
    assert edit in page and edit in client.get(f"{model}/etl/").content.decode()


def test_a_job_that_was_changed_after_its_failure_asks_to_be_run_and_blames_no_step(acme: Tenant) -> None:
    job = looked_at_job(acme)
    with scope(acme.id):
        run = ETLRun.objects.filter(data_source_id=acme.id_of("DataSource")).order_by("-id")[0]
        failed = {"status": "failed", "error_code": "column_missing", "error": "public.orders has no column note."}
        ETLRun.objects.filter(id=run.id).update(**failed, finished_at=datetime.now(UTC) + timedelta(minutes=1))
    client, failing = signed_in(acme), "The last run failed: public.orders has no column note."
    page = client.get(job).content.decode()
    assert failing in page and "Changed since" not in page
    with scope(acme.id):
        ETLRun.objects.filter(id=run.id).update(finished_at=datetime.now(UTC) - timedelta(minutes=1))
        table = DataSourceTable.objects.get(data_source_id=acme.id_of("DataSource"))
        table.spec = {**table.spec, "columns": ["id"]}
        table.save(update_fields=["spec"])
    page = client.get(job).content.decode()
    assert "Changed since the last run failed; run it now." in page and page.count(">Run now</button>") == 2
    assert failing not in page and "Change it in step 3" not in page
