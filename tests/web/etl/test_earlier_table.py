"""A warehouse table that no job fills now and that holds rows already is told where a job is given its name."""

from __future__ import annotations

import pyarrow as pa
from tenant_rows import Tenant
from warehouse_rows import warehouse_of
from wizard_rows import address_of, draft_of, looked_at_job, signed_in

from b2b_recs.engine.etl.spec import Transactional
from b2b_recs.engine.schema.arrow import arrow_schema
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.web.etl.models import DataSourceTable
from b2b_recs.web.tenancy import scope

ID = ColumnMapping("id", "bigint", WarehouseType.INT64)
NOTE, ORDER = (ColumnMapping(name, "text", WarehouseType.STRING) for name in ("note", "order_id"))


def fill(tenant: Tenant, name: str, *columns: ColumnMapping) -> None:
    """Let the table be there, with two rows and without a job."""
    values = {one.name: [1, 2] if one is ID else ["a", "b"] for one in columns}
    rows = pa.table(values, schema=arrow_schema(list(columns)))
    warehouse_of(tenant).table("raw_data", name).append(rows, app="copy:etl-run-1")


def test_a_table_with_rows_is_not_free_and_what_becomes_of_them_is_told(acme: Tenant) -> None:
    looked_at_job(acme)
    fill(acme, "bq_prices_then", ID, ORDER)
    fill(acme, "bq_orders_then", ID, NOTE)
    append = Transactional(cursor="id").model_dump(mode="json")
    drafts = [draft_of(acme, "whole", 4), draft_of(acme, "growing", 4, load=append)]
    whole, growing = (f"{address_of(acme, draft.id)}table-name/" for draft in drafts)

    def told(name: str, at: str) -> str:
        return signed_in(acme).get(at, {"destination_table": name}).content.decode()

    other = told("bq_prices_then", whole)
    assert "bq_prices_then holds 2 rows of an earlier copy with other columns. Choose another name, or delete" in other
    assert f'href="/models/{acme.id_of("ModelEndpoint")}/data/bq_prices_then/"' in other and "Free" not in other
    assert "bq_orders_then holds 2 rows of an earlier copy, which this copy replaces." in told("bq_orders_then", whole)
    assert "of an earlier copy; this copy goes on in it." in told("bq_orders_then", growing)
    assert ">Free<" in told("bq_nowhere", whole)


def test_a_name_whose_table_has_other_columns_is_refused_beside_it_and_kept_in_its_field(acme: Tenant) -> None:
    fill(acme, "bq_prices_then", ID, ORDER)
    job = looked_at_job(acme)
    for at in (job, address_of(acme, draft_of(acme, "again", 4).id)):
        answer = signed_in(acme).post(f"{at}step/4/", {"destination_table": "bq_prices_then"})
        text = answer.content.decode()
        assert answer.status_code == 422 and 'id="destination_table-error"' in text
        assert "holds 2 rows of an earlier copy with other columns. Choose another name, or delete that table" in text
        assert 'value="bq_prices_then"' in text and "no longer has" not in text
    with scope(acme.id):
        spec = DataSourceTable.objects.get(data_source_id=acme.id_of("DataSource")).spec
    assert spec["destination_table"] == "bq_orders"


def test_a_job_may_keep_the_table_it_fills(acme: Tenant) -> None:
    fill(acme, "bq_orders", ID, ORDER)
    job = looked_at_job(acme)
    text = signed_in(acme).get(f"{job}table-name/", {"destination_table": "bq_orders"}).content.decode()
    assert ">Free<" in text
