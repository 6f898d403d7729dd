"""A column cannot be set to another type than its filled warehouse table holds: that is told where it is set."""

from __future__ import annotations

import pyarrow as pa
import pytest
from tenant_rows import Tenant
from warehouse_rows import warehouse_of
from wizard_rows import SPEC, address_of, draft_of, signed_in

from b2b_recs.engine.errors import BadInput, TypeHeld
from b2b_recs.engine.etl.drift import lay_out
from b2b_recs.engine.etl.spec import Transactional
from b2b_recs.engine.schema.arrow import arrow_schema
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.sources.contract import ColumnInfo
from b2b_recs.web.connections.models import Connection
from b2b_recs.web.etl.held_types import held_faults
from b2b_recs.web.etl.jobs import change_job, configuration_of, create_job
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.runs.faults import fault_of
from b2b_recs.web.tenancy import scope

FILLED = "bq_filled_before"
NOTE = ColumnMapping("note", "text", WarehouseType.STRING)
HELD = arrow_schema([ColumnMapping("id", "bigint", WarehouseType.INT64), NOTE])
APPEND = Transactional(cursor="id")


def fill(tenant: Tenant) -> None:
    """Let the table be filled."""
    warehouse_of(tenant).table("raw_data", FILLED).append(
        pa.table({"id": [1], "note": ["a"]}, schema=HELD), app="copy:etl-run-1"
    )


def test_a_type_the_filled_table_does_not_hold_is_refused_beside_its_column(acme: Tenant) -> None:
    fill(acme)
    load = APPEND.model_dump(mode="json")
    address = f"{address_of(acme, draft_of(acme, 'again', 4, load=load).id)}step/4/"
    client = signed_in(acme)
    answer = client.post(address, {"destination_table": FILLED, "type-1": "INT64"})
    text = answer.content.decode()
    assert answer.status_code == 422 and 'id="column-1-error"' in text
    assert f"The warehouse table {FILLED} holds “note” as STRING, so new rows cannot be INT64." in text
    assert "give the job another table name, or let it copy the whole table each time" in text
    assert client.post(address, {"destination_table": f"{FILLED}_2", "type-1": "INT64"}).status_code == 302


def test_digits_are_told_and_a_whole_copy_may_change_every_type(acme: Tenant) -> None:
    fill(acme)
    wanted = ColumnMapping("id", "bigint", WarehouseType.NUMERIC, precision=12, scale=3)
    spec = SPEC.model_copy(update={"destination_table": FILLED, "types": (NOTE, wanted)})
    model_id = acme.id_of("ModelEndpoint")
    assert held_faults(model_id, spec) == []
    (fault,) = held_faults(model_id, spec.model_copy(update={"load": APPEND}))
    assert (fault.column, fault.field) == ("id", "types") and "cannot be NUMERIC (12, 3)" in fault.message


def test_no_way_to_a_job_goes_around_it(acme: Tenant) -> None:
    fill(acme)
    wrong = ColumnMapping("note", "text", WarehouseType.INT64)
    spec = SPEC.model_copy(update={"destination_table": FILLED, "load": APPEND, "types": (wrong,)})
    with scope(acme.id):
        connection = Connection.objects.get(id=acme.id_of("Connection"))
        configuration = configuration_of(ModelEndpoint.objects.get(id=acme.id_of("ModelEndpoint")))
        with pytest.raises(BadInput, match="so new rows cannot be INT64"):
            create_job(configuration, "again", connection, spec)
        job = create_job(configuration, "again", connection, spec.model_copy(update={"types": ()}))
        with pytest.raises(BadInput, match="so new rows cannot be INT64"):
            change_job(job, spec=spec)
        assert change_job(job, spec=spec.model_copy(update={"types": (NOTE,)}))["spec"]


def test_a_run_that_meets_it_blames_the_setting_and_not_the_source() -> None:
    spec = SPEC.model_copy(update={"load": APPEND, "types": (ColumnMapping("note", "text", WarehouseType.INT64),)})
    columns = [ColumnInfo("id", "bigint", nullable=False), ColumnInfo("note", "text", nullable=True)]
    with pytest.raises(TypeHeld, match="is set to INT64 in the job, and the warehouse table holds STRING") as refused:
        lay_out(columns, spec, HELD, dict)
    fault = fault_of(refused.value.code)
    assert fault is not None and "source" not in fault.title.lower()
