"""Counting: what the traffic files say is what was asked, once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from serving_house import NOW

from b2b_recs.engine.serving.served import ServedModel
from b2b_recs.engine.serving.traffic import EDGES_MS, Traffic, forget_traffic, percentile, read_traffic


async def test_requests_predictions_unknown_customers_refusals_and_errors_are_counted(house, running, monkeypatch):
    house.deploy(house.train())
    async with running() as served:
        await served.ask(customer_id="C01", k=3)
        await served.ask("/recommend-batch", customers=["C02", "nobody"], k=2)
        await served.ask(customer_id="C01", k=0)
        monkeypatch.setattr(ServedModel, "recommend", lambda *_: 1 / 0)
        broken = await served.ask(customer_id="C01")
        await served.ask(customer_id="C01", key="wrong")
    (file,) = read_traffic(house.pointers / "traffic")
    (window,) = file.windows
    assert broken.status_code == 500
    assert "division" not in broken.text
    assert (window.model_id, window.deployment_id, window.version) == (1, 11, "v1")
    assert (window.requests, window.refused, window.errors) == (4, 1, 1)
    assert (window.customers, window.unknown_customers, window.predictions) == (3, 1, 7)
    assert sum(window.latencies) == 4
    assert window.start == NOW
    assert file.closed


async def test_the_file_says_when_each_known_key_last_asked(house, running):
    house.deploy(house.train())
    async with running() as served:
        await served.ask(customer_id="C01", k=3)
        await served.ask(customer_id="C01", key="wrong")
    (file,) = read_traffic(house.pointers / "traffic")
    assert list(file.keys.values()) == [NOW]


def test_writing_twice_counts_nothing_twice_and_hours_are_apart(tmp_path):
    now = datetime(2026, 6, 1, 9, 59, tzinfo=UTC)
    traffic = Traffic(lambda: now)
    traffic.count(1, 5, "v1", status=200, seconds=0.002, customers=1, predictions=10)
    traffic.write(tmp_path)
    traffic.write(tmp_path)
    now += timedelta(minutes=2)
    traffic.count(1, 5, "v1", status=200, seconds=0.002, customers=1, predictions=10)
    traffic.write(tmp_path)
    (file,) = read_traffic(tmp_path)
    assert [(window.start.hour, window.requests) for window in file.windows] == [(9, 1), (10, 1)]
    assert [live.requests_per_second for live in file.live] == [round(1 / 60, 2)]


def test_hours_older_than_three_days_leave_the_file(tmp_path):
    now = datetime(2026, 6, 1, 9, tzinfo=UTC)
    traffic = Traffic(lambda: now)
    traffic.count(1, 5, "v1", status=200, seconds=0.002)
    now += timedelta(days=4)
    traffic.count(1, 5, "v1", status=200, seconds=0.002)
    traffic.write(tmp_path)
    (file,) = read_traffic(tmp_path)
    assert [window.start.day for window in file.windows] == [5]


def test_percentiles_lie_within_one_bin_of_the_true_ones():
    latencies = [0] * (len(EDGES_MS) + 1)
    traffic = Traffic(lambda: NOW)
    for milliseconds in range(1, 101):
        traffic.count(1, None, "v1", status=200, seconds=milliseconds / 1000)
    (window,) = traffic.snapshot().windows
    assert 50 <= window.p50_ms <= 50 * 1.16
    assert 95 <= window.p95_ms <= 95 * 1.16
    assert 99 <= window.p99_ms <= 99 * 1.16
    assert percentile(latencies, 0.5) is None


def test_a_half_written_file_is_passed_over_and_a_collected_one_can_be_removed(tmp_path):
    traffic = Traffic(lambda: NOW)
    traffic.write(tmp_path, closed=True)
    (tmp_path / "broken.json").write_text("{")
    files = list(read_traffic(tmp_path))
    assert [file.process for file in files] == [traffic.process]
    forget_traffic(tmp_path, "../" + traffic.process)
    assert len(list(read_traffic(tmp_path))) == 1
    forget_traffic(tmp_path, traffic.process)
    assert list(read_traffic(tmp_path)) == []
