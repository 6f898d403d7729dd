"""A job of a source that shows the fields of some rows keeps the columns it names and its table holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from contract.mongodb_arena import MongoDBArena
from tenant_rows import Tenant

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.etl.spec import Catalog, CopySpec
from b2b_recs.engine.schema.types import ColumnMapping, WarehouseType
from b2b_recs.engine.sources.registry import SOURCE_TYPES
from b2b_recs.web.etl.models import DataSource, DataSourceTable
from b2b_recs.web.etl.proposals import propose
from b2b_recs.web.etl.sourcing import question_of, settled_by
from b2b_recs.web.etl.wizard.state import wizard_of
from b2b_recs.web.tenancy import scope

MONGODB = SOURCE_TYPES["mongodb"]


@pytest.fixture(scope="module")
def arena() -> Iterator[MongoDBArena]:
    arena = MongoDBArena()
    rare = {20: {"coupon": "SUMMER"}}
    arena.put("orders", *({"id": number, **rare.get(number, {})} for number in range(40)))
    yield arena
    arena.server.close()


def spec_of(*columns: str, **more: Any) -> CopySpec:
    given = {"source_schema": "shop", "source_table": "orders", "destination_table": "bq_orders", "load": Catalog()}
    return CopySpec(columns=columns, **{**given, **more})


def test_a_column_the_table_holds_can_be_saved_though_the_sample_lacks_it(arena: MongoDBArena) -> None:
    with arena.open(sampled_documents=4) as source:
        with pytest.raises(BadInput) as caught:
            settled_by(MONGODB, spec_of("id", "coupon"))(source)
        assert (caught.value.field, caught.value.column) == ("columns", "coupon")
        chosen = ColumnMapping("coupon", "string", WarehouseType.STRING)
        spec = spec_of("id", "coupon", types=(chosen,))
        saved = settled_by(MONGODB, spec, frozenset({"id", "coupon"}))(source)
    assert saved.columns == ("id", "coupon")
    assert [(one.name, one.source_type) for one in saved.types] == [("coupon", "string")]


def test_the_test_of_a_job_passes_though_the_sample_lacks_a_column_of_it(arena: MongoDBArena) -> None:
    with arena.open(sampled_documents=4) as source:
        assert question_of(MONGODB, spec_of("id", "coupon"))(source) == 3


def test_what_is_proposed_shows_the_known_columns_as_well(arena: MongoDBArena) -> None:
    with arena.open(sampled_documents=4) as source:
        found = propose(MONGODB, source, "shop", "orders", "UTC", {"coupon": "string", "id": "long"})
    columns = {one.name: one for one in found.columns}
    assert list(columns) == ["_id", "id", "coupon"]
    assert (columns["coupon"].proposed.warehouse_type, columns["coupon"].samples) == ("STRING", ["SUMMER"])
    assert columns["id"].source_type == "int"


def test_a_job_that_is_edited_asks_with_the_columns_it_names(acme: Tenant) -> None:
    with scope(acme.id):
        row = DataSource.objects.get(id=acme.id_of("DataSource"))
        typed = ColumnMapping("paid", "decimal", WarehouseType.NUMERIC)
        spec = spec_of("id", "coupon", types=(typed,))
        DataSourceTable.objects.filter(data_source=row).update(spec=spec.model_dump(mode="json"))
        wizard = wizard_of(DataSource.objects.get(id=row.id))
        assert wizard.known("shop", "orders") == {"id": "", "coupon": "", "paid": ""}
        assert wizard.known("shop", "customers") == {}
