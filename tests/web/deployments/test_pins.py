"""What a model in service was trained on stays readable for as long as it is in service."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from run_rows import GATE, Shop, make_shop
from web_support import TestDatabase

from b2b_recs.engine.warehouse.local import LocalTable, LocalWarehouse
from b2b_recs.runtime.home import Home
from b2b_recs.web.datasets.models import DatasetVersion
from b2b_recs.web.deployments import services
from b2b_recs.web.deployments.services import deploy
from b2b_recs.web.operations.upkeep import keep_pins
from b2b_recs.web.tenancy import scope

MUCH_LATER = datetime.now(UTC) + timedelta(days=400)


@pytest.fixture
def shop(platform_database: TestDatabase) -> Iterator[Shop]:
    Home.current().serving.mkdir(parents=True, exist_ok=True)
    yield make_shop()


@pytest.fixture
def table(shop: Shop) -> LocalTable:
    """A table with three versions, of which the shop's models read none yet."""
    found = LocalWarehouse(Home.current().model_warehouse(shop.model.id)).table("raw_data", "bq_lines")
    for rows in ([1], [1, 2], [1, 2, 3]):
        found.replace(pa.table({"id": rows}))
    return found


def put(shop: Shop, number: int, version: int) -> None:
    with scope(shop.id):
        trained = shop.trained(number)
        DatasetVersion.objects.filter(id=trained.dataset_version_id).update(table_versions={"bq_lines": version})
        trained.dataset_version.refresh_from_db()
        deploy(trained, gate=GATE)


def test_the_version_behind_a_model_in_service_outlives_its_time(shop: Shop, table: LocalTable) -> None:
    put(shop, 1, 1)
    table.vacuum(30, MUCH_LATER)
    assert table.read(1)["id"].to_pylist() == [1, 2]


def test_it_goes_once_another_model_is_in_service(shop: Shop, table: LocalTable) -> None:
    put(shop, 1, 0)
    put(shop, 2, 1)
    assert table.pinned() == {1}
    table.vacuum(30, MUCH_LATER)
    assert table.read(1)["id"].to_pylist() == [1, 2]
    assert len(list(table.pins_folder.iterdir())) == 1


def test_a_kill_between_the_deployment_and_its_pin_is_mended_by_one_sweep(
    shop: Shop, table: LocalTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "keep_versions", lambda deployments: None)
    put(shop, 1, 1)
    assert table.pinned() == frozenset()
    keep_pins()
    assert table.pinned() == {1}


def test_a_version_that_has_expired_does_not_undo_the_deployment(shop: Shop, table: LocalTable) -> None:
    table.vacuum(30, MUCH_LATER)
    put(shop, 1, 0)
    assert table.pinned() == frozenset()
