"""A second job for a table is proposed a free warehouse table; a name that is taken is told where it is asked for."""

from __future__ import annotations

import pytest
from tenant_rows import Tenant
from wizard_rows import address_of, draft_of, looked_at_job, proposal, signed_in

from b2b_recs.web.etl.destination import free_destination
from b2b_recs.web.etl.models import DataSource, DataSourceTable, ETLConfiguration
from b2b_recs.web.etl.wizard import tables
from b2b_recs.web.tenancy import scope


def test_a_name_another_job_has_is_proposed_with_the_next_free_number(acme: Tenant) -> None:
    looked_at_job(acme)
    with scope(acme.id):
        configuration = ETLConfiguration.objects.get(id=acme.id_of("ETLConfiguration"))
        DataSource.objects.filter(id=draft_of(acme, "second", destination_table="BQ_orders_2").id).update(draft=False)
        assert free_destination(configuration, "bq_orders") == "bq_orders_3"
        assert free_destination(configuration, "bq_orders", acme.id_of("DataSource")) == "bq_orders"
        assert free_destination(configuration, "bq_lines") == "bq_lines"


def test_a_taken_table_name_stops_no_earlier_step_and_is_told_beside_the_name(acme: Tenant) -> None:
    looked_at_job(acme)
    address, client = address_of(acme, draft_of(acme, "orders again").id), signed_in(acme)
    answer = client.post(f"{address}step/3/", {"strategy": "catalog", "column": ["id", "note"]})
    assert (answer.status_code, answer["Location"]) == (302, f"{address}step/4/")
    text = client.get(f"{address}step/4/").content.decode()
    assert 'id="destination_table-error"' in text and "already filled by the job “orders”" in text
    assert client.post(f"{address}step/4/", {"destination_table": "bq_orders"}).status_code == 422
    assert client.post(f"{address}step/4/", {"destination_table": "bq_orders_2"}).status_code == 302


def test_a_table_that_is_copied_already_begins_with_a_free_name(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at_job(acme)
    draft = draft_of(acme, "orders again", source_table="")
    monkeypatch.setattr(tables, "ask", lambda open_source, question: proposal())
    chosen = {"table": f"public{tables.BETWEEN}orders"}
    assert signed_in(acme).post(f"{address_of(acme, draft.id)}step/2/", chosen).status_code == 302
    with scope(acme.id):
        assert DataSourceTable.objects.get(data_source=draft).spec["destination_table"] == "bq_orders_2"
