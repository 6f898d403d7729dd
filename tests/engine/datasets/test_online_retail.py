"""The sample data under the filters of the demo: the counts everyone who measured on it has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from ruamel.yaml import YAML

from b2b_recs.engine.datasets.build import build_dataset
from b2b_recs.engine.datasets.expressions import final, with_roles
from b2b_recs.engine.datasets.interactions import DatasetBuild
from b2b_recs.engine.datasets.joins import joined
from b2b_recs.engine.datasets.spec import DatasetSpec
from b2b_recs.engine.warehouse.local import LocalWarehouse
from b2b_recs.engine.warehouse.query import query_connection

SAMPLE = Path(__file__).parents[3] / "sample_data"


def definition() -> DatasetSpec:
    """The dataset of the demo's project file."""
    project: dict[str, Any] = YAML(typ="safe").load(SAMPLE / "project.yaml")
    return DatasetSpec.model_validate(project["datasets"]["purchases"])


def first_of(lines: pa.Table, key: str, **columns: str) -> pa.Table:
    """One row for every value of a column, with the least value of others."""
    known = lines.filter(pc.is_valid(lines[key]))
    grouped = known.group_by(key).aggregate([(name, "min") for name in columns])
    return grouped.rename_columns(
        [{f"{name}_min": new for name, new in columns.items()}.get(n, n) for n in grouped.column_names]
    )


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> LocalWarehouse:
    lines = pq.read_table(SAMPLE / "online_retail.parquet").rename_columns(
        ["order_id", "product_id", "name", "quantity", "ordered_at", "unit_price", "customer_id", "country"]
    )
    total = pc.multiply(lines["quantity"].cast(pa.float64()), lines["unit_price"].cast(pa.float64()))
    warehouse = LocalWarehouse(tmp_path_factory.mktemp("retail"))
    warehouse.table("raw_data", "bq_order_lines").append(
        lines.drop(["name", "country"]).append_column("line_total", total)
    )
    warehouse.table("raw_data", "bq_products").append(first_of(lines, "product_id", name="name"))
    warehouse.table("raw_data", "bq_customers").append(first_of(lines, "customer_id", country="country"))
    return warehouse


@pytest.fixture(scope="module")
def build(warehouse: LocalWarehouse) -> DatasetBuild:
    return build_dataset(definition(), warehouse, time_zone="Europe/London")


def test_the_demo_learns_from_the_lines_the_protocol_counts(build: DatasetBuild) -> None:
    rows = build.interactions
    assert (build.rows, rows.customers, rows.products) == (396_337, 4_334, 3_659)
    assert len(np.unique(rows.order)) == build.quality["orders"] == 18_402


def test_every_one_of_the_541909_lines_is_accounted_for(build: DatasetBuild) -> None:
    assert build.steps[0].rows_before == build.quality["rows_read"] == 541_909
    assert build.quality["rows_without"] == {"customer": 135_080, "product": 0, "time": 0}
    for before, after in zip(build.steps, build.steps[1:], strict=False):
        assert after.rows_before == before.rows_after
    assert build.steps[-1].rows_after == build.rows
    assert [(step.name, step.rows_before - step.rows_after) for step in build.steps[3:]] == [
        ("order_id does not start with C", 8_905),
        ("quantity > 0", 0),
        ("unit_price > 0", 40),
        ("product_id matches ^[0-9]{5}", 1_547),
    ]


def test_the_sql_shown_for_it_selects_as_many_rows(warehouse: LocalWarehouse, build: DatasetBuild) -> None:
    views = {name: (warehouse.table("raw_data", name), version) for name, version in build.table_versions.items()}
    with query_connection(views) as connection:
        assert connection.execute(f"SELECT count(*) FROM ({build.sql})").fetchone() == (396_337,)


def test_it_compiles_for_bigquery_with_every_condition(warehouse: LocalWarehouse) -> None:
    def table_of(name: str) -> Any:
        return ibis.table(ibis.Schema.from_pyarrow(warehouse.table("raw_data", name).schema()), name=name)

    spec = definition()
    sql = str(ibis.to_sql(final(spec, with_roles(spec, joined(spec, table_of))), dialect="bigquery"))
    assert sql.count("LEFT OUTER JOIN") == len(spec.joins)
    for part in ("STARTS_WITH(", "REGEXP_CONTAINS(", "UPPER("):
        assert part in sql


def test_shuffled_lines_are_the_same_dataset(warehouse: LocalWarehouse, build: DatasetBuild, tmp_path: Path) -> None:
    shuffled = LocalWarehouse(tmp_path / "shuffled")
    for table in warehouse.tables("raw_data"):
        rows = table.read()
        order = np.random.default_rng(1).permutation(rows.num_rows)
        shuffled.table("raw_data", table.name).append(rows.take(pa.array(order)))
    again = build_dataset(definition(), shuffled, time_zone="Europe/London")
    assert again.fingerprint == build.fingerprint
    for name in ("customer", "product", "order", "time", "revenue", "quantity", "customer_ids", "product_names"):
        np.testing.assert_array_equal(getattr(again.interactions, name), getattr(build.interactions, name), name)
