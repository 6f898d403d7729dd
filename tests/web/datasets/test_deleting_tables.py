"""Deleting a warehouse table: named what holds it, the database first, then the files, whatever happens between."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from django.test import Client
from tenant_rows import Tenant
from warehouse_rows import load_table, table_of, warehouse_of
from web.audit.test_audit_log import told
from web.datasets.test_data_pages import place, signed_in

from b2b_recs.engine.errors import BadInput
from b2b_recs.runtime.home import Home
from b2b_recs.web.accounts.api_keys import create_key
from b2b_recs.web.conflicts import InUse
from b2b_recs.web.datasets.deleting import delete_table
from b2b_recs.web.datasets.models import Dataset, DatasetVersion
from b2b_recs.web.etl.models import DataSource
from b2b_recs.web.operations.upkeep import remove_files
from b2b_recs.web.projects.models import ModelEndpoint, Removal
from b2b_recs.web.projects.removing import set_aside
from b2b_recs.web.tenancy import scope
from b2b_recs.web.training.models import PipelineRun

LOOSE = "bq_left_alone"


def loose(tenant: Tenant, dataset: str = "raw_data") -> Path:
    """A table no job fills, with a rejected row beside it; trainings of the tenant have ended."""
    table = warehouse_of(tenant).table(dataset, LOOSE)
    table.append(pa.table({"a": [1, 2, 3]}))
    table.rejected.append(pa.table({"a": [4]}))
    with scope(tenant.id):
        PipelineRun.objects.update(status="completed")
    return table.folder


def delete(tenant: Tenant, slug: str = LOOSE) -> str:
    with scope(tenant.id):
        return delete_table(model_of(tenant), slug, tenant.people["editor"])


def model_of(tenant: Tenant) -> ModelEndpoint:
    model: ModelEndpoint = ModelEndpoint.objects.get(id=tenant.id_of("ModelEndpoint"))
    return model


def waiting() -> list[str]:
    """What was moved aside and is still on the disk."""
    folder = Home.current().removed
    return sorted(path.name.rpartition("-")[0] for path in folder.glob("*/*"))


def text_of(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def test_a_table_nobody_needs_is_gone_at_once_and_its_files_soon(acme: Tenant) -> None:
    folder = loose(acme)
    neighbour = warehouse_of(acme).table("raw_data", f"{LOOSE}_too")
    neighbour.append(pa.table({"a": [1]}))
    client = signed_in(acme, "editor")
    page = text_of(client.get(place(acme, "delete/", LOOSE)))
    assert "3 rows" in page and "Delete table" in page
    answer = client.post(place(acme, "delete/", LOOSE), follow=True)
    assert f"The table {LOOSE} was deleted." in text_of(answer)
    assert not folder.exists() and not folder.with_name(f"{LOOSE}__rejected").exists()
    assert neighbour.exists()
    assert waiting() == [LOOSE, f"{LOOSE}__rejected"]
    assert client.get(place(acme, "", LOOSE)).status_code == 404
    remove_files()
    assert waiting() == []
    assert client.post(place(acme, "delete/", LOOSE)).status_code == 404


def test_the_job_that_writes_and_the_dataset_that_reads_are_named_with_links(acme: Tenant) -> None:
    load_table(acme)
    model, job = acme.id_of("ModelEndpoint"), acme.id_of("DataSource")
    with scope(acme.id):
        DataSource.objects.update(name="Order <lines>")
        Dataset.objects.update(spec={"base": "bq_other", "joins": [{"table": table_of(acme)}]})
        DatasetVersion.objects.update(table_versions={table_of(acme): 1})
    client = signed_in(acme)
    page = text_of(client.get(place(acme, "delete/")))
    for part in (
        f'The job <a class="link" href="/models/{model}/etl/jobs/{job}/" dir="auto">“Order &lt;lines&gt;”</a> writes',
        f'The dataset <a class="link" href="/models/{model}/setup/" dir="auto">“purchases”</a> reads it.',
        f'The version <a class="link" href="/models/{model}/versions/" dir="auto">v1</a> in service was trained on it.',
        "is under way and may read it.",
    ):
        assert part in page, part
    assert "Delete table" not in page
    answer = text_of(client.post(place(acme, "delete/"), follow=True))
    assert "is in use. The job “Order &lt;lines&gt;” writes to it." in answer
    assert warehouse_of(acme).table("raw_data", table_of(acme)).exists()
    with scope(acme.id):
        assert not Removal.objects.filter(name=table_of(acme)).exists()


def test_a_kill_before_the_files_moved_leaves_a_table_that_reads_and_the_sweep_removes_it(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = loose(acme)
    with monkeypatch.context() as killed:
        killed.setattr("b2b_recs.web.projects.removing.set_aside", lambda removal: False)
        delete(acme)
    assert warehouse_of(acme).table("raw_data", LOOSE).row_count() == 3
    assert signed_in(acme).get(place(acme, "", LOOSE)).status_code == 200
    remove_files()
    assert not folder.exists() and waiting() == []


def test_a_table_made_anew_under_the_name_is_not_taken_away_by_a_removal_that_comes_late(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = loose(acme)
    with monkeypatch.context() as killed:
        killed.setattr("b2b_recs.web.projects.removing.set_aside", lambda removal: False)
        delete(acme)
    folder.rename(folder.with_name("old"))
    warehouse_of(acme).table("raw_data", LOOSE).append(pa.table({"b": [1]}))
    remove_files()
    assert warehouse_of(acme).table("raw_data", LOOSE).row_count() == 1
    with scope(acme.id):
        assert Removal.objects.get(name=LOOSE).done_at is not None


def test_a_table_a_run_still_writes_to_goes_when_the_run_has_ended(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = loose(acme)
    with monkeypatch.context() as killed:
        killed.setattr("b2b_recs.web.projects.removing.set_aside", lambda removal: False)
        delete(acme)
    with warehouse_of(acme).table("raw_data", LOOSE).lock():
        remove_files()
        assert folder.exists()
    remove_files()
    assert not folder.exists()


def test_an_archived_model_keeps_its_tables(acme: Tenant) -> None:
    folder = loose(acme)
    with scope(acme.id):
        ModelEndpoint.objects.update(status="archived")
    client = signed_in(acme)
    assert "so its tables are kept" in text_of(client.get(place(acme, "delete/", LOOSE)))
    assert "is archived" in text_of(client.post(place(acme, "delete/", LOOSE), follow=True))
    assert folder.exists()


def test_a_removal_reaches_nothing_outside_the_warehouse(acme: Tenant) -> None:
    for path in ("", ".", "..", "../artifacts", "/etc", "model-1/../../keys", ".removed"):
        removal = Removal(id=1, parts={"folders": [{"path": path, "identity": ""}]})
        with pytest.raises(BadInput, match="names no folder of the warehouse"):
            set_aside(removal)


def test_a_viewer_has_no_such_button_and_another_organization_no_such_table(acme: Tenant, rival: Tenant) -> None:
    loose(acme)
    viewer = signed_in(acme, "viewer")
    page = text_of(viewer.get(place(acme, "", LOOSE)))
    assert "Delete the table" not in page and "/delete/" not in page
    assert "Delete the table" in text_of(signed_in(acme, "editor").get(place(acme, "", LOOSE)))
    assert viewer.get(place(acme, "delete/", LOOSE)).status_code == 403
    assert viewer.post(place(acme, "delete/", LOOSE)).status_code == 403
    assert signed_in(rival).post(place(acme, "delete/", LOOSE)).status_code == 404
    assert warehouse_of(acme).table("raw_data", LOOSE).exists()


def test_the_api_does_the_same_and_the_audit_tells_who(acme: Tenant) -> None:
    load_table(acme)
    loose(acme)
    with scope(acme.id):
        _, key = create_key("till", scopes=["write"])
    headers = {"Authorization": f"Bearer {key}"}
    address = f"/api/models/{acme.id_of('ModelEndpoint')}/tables"
    client, json = Client(), "application/json"
    held = client.post(f"{address}/{table_of(acme)}/delete/", content_type=json, headers=headers)
    assert held.status_code == 409
    assert (
        held.json()["error"]["code"] == "in_use" and "The job “orders” writes to it." in held.json()["error"]["message"]
    )
    gone = client.post(f"{address}/{LOOSE}/delete/", content_type=json, headers=headers)
    assert (gone.status_code, gone.json()) == (200, {"name": LOOSE})
    signed_in(acme, "editor").post(place(acme, "delete/", LOOSE))
    assert told(acme, q=LOOSE) == [f"API key “till” deleted the warehouse table {LOOSE}"]


def test_a_table_of_another_dataset_is_deleted_by_its_full_name(acme: Tenant) -> None:
    folder = loose(acme, "imported")
    assert delete(acme, f"imported.{LOOSE}") == f"imported.{LOOSE}"
    assert not folder.exists()


def test_a_dataset_described_while_the_page_was_open_holds_the_table(acme: Tenant) -> None:
    loose(acme)
    with scope(acme.id):
        Dataset.objects.update(spec={"base": LOOSE})
    with pytest.raises(InUse, match="The dataset “purchases” reads it"):
        delete(acme)
