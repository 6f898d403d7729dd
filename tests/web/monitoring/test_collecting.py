"""What serving processes counted reaches the hourly rows exactly once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from run_rows import GATE, Shop, make_shop
from web_support import TestDatabase

from b2b_recs.engine.serving.traffic import Traffic, read_traffic
from b2b_recs.runtime.home import Home
from b2b_recs.web.accounts.api_keys import create_key
from b2b_recs.web.accounts.models import ApiKey
from b2b_recs.web.deployments.services import deploy
from b2b_recs.web.monitoring import services
from b2b_recs.web.monitoring.models import PredictionLog
from b2b_recs.web.monitoring.services import collect
from b2b_recs.web.tenancy import scope


class Clock:
    """A time that tests move."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC).replace(minute=10)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shop(platform_database: TestDatabase) -> Iterator[Shop]:
    Home.current().create()
    yield make_shop()
    shutil.rmtree(Home.current().serving)


@pytest.fixture
def deployment(shop: Shop) -> int:
    with scope(shop.id):
        return int(deploy(shop.trained(1), gate=GATE).id)


def serve(traffic: Traffic, shop: Shop, deployment: int | None, times: int, status: int = 200) -> None:
    for _ in range(times):
        traffic.count(shop.model.id, deployment, "v1", status=status, seconds=0.004, customers=1, predictions=10)


def rows(shop: Shop) -> list[tuple[int, int, int]]:
    """Requests, predictions and errors by the hour, oldest first."""
    with scope(shop.id):
        found = PredictionLog.objects.order_by("window_start", "id")
        return list(found.values_list("requests", "predictions", "errors"))


def test_a_file_read_again_counts_nothing_twice(shop: Shop, deployment: int, clock: Clock, tmp_path: Path) -> None:
    traffic = Traffic(clock)
    serve(traffic, shop, deployment, 3)
    serve(traffic, shop, deployment, 1, status=500)
    traffic.write(tmp_path)
    for _ in range(3):
        collect(tmp_path)
    assert rows(shop) == [(4, 40, 1)]
    serve(traffic, shop, deployment, 2)
    traffic.write(tmp_path)
    collect(tmp_path)
    assert rows(shop) == [(6, 60, 1)]
    with scope(shop.id):
        row = PredictionLog.objects.get()
    assert row.deployment_id == deployment
    assert sum(row.latency["counts"]) == 6
    assert row.mean_latency_ms == pytest.approx(4.0)


def test_a_key_used_on_the_endpoint_was_last_used_then(shop: Shop, clock: Clock, tmp_path: Path) -> None:
    with scope(shop.id):
        key, _ = create_key("Shop")
    one, two = Traffic(clock), Traffic(clock)
    one.note_key(key.prefix)
    clock.now -= timedelta(minutes=5)
    two.note_key(key.prefix)
    one.write(tmp_path)
    two.write(tmp_path)
    collect(tmp_path)
    with scope(shop.id):
        key.refresh_from_db()
        assert key.last_used_at == clock.now + timedelta(minutes=5)
        later = clock.now + timedelta(hours=1)
        ApiKey.objects.filter(id=key.id).update(last_used_at=later)
    collect(tmp_path)
    with scope(shop.id):
        key.refresh_from_db()
    assert key.last_used_at == later, "the platform's API noted a later use"


def test_processes_and_hours_add_up_apart(shop: Shop, deployment: int, clock: Clock, tmp_path: Path) -> None:
    one, two = Traffic(clock), Traffic(clock)
    serve(one, shop, deployment, 3)
    serve(two, shop, deployment, 4)
    clock.now += timedelta(hours=1)
    serve(two, shop, deployment, 5)
    one.write(tmp_path)
    two.write(tmp_path)
    collect(tmp_path)
    collect(tmp_path)
    assert rows(shop) == [(7, 70, 0), (5, 50, 0)]


def test_the_file_of_an_ended_process_is_collected_then_removed(
    shop: Shop, deployment: int, clock: Clock, tmp_path: Path
) -> None:
    traffic = Traffic(clock)
    serve(traffic, shop, deployment, 3)
    traffic.write(tmp_path, closed=True)
    collect(tmp_path)
    collect(tmp_path)
    assert rows(shop) == [(3, 30, 0)]
    assert list(tmp_path.iterdir()) == []


def test_a_kill_between_storing_and_removing_counts_nothing_twice(
    shop: Shop, deployment: int, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    traffic = Traffic(clock)
    serve(traffic, shop, deployment, 3)
    traffic.write(tmp_path, closed=True)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(services, "forget_traffic", _killed)
        collect(tmp_path)
    collect(tmp_path)
    assert rows(shop) == [(3, 30, 0)]


def _killed(folder: Path, process: str) -> None:
    raise KeyboardInterrupt


def test_a_reading_overtaken_by_a_later_one_takes_nothing_back(
    shop: Shop, deployment: int, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    traffic = Traffic(clock)
    serve(traffic, shop, deployment, 3)
    traffic.write(tmp_path)
    early = list(read_traffic(tmp_path))
    serve(traffic, shop, deployment, 2)
    traffic.write(tmp_path, closed=True)
    collect(tmp_path)
    monkeypatch.setattr(services, "read_traffic", lambda folder: iter(early))
    collect(tmp_path)
    assert rows(shop) == [(5, 50, 0)]


def test_a_process_silent_for_hours_is_collected_and_its_file_removed(
    shop: Shop, deployment: int, clock: Clock, tmp_path: Path
) -> None:
    clock.now -= timedelta(hours=3)
    traffic = Traffic(clock)
    serve(traffic, shop, deployment, 2)
    traffic.write(tmp_path)
    collect(tmp_path)
    assert rows(shop) == [(2, 20, 0)]
    assert list(tmp_path.iterdir()) == []


def test_a_deployment_that_is_gone_is_still_counted_for_its_model(shop: Shop, clock: Clock, tmp_path: Path) -> None:
    traffic = Traffic(clock)
    serve(traffic, shop, 10_000_000, 2)
    serve(traffic, shop, None, 1)
    traffic.write(tmp_path)
    collect(tmp_path)
    collect(tmp_path)
    assert rows(shop) == [(3, 30, 0)]


def test_counts_reach_only_the_organization_of_their_model(
    shop: Shop, deployment: int, clock: Clock, tmp_path: Path
) -> None:
    rival = make_shop("Rival")
    traffic = Traffic(clock)
    serve(traffic, shop, deployment, 2)
    traffic.count(10_000_000, None, "v1", status=200, seconds=0.001)
    serve(traffic, rival, deployment, 1)  # names a deployment of somebody else
    traffic.write(tmp_path)
    collect(tmp_path)
    assert (rows(shop), rows(rival)) == ([(2, 20, 0)], [(1, 10, 0)])
    with scope(rival.id):
        assert PredictionLog.objects.get().deployment_id is None


def test_a_damaged_file_keeps_no_other_from_being_counted(
    shop: Shop, deployment: int, clock: Clock, tmp_path: Path
) -> None:
    (tmp_path / "0-damaged.json").write_bytes(b"{")
    (tmp_path / "0-other.json").write_bytes(msgspec.json.encode({"x": 1}))
    traffic = Traffic(clock)
    serve(traffic, shop, deployment, 2)
    traffic.write(tmp_path)
    collect(tmp_path)
    assert rows(shop) == [(2, 20, 0)]
