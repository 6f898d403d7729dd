"""Values at the edge of what columns hold, and names at the edge of what tables may be called."""
# ruff: noqa: DTZ001 - these clocks have no zone, as in the databases they stand for

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from small_shop import ROLES, built, spec_of, warehouse_of

from b2b_recs.engine.datasets.build import build_dataset
from b2b_recs.engine.datasets.conditions import in_words
from b2b_recs.engine.datasets.spec import Condition
from b2b_recs.engine.errors import BadInput, EmptyDataset, WarehouseTableMissing
from b2b_recs.engine.warehouse.local import LocalWarehouse
from b2b_recs.engine.warehouse.query import Limits, QueryTooLong

HUGE = Decimal("1000000000000000000000000000001")
EDGES = pa.table(
    {
        "customer_id": ["a", "b", "c"],
        "product_id": ["x", "x", "x"],
        "ordered_at": [datetime(2024, 1, day) for day in (1, 2, 3)],
        "moment": pa.array([datetime(2024, 1, day, tzinfo=UTC) for day in (1, 2, 3)], pa.timestamp("us", "UTC")),
        "real": pa.array([1.0, float("nan"), None], pa.float64()),
        "fine": pa.array([Decimal("0.12345"), Decimal("0.12346"), None], pa.decimal128(12, 5)),
        "wide": pa.array([HUGE, HUGE - 1, None], pa.decimal128(38, 0)),
        "full": pa.array([Decimal("9" * 38), Decimal(5), None], pa.decimal128(38, 0)),
        "whole": pa.array([9_223_372_036_854_775_807, 1, None], pa.int64()),
    }
)


@pytest.fixture(scope="module")
def edges(tmp_path_factory: pytest.TempPathFactory) -> LocalWarehouse:
    return warehouse_of(tmp_path_factory.mktemp("edges"), edges=EDGES)


def customers(warehouse: LocalWarehouse, column: str, op: str, value: Any, **options: Any) -> str:
    spec = spec_of("edges", roles=ROLES, filters={"where": [{"column": column, "op": op, "value": value}]})
    try:
        return "".join(build_dataset(spec, warehouse, **options).interactions.customer_ids)
    except EmptyDataset:
        return ""


@pytest.mark.parametrize(
    ("column", "op", "value", "expected"),
    [
        # NaN is no number: it is above none, below none, and different from none
        ("real", ">", 0, "a"),
        ("real", "!=", 5, "a"),
        ("real", "not in", [5], "a"),
        ("real", "known", None, "a"),
        ("real", "unknown", None, "bc"),
        ("fine", ">", "0.12345", "b"),
        ("fine", "=", 0.12346, "b"),
        ("fine", "in", ["0.12345", 7], "a"),
        ("fine", ">", "0.123455", "b"),
        ("wide", "=", str(HUGE), "a"),
        ("wide", "<", str(HUGE), "b"),
        ("wide", "in", [str(HUGE - 1)], "b"),
        ("full", ">", 5.5, "a"),
        ("full", ">=", "5." + "0" * 500, "ab"),
        ("whole", "=", 9_223_372_036_854_775_807, "a"),
        ("whole", "<", 10**30, "ab"),
        ("whole", ">", "1e-50", "ab"),
    ],
)
def test_numbers_are_compared_with_every_digit(
    edges: LocalWarehouse, column: str, op: str, value: Any, expected: str
) -> None:
    assert customers(edges, column, op, value) == expected


@pytest.mark.parametrize(
    ("column", "value", "zone"),
    [
        ("real", "1e400", "UTC"),
        ("whole", "1e999999999", "UTC"),
        ("whole", "-inf", "UTC"),
        ("moment", "9999-12-31T23:59:59", "America/New_York"),
        ("ordered_at", "0001-01-01T00:00:00+14:00", "UTC"),
    ],
)
def test_a_value_beyond_all_columns_is_refused_by_name(
    edges: LocalWarehouse, column: str, value: str, zone: str
) -> None:
    with pytest.raises(BadInput) as refusal:
        customers(edges, column, "<", value, time_zone=zone)
    assert refusal.value.field == "filters.where[0].value"
    assert value in refusal.value.message


def test_numeric_ids_read_as_floating_point_are_written_as_the_numbers_they_are(tmp_path: Path) -> None:
    ids = pa.array([12346.0, 1e16, 2.5, -3.0, float("nan"), None], pa.float64())
    table = pa.table({"customer_id": ids, "product_id": ["x"] * 6, "ordered_at": [datetime(2024, 1, 1)] * 6})
    build = built(warehouse_of(tmp_path, edges=table), base="edges", roles=ROLES)
    assert list(build.interactions.customer_ids) == ["-3", "10000000000000000", "12346", "2.5"]
    assert (build.steps[0].rows_before, build.steps[0].rows_after) == (6, 4)


