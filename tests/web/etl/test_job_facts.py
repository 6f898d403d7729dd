"""What a job does is told in words, the same before it is made and on its page, with nothing left out."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tenant_rows import Tenant
from wizard_rows import address_of, draft_of, looked_at_job, proposal, signed_in

from b2b_recs.engine.etl.spec import CopySpec, Merge
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.web.etl.facts import facts_of, hand_set, span_words
from b2b_recs.web.etl.jobs import change_job, finish_draft
from b2b_recs.web.etl.models import DataSource, DataSourceTable
from b2b_recs.web.tenancy import scope

EVERYTHING: dict[str, Any] = {
    "load": {
        "strategy": "merge", "cursor": "id", "key": ["id"], "backfill": 30, "lag": "P7D", "deletes": "remove",
    },
    "columns": ["id", "note"],
    "row_limit": 5000,
    "drift": "stop",
    "destination_table": "bq_all",
    "reject_threshold": 1e-07,
    "partition_by": "made_at",
    "cluster_by": ["id"],
    "types": [{"name": "note", "warehouse_type": "DATE", "mode": "NULLABLE", "precision": None, "scale": None}],
}  # fmt: skip
TOLD = {
    "Load": "takes over new and changed rows",
    "New by": "id",
    "Key": "id",
    "First run reads": "the last 30 days",
    "Looks back": "7 days",
    "Columns": "2 chosen",
    "At most": "5,000 rows a run",
    "New columns in the source": "stop the run, until somebody decides",
    "Rows deleted in the source": "are removed from the warehouse table, too",
    "Warehouse table": "bq_all",
    "Types": "1 set by hand, the others as proposed",
    "Rows that may be rejected": "0.00001 %",
    "Partitioned by day of": "made_at",
    "Clustered by": "id",
}


def test_every_setting_is_told_and_says_where_it_is_asked_for() -> None:
    found = facts_of(EVERYTHING)
    assert {one.name: one.value for one in found} == TOLD
    assert [one.step for one in found] == [3] * 9 + [4] * 5
    assert [one.name for one in found if one.grave] == ["Rows deleted in the source"]


def test_the_review_and_the_page_of_the_job_tell_the_same(acme: Tenant) -> None:
    job = looked_at_job(acme)
    client, draft = signed_in(acme), draft_of(acme, "all", 5, **EVERYTHING)
    review = client.get(f"{address_of(acme, draft.id)}step/5/").content.decode()
    with scope(acme.id):
        table = DataSourceTable.objects.get(data_source_id=acme.id_of("DataSource"))
        table.spec = {**table.spec, **EVERYTHING}
        table.save(update_fields=["spec"])
    page = client.get(job).content.decode()
    for name, value in TOLD.items():
        for text in (review, page):
            assert re.search(rf"<dt>{re.escape(name)}</dt><dd[^>]*>{re.escape(value)}</dd>", text), name
    assert review.count(">Change</a>") == len(TOLD) + 2


def test_a_type_that_was_proposed_from_values_is_not_set_by_hand(acme: Tenant) -> None:
    table, note = proposal(), ColumnMapping("note", "text", WarehouseType.DATE, reason="All values are dates.")
    table.columns[1].proposed.warehouse_type = "DATE"
    held = {"name": "note", "warehouse_type": "DATE", "mode": "NULLABLE"}
    assert (hand_set({"types": [held]}, table), hand_set({"types": [{**held, "mode": "REQUIRED"}]}, table)) == (0, 1)
    load = Merge(cursor="id", key=("id",))
    spec = CopySpec(source_schema="public", source_table="orders", destination_table="bq_orders", load=load)
    with scope(acme.id):
        job = DataSource.objects.get(id=acme.id_of("DataSource"))
        change_job(job, spec=spec.model_copy(update={"types": (note,)}))
        assert hand_set(job.table.spec) == 0
        again = ColumnMapping("note", "text", WarehouseType.DATE)
        change_job(job, spec=spec.model_copy(update={"types": (again,), "row_limit": 5}))
        job = DataSource.objects.get(id=job.id)
        assert job.table.spec["row_limit"] == 5 and hand_set(job.table.spec) == 0


def test_a_draft_whose_types_were_set_by_hand_becomes_a_job(acme: Tenant) -> None:
    by_hand = {"name": "note", "warehouse_type": "STRING", "mode": "NULLABLE", "precision": None, "scale": None}
    draft = draft_of(acme, "by hand", 5, types=[by_hand])
    spec = CopySpec(
        source_schema="public",
        source_table="orders",
        destination_table="bq_by_hand",
        load=Merge(cursor="id", key=("id",)),
        types=(ColumnMapping("note", "text", WarehouseType.STRING),),
    )
    with scope(acme.id):
        finish_draft(draft, "by hand", draft.connection, spec, True)
        assert not DataSource.objects.get(id=draft.id).draft


@pytest.mark.parametrize(
    ("seconds", "words"), [(604_800, "7 days"), (108_000, "1 day 6 hours"), (90, "1 minute 30 seconds")]
)
def test_spans_are_told_in_whole_words(seconds: float, words: str) -> None:
    assert span_words(seconds) == words