def test_a_warehouse_table_may_have_any_name_a_table_can_have(tmp_path: Path) -> None:
    warehouse = warehouse_of(tmp_path, selected_rows=EDGES, role_customer=EDGES)
    for name in ("selected_rows", "role_customer"):
        assert built(warehouse, base=name, roles=ROLES).rows == 3


def test_tables_that_differ_only_in_capitals_are_refused_not_mixed_up(tmp_path: Path) -> None:
    warehouse = warehouse_of(tmp_path, edges=EDGES, Edges=pa.table({"customer_id": ["a"], "name": ["A"]}))
    with pytest.raises(BadInput, match="Edges and edges differ only in capitals") as refusal:
        built(warehouse, base="edges", roles=ROLES, joins=[{"table": "Edges", "on": {"customer_id": "customer_id"}}])
    assert refusal.value.field == "joins"


def test_a_key_column_may_be_called_as_the_count_of_its_repetitions(tmp_path: Path) -> None:
    names = pa.table({"times": ["a", "b", "b"], "name": ["A", "B", "C"]})
    warehouse = warehouse_of(tmp_path, edges=EDGES, names=names, once=names.slice(0, 2))
    join = {"table": "once", "on": {"customer_id": "times"}}
    roles = {**ROLES, "customer_name": "name"}
    build = built(warehouse, base="edges", roles=roles, joins=[join])
    assert list(build.interactions.customer_names) == ["A", "B", ""]
    with pytest.raises(BadInput, match=r"names has 1 value of times in more than one row .“b” in 2"):
        built(warehouse, base="edges", roles=roles, joins=[{**join, "table": "names"}])


def test_a_wall_clock_is_not_joined_with_a_moment(tmp_path: Path) -> None:
    days = pa.table({"at": pa.array([datetime(2024, 1, 1, tzinfo=UTC)], pa.timestamp("us", "UTC"))})
    with pytest.raises(BadInput) as refusal:
        built(
            warehouse_of(tmp_path, edges=EDGES, days=days),
            base="edges",
            roles=ROLES,
            joins=[{"table": "days", "on": {"ordered_at": "at"}}],
        )
    assert refusal.value.field == "joins[0].on"
    assert "ordered_at = days.at" in refusal.value.message


def test_a_pin_to_a_version_that_never_was_is_refused(edges: LocalWarehouse) -> None:
    with pytest.raises(WarehouseTableMissing, match="Version 7"):
        build_dataset(spec_of("edges", roles=ROLES), edges, {"edges": 7})


def test_a_query_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    count = 300_000
    table = pa.table(
        {
            "customer_id": pa.array(np.arange(count) % 5000),
            "product_id": pa.array(["a" * 200 + str(number) for number in range(1000)]).take(
                pa.array(np.arange(count) % 1000)
            ),
            "ordered_at": pa.array(np.arange(count) * 10**6, pa.timestamp("us")),
        }
    )
    endless = {"column": "product_id", "op": "matches", "value": "(((a|aa)+)+[0-9]?){1,60}[xyz]$"}
    spec = spec_of("edges", roles=ROLES, filters={"where": [endless]})
    with pytest.raises(QueryTooLong) as refusal:
        build_dataset(spec, warehouse_of(tmp_path, edges=table), limits=Limits(seconds=0.02))
    assert "0.02 seconds" in refusal.value.message
    assert refusal.value.advice


def test_an_essay_is_no_id_and_is_cut_where_it_is_only_shown(tmp_path: Path) -> None:
    essay = "é" * 20_000
    table = pa.table({**{name: EDGES[name] for name in ROLES.values()}, "essay": ["short", essay, None]})
    warehouse = warehouse_of(tmp_path, edges=table)
    with pytest.raises(BadInput, match="A customer id has 20,000 characters") as refusal:
        built(warehouse, base="edges", roles={**ROLES, "customer": "essay"})
    assert refusal.value.field == "roles.customer"
    shown = built(warehouse, base="edges", roles={**ROLES, "customer_name": "essay"}).interactions.customer_names
    assert list(shown) == ["short", "é" * 300, ""]


def test_a_long_list_is_shortened_in_words() -> None:
    words = in_words(Condition(column="country", op="in", value=tuple(range(10_000))))
    assert words.startswith("country in 0, 1, 2, ")
    assert len(words) < 250


def test_yes_and_no_can_be_chosen_from_a_list(tmp_path: Path) -> None:
    table = EDGES.append_column("paid", pa.array([True, False, None]))
    warehouse = warehouse_of(tmp_path, edges=table)
    assert customers(warehouse, "paid", "in", [True]) == "a"
    assert customers(warehouse, "paid", "not in", [True]) == "b"
